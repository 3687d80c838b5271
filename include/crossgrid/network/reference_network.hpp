#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/layer_ranges.hpp"
#include "crossgrid/network/network.hpp"

namespace crossgrid {

/// A network in double, plainly: simulation.precision float64. Analog layers' MVMs go cell by cell through
/// ReferenceMatrix, all else through loops of its own; the draws are those of the fast path. Threads may share it.
class ReferenceNetwork {
 public:
  /// hardware and ranges: by matrix layer. Programs no layer yet.
  ReferenceNetwork(const Network& network, std::span<const LayerHardware> hardware, std::vector<LayerRanges> ranges,
                   std::uint64_t seed, std::uint32_t trial);
  ~ReferenceNetwork();

  std::size_t matrices() const;
  /// Programs one matrix layer; all must be before the first run.
  void program(std::size_t matrix);

  struct Image {
    std::vector<double> logits;
    std::vector<std::vector<double>> outputs;  ///< of the matrix layers before their ReLU: windows x outputs
    std::uint64_t conversions = 0, clipped = 0, halvings = 0;
  };
  /// image: absolute index.
  Image run(const Dataset& data, std::uint64_t image) const;

 private:
  struct MatrixPart;
  struct Walk;

  const Network& network_;
  std::vector<MatrixPart> matrices_;
  std::vector<int> matrix_of_layer_;  ///< -1: none
  std::uint64_t seed_;
  std::uint32_t trial_;
};

}  // namespace crossgrid
