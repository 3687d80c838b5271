#pragma once

#include <vector>

#include "crossgrid/sweep/effective_hardware.hpp"

/// Ranges "from_model": those of the integers of a quantised (QAT) model.
namespace crossgrid {

/// Puts the numbers in the place of "from_model" where the model has them for this layer: dac.range is that of the
/// integers that its inputs are (of sign_magnitude and signed pulses its symmetric part), core.clip the largest
/// integer's weight.
void take_model_ranges(LayerHardware& hardware, const MatrixLayer& layer);

/// What is left of them, with the layers that have some. layers: of the network.
std::vector<Impossible> model_range_problems(const LayerHardware& hardware, const MatrixLayer& layer,
                                             const std::vector<MatrixLayer>& layers);

}  // namespace crossgrid
