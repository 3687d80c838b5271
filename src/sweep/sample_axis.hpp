#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/sweep/axis.hpp"

namespace crossgrid {

inline constexpr std::int64_t most_sample_points = 100'000;

/// How points are placed.
const std::vector<std::string>& sample_methods();

/// What `sample` says besides its parameters.
struct SampleSpec {
  std::string method;
  std::uint64_t points = 0;
  std::optional<std::uint64_t> seed;
};

/// The points of a sample as one axis of the grid, whose parameters move together. `parameters` maps each to {"from",
/// "to", "scale"}; the order of the parameters is that of the dimensions. Points that were there before (of parameters
/// that take integers) are left out.
Axis sample_axis(const SampleSpec& spec, const Json& parameters, const Place& place);

}  // namespace crossgrid
