#include "operator_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace crossgrid {
namespace {

constexpr std::int64_t most_steps = std::int64_t{1} << 36;

}  // namespace

const OnnxTensor& needed_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const OnnxTensor* const input = optional_input(inputs, k);
  if (!input) throw node.error(fmt::format("has no input {}, which it needs", k));
  return *input;
}

const OnnxTensor* optional_input(OnnxInputs inputs, std::size_t k) {
  return k < inputs.size() ? inputs[k] : nullptr;
}

const OnnxTensor& real_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const OnnxTensor& input = needed_input(node, inputs, k);
  if (!input.real()) throw node.error(fmt::format("input {} holds {}, expected reals", k, type_name(input.type())));
  return input;
}

const OnnxTensor& integer_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const OnnxTensor& input = needed_input(node, inputs, k);
  if (input.real() || input.type() == ElementType::boolean) {
    throw node.error(fmt::format("input {} holds {}, expected integers", k, type_name(input.type())));
  }
  return input;
}

std::int64_t checked_size(const OnnxNode& node, const Extents& dims) {
  const bool empty = std::ranges::count(dims, 0) > 0;
  std::int64_t size = 1;
  for (const std::int64_t extent : dims) {
    if (extent < 0 || (!empty && size > most_values / extent)) {
      throw node.error(
          fmt::format("makes {}, expected extents from 0 on and at most {} values", extents_text(dims), most_values));
    }
    size *= empty ? 0 : extent;
  }
  return size;
}

void check_work(const OnnxNode& node, std::int64_t outputs, std::int64_t steps) {
  if (steps > 0 && outputs > most_steps / steps) {
    throw node.error(
        fmt::format("makes {} values in {} steps each, expected at most {} steps", outputs, steps, most_steps));
  }
}

std::size_t checked_axis(const OnnxNode& node, std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    throw node.error(fmt::format("has axis {}, expected {} to {}", axis, -signed_rank, signed_rank - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

void check_dims(const OnnxNode& node, const OnnxTensor& input, const Extents& expected, const char* what) {
  if (input.dims() != expected) {
    throw node.error(fmt::format("{} is {}, expected {}", what, extents_text(input.dims()), extents_text(expected)));
  }
}

ElementType common_type(std::initializer_list<const OnnxTensor*> inputs) {
  for (const OnnxTensor* const input : inputs) {
    if (input && input->type() == ElementType::float64) return ElementType::float64;
  }
  return (*inputs.begin())->type();
}

}  // namespace crossgrid
