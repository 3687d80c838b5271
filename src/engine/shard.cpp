#include "crossgrid/engine/shard.hpp"

#include <fmt/format.h>

#include <charconv>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

std::optional<std::uint32_t> number_from(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Shard> shard_from(std::string_view text, std::string_view between) {
  const std::size_t place = text.find(between);
  if (place == std::string_view::npos) return std::nullopt;
  const auto number = number_from(text.substr(0, place));
  const auto count = number_from(text.substr(place + between.size()));
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
