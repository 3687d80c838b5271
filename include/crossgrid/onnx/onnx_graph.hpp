#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/onnx/onnx_limits.hpp"
#include "crossgrid/onnx/onnx_tensor.hpp"

/// An ONNX model in memory (https://onnx.ai/onnx/intro/), free of protobuf.
namespace crossgrid {

using OnnxAttribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                                   std::vector<std::string>, OnnxTensor>;

/// One operation. Its messages name the file, the node and the operator.
struct OnnxNode {
  std::string file;
  std::int64_t opset = 0;
  std::string name;  ///< the first output's where the file gives none
  std::string op, domain;
  std::vector<std::string> inputs, outputs;  ///< names of values; empty: left out
  std::map<std::string, OnnxAttribute> attributes;
  std::int64_t largest_result = most_values;  ///< the most values that one may have

  std::string where() const;
  Error error(const std::string& problem) const;

  bool has_input(std::size_t k) const { return k < inputs.size() && !inputs[k].empty(); }
  /// Error(bad_input) where it is left out.
  const std::string& input(std::size_t k) const;
  const std::string& output() const;

  bool has(const std::string& key) const { return attributes.contains(key); }
  /// Attributes; Error(bad_input) where one has another type.
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  std::vector<std::int64_t> integers(const std::string& key, const std::vector<std::int64_t>& otherwise) const;
  std::vector<double> numbers(const std::string& key, const std::vector<double>& otherwise) const;
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& otherwise) const;
  const OnnxTensor* tensor(const std::string& key) const;  ///< null: not there
};

/// An input or output of a graph.
struct OnnxValue {
  std::string name;
  std::optional<ElementType> type;  ///< none: a sequence, an optional value, strings
  std::optional<Extents> dims;      ///< -1: open; none: of any rank
};

struct OnnxModel {
  std::string file;
  std::string name;  ///< of the graph; the file's where it has none
  std::int64_t opset = 0;
  std::vector<OnnxNode> nodes;  ///< each uses only what those before it make
  std::map<std::string, OnnxTensor> constants;
  std::vector<OnnxValue> inputs;  ///< without those that are constants
  std::vector<OnnxValue> outputs;
};

}  // namespace crossgrid
