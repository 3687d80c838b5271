#pragma once

#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "data/error_message.hpp"

namespace crossgrid::testing {

inline constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

using Integers = std::vector<std::int64_t>;
using Attributes = std::map<std::string, OnnxAttribute>;

inline OnnxTensor integers(Extents dims, Integers values, ElementType type = ElementType::int64) {
  return OnnxTensor::of_integers(type, std::move(dims), std::move(values));
}
inline OnnxTensor list(Integers values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return integers({count}, std::move(values));
}
inline OnnxTensor reals(Extents dims, std::vector<double> values, ElementType type = ElementType::float32) {
  return OnnxTensor::of_reals(type, std::move(dims), std::move(values));
}
inline OnnxTensor doubles(Extents dims, std::vector<double> values) {
  return reals(std::move(dims), std::move(values), ElementType::float64);
}
/// 0, 1, 2 ...: each value is its own place.
inline OnnxTensor places(Extents dims) {
  Integers values(static_cast<std::size_t>(element_count(dims)));
  std::iota(values.begin(), values.end(), 0);
  return integers(std::move(dims), std::move(values));
}

inline OnnxNode node_of(const std::string& op, Attributes attributes, std::int64_t opset, std::size_t outputs) {
  OnnxNode node;
  node.file = "small.onnx";
  node.opset = opset;
  node.name = "n";
  node.op = op;
  node.attributes = std::move(attributes);
  node.outputs.resize(outputs, "y");
  return node;
}

/// All outputs of one node.
inline std::vector<OnnxTensor> run_all(const std::string& op, const std::vector<OnnxTensor>& inputs,
                                       Attributes attributes = {}, std::int64_t opset = 15, std::size_t outputs = 1) {
  std::vector<const OnnxTensor*> given;
  for (const OnnxTensor& input : inputs) given.push_back(&input);
  return evaluate(node_of(op, std::move(attributes), opset, outputs), given);
}
inline OnnxTensor run(const std::string& op, const std::vector<OnnxTensor>& inputs, Attributes attributes = {},
                      std::int64_t opset = 15) {
  return run_all(op, inputs, std::move(attributes), opset).front();
}
inline std::string problem(const std::string& op, const std::vector<OnnxTensor>& inputs, Attributes attributes = {},
                           std::int64_t opset = 15, std::size_t outputs = 1) {
  return bad_input_message([&] { run_all(op, inputs, std::move(attributes), opset, outputs); });
}

}  // namespace crossgrid::testing
