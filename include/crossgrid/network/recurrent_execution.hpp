#pragma once

#include <cstdint>
#include <functional>

#include "crossgrid/network/matrix_step.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

/// What is seen while a recurrent layer runs; empty functions are not called.
struct RecurrentObserver {
  /// Before the DAC, once for every product of a step: images x sequences x (inputs, then state).
  std::function<void(const float* inputs)> inputs;
  /// Values before an ADC; a product's windows are the image's sequences.
  ConversionObserver currents;
  /// At the end: images x MVMs x outputs, MVMs step by step, those of a step product by product and sequence by
  /// sequence. 0 where an output of a product is not taken.
  std::function<void(const float* outputs)> outputs;
};

/// Takes a micro-batch through a recurrent layer, all sequences one step after the other. An image's window for noise
/// is the number of its MVM. halvings: as of run_chain(). outputs: images of the layer's output.
void run_recurrent(const Recurrent& layer, const MatrixStep& step, const ImagesOf& images, const MicroBatch& batch,
                   Lane& lane, const RecurrentObserver& observe, std::uint64_t* halvings, float* outputs);

}  // namespace crossgrid
