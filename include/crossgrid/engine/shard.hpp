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
  /// Whether this is its chip.
  bool has(std::uint64_t chip) const;
  bool operator==(const Shard&) const = default;
};

/// Number of the shard that a chip is in; chips are numbered from 0 in grid order. Of each `count` chips that follow
/// one another every shard has one, and which one changes from group to group: a fast axis is not always cut at the
/// same values.
inline std::uint32_t shard_of(std::uint64_t chip, std::uint32_t count) {
  return static_cast<std::uint32_t>((chip + chip / count) % count) + 1;
}

inline bool Shard::has(std::uint64_t chip) const {
  return shard_of(chip, count) == number;
}

inline constexpr std::uint32_t most_shards = 9999;

/// Reads "2/4"; Error(usage) for anything else.
Shard shard_from_text(std::string_view text);
/// Reads "2of4"; nothing for other names.
std::optional<Shard> shard_from_name(std::string_view name);

}  // namespace crossgrid
