#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crossgrid {

__extension__ typedef __int128 Int128;

/// The sum of one metric over images, equal to the bit however the images were grouped: each image's value is rounded
/// to a multiple of 2^-32 (half to even) and added as a 128-bit integer. Values beyond +-2^40 are clamped and counted;
/// values that are not finite are left out of the sum and counted.
struct MetricSum {
  Int128 sum = 0;           ///< in units of 2^-32
  std::uint64_t count = 0;  ///< finite values in the sum, the clamped ones included
  std::uint64_t clamped = 0;
  std::uint64_t not_finite = 0;

  void add(double value);
  MetricSum& operator+=(const MetricSum& other);
  bool operator==(const MetricSum&) const = default;
  /// The mean over the finite values; NaN where there is none.
  double mean() const;
};

/// Decimal text of a 128-bit integer and back; throws Error(bad_input) where the text is none or too large.
std::string int128_to_text(Int128 value);
Int128 int128_from_text(std::string_view text);

}  // namespace crossgrid
