#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "crossgrid/core/programmed_matrix.hpp"
#include "crossgrid/network/lane.hpp"
#include "crossgrid/network/matrix_plan.hpp"

namespace crossgrid {

/// Images that go through a network together. The batch has a fixed size and begins at a multiple of it in the data
/// set; begin .. end - 1 are the ones asked for, the others are zeros.
struct MicroBatch {
  std::uint64_t first = 0;  ///< image 0 of the batch, absolute index
  int size = 1;
  int begin = 0, end = 1;
};

/// A matrix layer ready to run: weights or conductances in the layouts of its products. Shared by all lanes.
struct PreparedMatrix {
  struct Block {
    AnyProductShape shape;
    PackedWeights weights;
    PackedWeights variance;               ///< lumped read noise only
    std::vector<const Crossbar*> arrays;  ///< side by side in columns; empty for digital layers
  };
  ConvolutionShape geometry;  ///< of a micro-batch
  MatrixPlan plan;
  NoisePath noise = NoisePath::none;
  std::vector<Block> blocks;
  ProgrammedMatrix programmed;  ///< its conductances are dropped where they live on in packed form only
  std::size_t bytes = 0;

  int windows() const { return geometry.out_height() * geometry.out_width(); }
  int cols() const { return geometry.out_channels; }
  std::size_t inputs_per_image() const;
  std::size_t outputs_per_image() const { return static_cast<std::size_t>(windows()) * cols(); }
};

/// A layer computed digitally: weights as a network stores them (outputs x inputs).
std::shared_ptr<const PreparedMatrix> prepare_digital(const ConvolutionShape& geometry, const Matrix& weights,
                                                      Lane& lane);
/// A layer on arrays.
std::shared_ptr<const PreparedMatrix> prepare_analog(const ConvolutionShape& geometry, ProgrammedMatrix programmed,
                                                     const MatrixPlan& plan, Lane& lane);

/// Currents of one row block for a micro-batch: windows of all images x cols. inputs: after the DAC, NHWC.
void block_currents(const PreparedMatrix& matrix, int block, const float* inputs, const MicroBatch& batch, Lane& lane,
                    float* currents);

}  // namespace crossgrid
