#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace crossgrid {

/// The seed of the sample that CI runs of each slow test (CROSSGRID_SLOW_SAMPLE, set by `.ci/slow --sample SEED`);
/// nothing where all of it is to run.
inline std::optional<std::uint64_t> slow_sample() {
  const char* text = std::getenv("CROSSGRID_SLOW_SAMPLE");
  if (text == nullptr) {
    return std::nullopt;
  }
  return std::hash<std::string>{}(text);
}

/// Which cases of a slow test run: every `stride`-th from `offset`.
struct SlowCases {
  std::size_t offset = 0;
  std::size_t stride = 1;
};
/// All cases, or one in `part` that the sample's seed chooses.
inline SlowCases slow_cases(std::size_t part) {
  const auto seed = slow_sample();
  return seed ? SlowCases{static_cast<std::size_t>(*seed % part), part} : SlowCases{};
}

}  // namespace crossgrid
