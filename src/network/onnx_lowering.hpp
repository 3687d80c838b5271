#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"
#include "crossgrid/onnx/onnx_limits.hpp"
#include "model_grids.hpp"
#include "onnx_value.hpp"

namespace crossgrid {

inline constexpr std::int64_t largest_activation = most_values;

/// A network while it is made of an ONNX model's nodes: the values so far, constants and what layers make, and the
/// layers.
class OnnxLowering {
 public:
  /// The model's constants and its image; uses of its nodes' outputs are counted. Error(bad_input): not one input of a
  /// fixed shape, not one output. The model's nodes must outlive it.
  explicit OnnxLowering(OnnxModel& model);

  // Values.

  const OnnxLayerValue& value(const std::string& name) const { return values_.at(name); }
  const OnnxLayerValue& value(const OnnxNode& node, std::size_t k) const { return values_.at(node.input(k)); }
  /// Null: the input is left out, or depends on the image.
  const OnnxTensor* constant(const OnnxNode& node, std::size_t k) const;
  /// An input of one number per channel; zeros where it is left out. Error(bad_input): it is none.
  std::vector<double> per_channel(const OnnxNode& node, std::size_t k, std::int64_t channels) const;
  /// Whether any node, or the model, takes an output.
  bool used(const OnnxNode& node, std::size_t output) const;
  bool made(const std::string& name) const { return values_.contains(name); }

  void name_output(const OnnxNode& node, std::size_t output, OnnxLayerValue made);
  /// The first input's memory under another shape or name.
  void name_view(const OnnxNode& node, const OnnxLayerValue& from, std::size_t output, Extents dims,
                 std::vector<int> order);
  /// The same value in another place, for all that take it from now on.
  void replace_input(const OnnxNode& node, std::size_t k, OnnxLayerValue value) { values_[node.input(k)] = value; }

  /// Evaluates a node of constants only.
  void fold(const OnnxNode& node);
  /// Shape and Size, which are known of any value.
  void fold_shape(const OnnxNode& node);

  // Layers.

  /// The value that a new layer makes; it has the node's name. view: how the layer sees its first input.
  OnnxLayerValue append(const OnnxNode& node, Operation operation, const std::vector<OnnxLayerValue>& inputs,
                        const Shape& view, Extents dims, std::vector<int> order);
  /// The same value with memory in another order: copied only where that differs.
  OnnxLayerValue reordered(const OnnxNode& node, OnnxLayerValue value, const std::vector<int>& order);
  OnnxLayerValue channels_last(const OnnxNode& node, const OnnxLayerValue& value);
  /// The layer that makes an input, where nothing else uses what it makes, so that it can take in what follows; null
  /// else.
  Layer* only_user_of(const OnnxNode& node, std::size_t k);

  /// The network whose logits are a value: without layers that it does not depend on.
  Network finish(const OnnxNode& end, OnnxLayerValue logits);

 private:
  void hold(const OnnxNode& node, std::int64_t values);
  std::string unique_name(std::string name);
  void keep_used(int last);

  Network network_;
  std::map<std::string, OnnxLayerValue> values_;
  std::map<std::string, int> uses_;
  OnnxMakers makers_;
  std::vector<int> shared_;  ///< by layer: views of what it makes that others than their own users see
  std::map<std::string, int> names_;
  std::int64_t held_ = 0;  ///< values of layers and computed constants, weights not counted
  std::int64_t largest_result_ = most_values;
};

}  // namespace crossgrid
