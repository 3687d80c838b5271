#pragma once

#include <cstdint>

#include "crossgrid/base/philox.hpp"

namespace crossgrid {

/// What draws are for. The values are part of every result: never renumber.
enum class DrawPurpose : std::uint32_t {
  programming_error = 1,
  cell_read_noise = 2,
  lumped_read_noise = 3,
  cell_fault = 4,
  drift_exponent = 5,
  dead_row = 6,
  dead_column = 7,
  adc_mismatch = 16,
  adc_draw = 17
};

/// The key of an independent stream of draws. Keys know no point of a grid: trial t is the same chip at every point.
/// `array` counts what the purpose needs (planes of cells, row blocks); who draws says what.
PhiloxKey stream_key(std::uint64_t seed, std::uint32_t trial, DrawPurpose purpose, std::uint32_t layer,
                     std::uint32_t array);

}  // namespace crossgrid
