#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/device/conductance_error.hpp"
#include "crossgrid/device/measured_cell.hpp"

/// Read noise on the currents of one MVM, element by element (for_each_index, kernels/launch.cuh).
namespace crossgrid {

/// Output j: the column's noise as one normal of the given variance.
struct AddLumpedNoise {
  float* currents;
  const float* variance;
  const float* normals;

  CROSSGRID_HD_INLINE void operator()(std::size_t j) const {
    currents[j] = fused(square_root(variance[j]), normals[j], currents[j]);
  }
};

/// Output j: the current of one row's cell, drawn afresh.
struct AddNoisyCell {
  float* currents;
  float input;
  const float* cells;
  const float* draws;
  NoisyConductance<float> noise;

  CROSSGRID_HD_INLINE void operator()(std::size_t j) const {
    currents[j] = fused(input, noise(cells[j], draws[j]), currents[j]);
  }
};

/// The same of cells that have a standard deviation of their own.
struct AddScatteredCell {
  float* currents;
  float input;
  const float* cells;
  const float* sigma;
  const float* draws;
  ScatteredConductance noise;

  CROSSGRID_HD_INLINE void operator()(std::size_t j) const {
    currents[j] = fused(input, noise(cells[j], sigma[j], draws[j]), currents[j]);
  }
};

}  // namespace crossgrid
