#include "operator_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace crossgrid {
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

std::vector<std::int64_t> integer_list(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const OnnxTensor& input = integer_input(node, inputs, k);
  if (input.rank() > 1) {
    throw node.error(fmt::format("input {} is {}, expected a list", k, extents_text(input.dims())));
  }
  return input.as_integers();
}

std::optional<std::vector<std::int64_t>> integers_of(const OnnxNode& node, OnnxInputs inputs, std::size_t k,
                                                     const std::string& key) {
  if (optional_input(inputs, k)) return integer_list(node, inputs, k);
  if (node.has(key)) return node.integers(key, {});
  return std::nullopt;
}

void check_rank(const OnnxNode& node, std::size_t rank) {
  if (rank > most_axes) throw node.error(fmt::format("makes {} axes, expected at most {}", rank, most_axes));
}

std::int64_t checked_size(const OnnxNode& node, const Extents& dims) {
  check_rank(node, dims.size());
  std::int64_t size = 1;
  bool empty = false;
  for (const std::int64_t extent : dims) {
    if (extent < 0 || extent > node.largest_result / size) {
      throw node.error(fmt::format("makes {}, expected extents from 0 on and at most {} values", extents_text(dims),
                                   node.largest_result));
    }
    if (extent == 0) empty = true;
    size *= std::max<std::int64_t>(extent, 1);
  }
  return empty ? 0 : size;
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

std::vector<std::size_t> checked_axes(const OnnxNode& node, std::span<const std::int64_t> axes, std::size_t rank) {
  std::vector<std::size_t> checked;
  for (const std::int64_t axis : axes) {
    const std::size_t next = checked_axis(node, axis, rank);
    if (std::ranges::count(checked, next) > 0) throw node.error(fmt::format("has axis {} twice", next));
    checked.push_back(next);
  }
  return checked;
}

void check_dims(const OnnxNode& node, const OnnxTensor& input, const Extents& expected, const char* what) {
  if (input.dims() != expected) {
    throw node.error(fmt::format("{} is {}, expected {}", what, extents_text(input.dims()), extents_text(expected)));
  }
}

ElementType numbered_type(const OnnxNode& node, std::int64_t number) {
  const std::optional<ElementType> type = numbered_type(number);
  if (!type) {
    throw node.error(fmt::format("asks for ONNX's element type {}, expected that of numbers or booleans", number));
  }
  return *type;
}

ElementType common_type(std::initializer_list<const OnnxTensor*> inputs) {
  for (const OnnxTensor* const input : inputs) {
    if (input && input->type() == ElementType::float64) return ElementType::float64;
  }
  return (*inputs.begin())->type();
}

}  // namespace crossgrid
