#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/epilogue.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/prepared_matrix.hpp"

namespace crossgrid {

/// One matrix layer of a network that runs.
struct MatrixStep {
  std::shared_ptr<const PreparedMatrix> matrix;
  bool analog = false;
  Converter<float> dac;                ///< from layer units to the arrays' inputs (analog layers)
  std::vector<Converter<float>> adcs;  ///< one per row block; ideal for digital layers
  float scale = 1;                     ///< layer units per current
  float offset_scale = 0;              ///< layer units per unit of the sum of a window's inputs (offset cells)
  std::vector<float> bias_tile;
  /// Where the DAC gives zeros another value (signed quantizer), padding goes through it too: the images get a frame of
  /// `frame` pixels of that value, and the matrix's geometry is that of the framed images without padding.
  int frame = 0;
  float frame_value = 0;
};

/// What a layer's arrays are driven with: `inputs` (images of shape `in`) through the DAC unless `encoded`, framed
/// where needed. Valid until the lane's next layer.
const float* drive(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, Lane& lane);

/// The geometry of a layer on arrays that a DAC drives: with an explicit frame where DAC(0) is not 0.
ConvolutionShape driven_geometry(const ConvolutionShape& geometry, const Converter<float>& dac);

/// A network with everything that its layers need: weights or conductances, converters, encodings. Shared by lanes.
class NetworkExecution {
 public:
  /// matrices: one per matrix layer. Finds which activations can be stored as the next layer's DAC gives them.
  NetworkExecution(const Network& network, const ExecutionGraph& graph, std::vector<MatrixStep> matrices);

  /// What is seen while a micro-batch runs; empty functions are not called. `matrix` counts matrix layers.
  struct Observer {
    /// Inputs of a matrix layer before its DAC; only where no layer's inputs are encoded (floating-point networks).
    std::function<void(int matrix, const float* inputs)> inputs;
    /// A row block's values before the ADC.
    std::function<void(int matrix, int block, const float* currents)> currents;
    /// Outputs before the ReLU.
    std::function<void(int matrix, const float* outputs)> outputs;
  };

  /// Takes a micro-batch through the network; returns the logits, batch.size x classes, valid until the lane's next
  /// run in this role.
  const float* run(const Dataset& data, const MicroBatch& batch, Lane& lane, int role, const Observer& observer) const;

  const std::vector<MatrixStep>& matrices() const { return matrices_; }
  /// Whether a matrix layer finds its inputs already as its DAC gives them.
  bool inputs_encoded(int matrix) const;

 private:
  struct Run;
  void run_matrix(Run& run, const ExecutionStep& step) const;
  void run_digital(Run& run, const ExecutionStep& step) const;
  bool encodable(int tensor) const;
  bool finished_by_pool(const ExecutionStep& step, const Observer& observer) const;

  const Network& network_;
  const ExecutionGraph& graph_;
  std::vector<MatrixStep> matrices_;
  std::vector<Converter<float>> encodings_;  ///< by tensor: what was done to its values
  std::vector<bool> encoded_;
  std::vector<float> pixel_table_;  ///< channels x 256, encoded as tensor 0
};

}  // namespace crossgrid
