#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crossgrid/base/draw_sequence.hpp"

namespace crossgrid {

/// Draws first, first + 1, ... from a function that makes whole groups: fill(float* to, std::size_t groups,
/// std::uint64_t first_group).
template <class Fill>
void fill_from_groups(std::span<float> out, std::uint64_t first, const Fill& fill) {
  float* to = out.data();
  std::size_t left = out.size();
  const auto take_part = [&](std::size_t skip, std::size_t count) {
    float buffer[draw_group];
    fill(buffer, 1, first / draw_group);
    std::copy_n(buffer + skip, count, to);
    to += count, first += count, left -= count;
  };
  if (const std::size_t skip = first % draw_group; skip != 0 && left > 0) {
    take_part(skip, std::min(left, draw_group - skip));
  }
  if (const std::size_t groups = left / draw_group; groups > 0) {
    fill(to, groups, first / draw_group);
    to += groups * draw_group, first += groups * draw_group, left -= groups * draw_group;
  }
  if (left > 0) take_part(0, left);
}

}  // namespace crossgrid
