#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// A value of a network in the ONNX graph that is made of it. Dimension 0 is the batch, here of one image.
struct ExportedValue {
  std::string name;
  Extents dims;
  bool image = false;   ///< [1, channels, height, width] of memory in NHWC order; else memory is in row-major order
  Shape shape() const;  ///< of an image
};

/// An ONNX model while it is made of a network's layers.
class OnnxExportGraph {
 public:
  explicit OnnxExportGraph(const Network& network);

  std::int64_t opset() const { return model_.opset; }
  /// The value that a layer made; -1: the image.
  const ExportedValue& value(int layer) const { return values_[static_cast<std::size_t>(layer + 1)]; }

  /// The same value seen as an image: [1, channels, height, width].
  ExportedValue as_image(const Layer& layer, const ExportedValue& value, const Shape& shape);
  /// The same value with memory in row-major order of some dimensions.
  ExportedValue as_memory(const Layer& layer, const ExportedValue& value, const Extents& dims);
  /// The same elements (not memory) in other dimensions.
  std::string reshaped(const Layer& layer, const std::string& name, const Extents& from, const Extents& to);

  using Attributes = std::map<std::string, OnnxAttribute>;
  /// The layer's own node, of its name: the name of the first output, or of another one.
  std::string add_main(const Layer& layer, const std::string& op, std::vector<std::string> inputs,
                       Attributes attributes = {});
  std::string add_main(const Layer& layer, OnnxNode node, std::size_t output);
  /// All outputs of the node that was added last.
  const std::vector<std::string>& last_outputs() const { return model_.nodes.back().outputs; }
  /// A node beside it.
  std::string add_helper(const Layer& layer, const std::string& op, std::vector<std::string> inputs,
                         Attributes attributes = {});
  /// A constant of the layer; `kind`: "weight", "shape".
  std::string add_constant(const Layer& layer, const std::string& kind, OnnxTensor tensor);
  std::string add_integers(const Layer& layer, const std::string& kind, std::vector<std::int64_t> values);

  /// What the next layer makes.
  void add_value(ExportedValue value) { values_.push_back(std::move(value)); }

  /// The model whose output is the last layer's value.
  OnnxModel finish();

 private:
  std::string unique(std::set<std::string>& names, std::string name);
  std::string add_node(OnnxNode node, std::size_t output);

  const Network& network_;
  OnnxModel model_;
  std::vector<ExportedValue> values_;
  std::set<std::string> node_names_, value_names_;
};

/// Data movement: the simplest node that does it, which has the layer's name.
ExportedValue export_rearrange(OnnxExportGraph& graph, const Layer& layer, const Rearrange& copies);
/// An operation as its own node.
ExportedValue export_operation(OnnxExportGraph& graph, const Layer& layer, const TensorOperation& operation);

/// Steps of cells as a node of one direction.
ExportedValue export_recurrent(OnnxExportGraph& graph, const Layer& layer, const Recurrent& recurrent);

}  // namespace crossgrid
