#include "crossgrid/engine/shard.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/whole_number.hpp"

namespace crossgrid {

namespace {

std::optional<Shard> shard_from(std::string_view text, std::string_view between) {
  const std::size_t place = text.find(between);
  if (place == std::string_view::npos) return std::nullopt;
  const auto number = whole_number<std::uint32_t>(text.substr(0, place));
  const auto count = whole_number<std::uint32_t>(text.substr(place + between.size()));
  if (!number || !count || *number < 1 || *number > *count || *count > most_shards) return std::nullopt;
  return Shard{*number, *count};
}

}  // namespace

std::string Shard::name() const {
  return whole() ? "" : fmt::format("{}of{}", number, count);
}

std::string Shard::text() const {
  return fmt::format("{}/{}", number, count);
}

Shard shard_from_text(std::string_view text) {
  const std::optional<Shard> shard = shard_from(text, "/");
  if (!shard) {
    throw Error(ExitCode::usage,
                fmt::format("--shard {}: expected I/N, part I of N: 1 <= I <= N <= {}", text, most_shards));
  }
  return *shard;
}

std::optional<Shard> shard_from_name(std::string_view name) {
  return shard_from(name, "of");
}

}  // namespace crossgrid
