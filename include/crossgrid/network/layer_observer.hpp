#pragma once

#include <functional>
#include <vector>

#include "crossgrid/network/layer_measures.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/network_execution.hpp"

/// Where LayerMeasures come from: what is seen while a micro-batch runs, and what the programmed cells tell.
namespace crossgrid {

/// Counts a micro-batch's images in tally(matrix, image of the batch). reference: outputs of the floating-point network
/// on the same micro-batch, by matrix layer. All arguments must outlive the run.
NetworkExecution::Observer tally_observer(const NetworkExecution& execution,
                                          const std::vector<std::vector<float>>& reference, const MicroBatch& batch,
                                          Lane& lane, std::function<LayerTally&(std::size_t matrix, int image)> tally);

/// What of a layer's measures needs no image. weights: those that the arrays hold (matrix_weights).
LayerMeasures chip_measures(const MatrixLayer& layer, const Matrix& weights, const LayerHardware& hardware,
                            const std::vector<AdcStage>& adcs, std::uint64_t seed, std::uint32_t trial);

}  // namespace crossgrid
