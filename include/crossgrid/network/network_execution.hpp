#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/matrix_step.hpp"

namespace crossgrid {

/// A network with everything that its layers need: weights or conductances, converters, encodings. Shared by lanes.
class NetworkExecution {
 public:
  /// matrices: one per matrix layer. Finds which activations can be stored as the next layer's DAC gives them.
  NetworkExecution(const Network& network, const ExecutionGraph& graph, std::vector<MatrixStep> matrices);

  /// What is seen while a micro-batch runs; empty functions are not called. `matrix` counts matrix layers.
  struct Observer {
    /// Inputs of a matrix layer before its DAC, of a recurrent layer once for every product of a step; only where no
    /// layer's inputs are encoded (floating-point networks).
    std::function<void(int matrix, const float* inputs)> inputs;
    /// Values before an ADC.
    std::function<void(int matrix, const ConversionView&)> currents;
    /// By image of the micro-batch: how often inputs were halved because conversions clipped is added. May be null.
    std::uint64_t* halvings = nullptr;
    /// Outputs before the ReLU, outputs_of_image(matrix) values for each image.
    std::function<void(int matrix, const float* outputs)> outputs;

    bool looks_inside() const { return inputs || currents || outputs; }
  };

  /// Takes a micro-batch through the network; returns the logits, batch.size x classes, valid until the lane's next
  /// run in this role.
  const float* run(const Dataset& data, const MicroBatch& batch, Lane& lane, int role, const Observer& observer) const;

  const std::vector<MatrixStep>& matrices() const { return matrices_; }
  /// A matrix layer's MVMs x outputs.
  std::size_t outputs_of_image(int matrix) const { return outputs_of_image_[static_cast<std::size_t>(matrix)]; }
  /// Whether a matrix layer finds its inputs already as its DAC gives them.
  bool inputs_encoded(int matrix) const;

 private:
  struct Run;
  void run_matrix(Run& run, const ExecutionStep& step) const;
  void run_steps(Run& run, const ExecutionStep& step, const Recurrent& recurrent) const;
  DrivenInputs driven_inputs(Run& run, const ExecutionStep& step) const;
  void run_plain(Run& run, const ExecutionStep& step) const;
  void run_by_turns(Run& run, std::size_t first, std::size_t last) const;
  void run_bands(Run& run, const ExecutionStep& step, const DrivenInputs& driven, std::span<const RowBand> bands,
                 float* output) const;
  void run_digital(Run& run, const ExecutionStep& step) const;
  const Recurrent* recurrent_of(const ExecutionStep& step) const;
  bool encodable(int tensor) const;
  bool hands_rows_on(std::size_t step) const;
  bool finished_by_pool(const ExecutionStep& step, const Observer& observer) const;

  const Network& network_;
  const ExecutionGraph& graph_;
  std::vector<MatrixStep> matrices_;
  std::vector<std::size_t> outputs_of_image_;  ///< by matrix
  std::vector<Converter<float>> encodings_;    ///< by tensor: what was done to its values
  std::vector<bool> encoded_;
  std::vector<std::size_t> by_turns_;                         ///< by step: the last that is run by turns with it
  std::vector<float> pixel_table_;                            ///< channels x 256, encoded as tensor 0
  std::vector<float> zeros_ = std::vector<float>(512, 0.0f);  ///< the bias of steps that have none
};

}  // namespace crossgrid
