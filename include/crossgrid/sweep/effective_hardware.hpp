#pragma once

#include <string>
#include <vector>

#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/sweep/parameter.hpp"

namespace crossgrid {

/// The same chip in its normal form (rule R2): parameters without effect in this layer have their defaults, so equal
/// chips have equal hardware. Error messages of combinations that can't be built: impossible_hardware().
LayerHardware effective_hardware(LayerHardware hardware, const MatrixLayer& layer);

/// The same for one group's parameters only; the others are left as they are.
LayerHardware effective_hardware(LayerHardware hardware, const MatrixLayer& layer, ParameterGroup group);

/// Parameters that can't go together.
struct Impossible {
  std::string reason;
  std::vector<std::string> parameters;  ///< paths of those that cause it
};

/// All reasons why this hardware, in its normal form, can't be built for this layer; none where it can.
std::vector<Impossible> impossible_hardware(const LayerHardware& hardware, const MatrixLayer& layer);

/// Whether a random number is drawn in this layer.
bool draws_random_numbers(const LayerHardware& hardware);
/// Whether one is drawn because of this group's parameters.
bool draws_random_numbers(const LayerHardware& hardware, ParameterGroup group);

/// Whether this layer's result depends on calibration images.
bool needs_calibration(const LayerHardware& hardware);

}  // namespace crossgrid
