#include "crossgrid/onnx/onnx_graph.hpp"

#include <fmt/format.h>

namespace crossgrid {
namespace {

constexpr const char* kinds[] = {"an integer", "a number", "a text", "integers", "numbers", "texts", "a tensor"};

/// The attribute as `Kind`; null: not there.
template <class Kind>
const Kind* find(const OnnxNode& node, const std::string& key) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end()) return nullptr;
  if (const auto* value = std::get_if<Kind>(&found->second)) return value;
  const OnnxAttribute expected{Kind{}};
  throw node.error(
      fmt::format("attribute {} is {}, expected {}", key, kinds[found->second.index()], kinds[expected.index()]));
}

template <class Kind, class Value>
Value value_or(const OnnxNode& node, const std::string& key, Value otherwise) {
  const Kind* const found = find<Kind>(node, key);
  return found ? static_cast<Value>(*found) : otherwise;
}

}  // namespace

std::string OnnxNode::where() const {
  return fmt::format("{}: node '{}' ({}{})", file, name, domain.empty() ? "" : domain + ".", op);
}

Error OnnxNode::error(const std::string& problem) const {
  return input_error(where(), problem);
}

const std::string& OnnxNode::input(std::size_t k) const {
  if (!has_input(k)) throw error(fmt::format("has no input {}, which it needs", k));
  return inputs[k];
}

const std::string& OnnxNode::output() const {
  if (outputs.empty()) throw error("has no output");
  return outputs.front();
}

std::int64_t OnnxNode::integer(const std::string& key, std::int64_t otherwise) const {
  return value_or<std::int64_t>(*this, key, otherwise);
}

double OnnxNode::number(const std::string& key, double otherwise) const {
  return value_or<float>(*this, key, otherwise);
}

std::string OnnxNode::text(const std::string& key, const std::string& otherwise) const {
  return value_or<std::string>(*this, key, otherwise);
}

std::vector<std::int64_t> OnnxNode::integers(const std::string& key, const std::vector<std::int64_t>& otherwise) const {
  return value_or<std::vector<std::int64_t>>(*this, key, otherwise);
}

std::vector<double> OnnxNode::numbers(const std::string& key, const std::vector<double>& otherwise) const {
  const auto* const found = find<std::vector<float>>(*this, key);
  return found ? std::vector<double>(found->begin(), found->end()) : otherwise;
}

std::vector<std::string> OnnxNode::texts(const std::string& key, const std::vector<std::string>& otherwise) const {
  return value_or<std::vector<std::string>>(*this, key, otherwise);
}

const OnnxTensor* OnnxNode::tensor(const std::string& key) const {
  return find<OnnxTensor>(*this, key);
}

}  // namespace crossgrid
