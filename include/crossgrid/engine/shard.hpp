#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crossgrid {

/// One of several jobs that work on one sweep at the same time: which chips are its own, and what its journal is
/// called.
struct Shard {
  std::uint32_t number = 1;  ///< counted from 1
  std::uint32_t count = 1;

  /// The only one: an ordinary run.
  bool whole() const { return count == 1; }
  /// Name of its journal: "2of4", empty for a whole run.
  std::string name() const;
  /// "2/4".
  std::string text() const;
  /// Whether this is its chip; chips are numbered from 0 in grid order. Of any `count` chips that follow one another
  /// each shard has one, and which one changes from group to group: a fast axis is not always cut at the same values.
  bool has(std::uint64_t chip) const { return (chip + chip / count) % count == number - 1; }
  bool operator==(const Shard&) const = default;
};

inline constexpr std::uint32_t most_shards = 9999;

/// Reads "2/4"; Error(usage) for anything else.
Shard shard_from_text(std::string_view text);
/// Reads "2of4"; nothing for other names.
std::optional<Shard> shard_from_name(std::string_view name);

}  // namespace crossgrid
