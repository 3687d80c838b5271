#pragma once

#include <cstddef>
#include <cstdint>

#include "crossgrid/array/crossbar.hpp"

namespace crossgrid {

/// MVMs of an array that is solved as a circuit each time: currents (windows x cols) for inputs (windows x rows), those
/// rows of the array that are driven at once; its others are at 0 V or cut off. Read noise is drawn for every cell of
/// the array, counted like that of mvm_with_cell_noise().
void mvm_by_circuit(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                    int windows, const float* inputs, std::ptrdiff_t inputs_stride, float* currents,
                    std::ptrdiff_t currents_stride);

}  // namespace crossgrid
