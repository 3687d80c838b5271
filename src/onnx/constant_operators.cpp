#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;

Outputs constant(const OnnxNode& node, OnnxInputs) {
  if (const OnnxTensor* const value = node.tensor("value")) return {*value};
  if (node.has("value_float")) {
    return {OnnxTensor::of_reals(ElementType::float32, {}, {node.number("value_float", 0)})};
  }
  if (node.has("value_int")) {
    return {OnnxTensor::of_integers(ElementType::int64, {}, {node.integer("value_int", 0)})};
  }
  if (node.has("value_floats")) {
    std::vector<double> values = node.numbers("value_floats", {});
    const auto count = static_cast<std::int64_t>(values.size());
    return {OnnxTensor::of_reals(ElementType::float32, {count}, std::move(values))};
  }
  if (node.has("value_ints")) {
    std::vector<std::int64_t> values = node.integers("value_ints", {});
    const auto count = static_cast<std::int64_t>(values.size());
    return {OnnxTensor::of_integers(ElementType::int64, {count}, std::move(values))};
  }
  throw node.error("has no value, expected a tensor, numbers or integers");
}

Outputs constant_of_shape(const OnnxNode& node, OnnxInputs inputs) {
  const Extents dims = integer_list(node, inputs, 0);
  const auto count = static_cast<std::size_t>(checked_size(node, dims));
  const OnnxTensor zero = OnnxTensor::of_floats({1}, {0});
  const OnnxTensor* const given = node.tensor("value");
  const OnnxTensor& value = given ? *given : zero;
  if (value.size() != 1) {
    throw node.error(fmt::format("value is {}, expected one value", extents_text(value.dims())));
  }
  return {value.picked(dims, Sources(count, 0))};
}

std::int64_t checked_count(const OnnxNode& node, double count) {
  if (!(count <= static_cast<double>(most_values))) {
    throw node.error(fmt::format("makes {} values, expected at most {}", count, most_values));
  }
  return static_cast<std::int64_t>(std::max(0.0, std::ceil(count)));
}

OnnxTensor integer_range(const OnnxNode& node, ElementType type, std::int64_t start, std::int64_t limit,
                         std::int64_t delta) {
  // In 64 bits without sign no difference of two integers is too large.
  const auto first = static_cast<std::uint64_t>(start), last = static_cast<std::uint64_t>(limit);
  auto step = static_cast<std::uint64_t>(delta);
  const std::uint64_t span = delta > 0 ? last - first : first - last, width = delta > 0 ? step : -step;
  const bool any = delta > 0 ? start < limit : start > limit;
  const std::uint64_t count = any ? (span - 1) / width + 1 : 0;
  std::vector<std::int64_t> values(static_cast<std::size_t>(checked_count(node, static_cast<double>(count))));
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<std::int64_t>(first + k * step);
  const auto made = static_cast<std::int64_t>(values.size());
  return OnnxTensor::of_integers(type, {made}, std::move(values));
}

OnnxTensor real_range(const OnnxNode& node, ElementType type, double start, double limit, double delta) {
  std::vector<double> values(static_cast<std::size_t>(checked_count(node, (limit - start) / delta)));
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = start + static_cast<double>(k) * delta;
  const auto made = static_cast<std::int64_t>(values.size());
  return OnnxTensor::of_reals(type, {made}, std::move(values));
}

Outputs range(const OnnxNode& node, OnnxInputs inputs) {
  std::vector<const OnnxTensor*> bounds;
  for (std::size_t k = 0; k < 3; ++k) {
    bounds.push_back(&needed_input(node, inputs, k));
    if (bounds.back()->size() != 1) {
      throw node.error(fmt::format("input {} is {}, expected one value", k, extents_text(bounds.back()->dims())));
    }
  }
  const ElementType type = fitting_type(node, bounds);
  if (bounds[2]->as_reals().front() == 0) throw node.error("has steps of 0");
  const OnnxTensor all = joined(node, bounds);
  if (is_real(type)) {
    const std::vector<double> values = all.as_reals();
    return {real_range(node, type, values[0], values[1], values[2])};
  }
  const std::vector<std::int64_t> values = all.as_integers();
  return {integer_range(node, type, values[0], values[1], values[2])};
}

Outputs eye_like(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  if (input.rank() != 2) {
    throw node.error(fmt::format("input is {}, expected a matrix", extents_text(input.dims())));
  }
  const ElementType type = node.has("dtype") ? numbered_type(node, node.integer("dtype", 0)) : input.type();
  const std::int64_t rows = input.dims()[0], columns = input.dims()[1];
  const std::int64_t diagonal = std::clamp(node.integer("k", 0), -most_values, most_values);
  std::vector<double> values(static_cast<std::size_t>(input.size()), 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t column = row + diagonal;
    if (column >= 0 && column < columns) values[static_cast<std::size_t>(row * columns + column)] = 1;
  }
  return {OnnxTensor::of_reals(ElementType::float64, input.dims(), std::move(values)).cast(type)};
}

}  // namespace

void add_constant_operators(OnnxOperators& operators) {
  operators["Constant"] = constant;
  operators["ConstantOfShape"] = constant_of_shape;
  operators["EyeLike"] = eye_like;
  operators["Range"] = range;
}

}  // namespace crossgrid
