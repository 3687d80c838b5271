#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crossgrid {

/// Time as the engine sees it. Durations and leases use monotonic(); utc() is for texts that people read and for
/// comparing heartbeats of other hosts.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  /// Seconds since an arbitrary moment, never going back.
  virtual double monotonic() const = 0;
  /// Seconds since 1970-01-01T00:00:00 UTC.
  virtual std::int64_t utc() const = 0;
};

/// The system's clocks.
const TimeSource& system_time();

/// "2026-11-24T02:48:39Z".
std::string utc_text(std::int64_t seconds);
/// Reads utc_text() back; Error(bad_input) for anything else.
std::int64_t utc_from_text(std::string_view text);

}  // namespace crossgrid
