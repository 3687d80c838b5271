#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "broadcasting.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;
using Integers = std::vector<std::int64_t>;
using Tensors = std::vector<const OnnxTensor*>;

Tensors all_inputs(const OnnxNode& node, OnnxInputs inputs, std::size_t least, std::size_t most) {
  if (inputs.size() < least || inputs.size() > most) {
    throw node.error(fmt::format("has {} inputs, expected {}", inputs.size(),
                                 least == most ? std::to_string(least) : fmt::format("at least {}", least)));
  }
  Tensors tensors;
  for (std::size_t k = 0; k < inputs.size(); ++k) tensors.push_back(&needed_input(node, inputs, k));
  return tensors;
}

Tensors two_inputs(const OnnxNode& node, OnnxInputs inputs) {
  return all_inputs(node, inputs, 2, 2);
}

/// Whole numbers computed as a tensor's type has them: the largest ones are not negative.
template <class Function>
void combine(ElementType type, Integers& left, const Integers& right, const Function& function) {
  for (std::size_t k = 0; k < left.size(); ++k) {
    left[k] = type == ElementType::uint64 ? static_cast<std::int64_t>(function(static_cast<std::uint64_t>(left[k]),
                                                                               static_cast<std::uint64_t>(right[k])))
                                          : static_cast<std::int64_t>(function(left[k], right[k]));
  }
}

/// The first with the second, what comes of it with the third and so on; of reals: rounded once, at the end.
template <class Function>
OnnxTensor folded(const OnnxNode& node, const Tensors& tensors, const Function& function) {
  const ElementType type = fitting_type(node, tensors);
  const Extents dims = broadcast_dims(node, tensors);
  if (is_real(type)) {
    std::vector<double> values = broadcast_to(*tensors.front(), dims).as_reals();
    for (std::size_t n = 1; n < tensors.size(); ++n) {
      const std::vector<double> more = broadcast_to(*tensors[n], dims).as_reals();
      for (std::size_t k = 0; k < values.size(); ++k) values[k] = function(values[k], more[k]);
    }
    return OnnxTensor::of_reals(type, dims, std::move(values));
  }
  if (type == ElementType::boolean) throw node.error("has inputs of bool, expected numbers");
  Integers values = broadcast_to(*tensors.front(), dims).as_integers();
  for (std::size_t n = 1; n < tensors.size(); ++n) {
    combine(type, values, broadcast_to(*tensors[n], dims).as_integers(), function);
  }
  return OnnxTensor::of_integers(type, dims, std::move(values));
}

/// Arithmetic of double, std::int64_t and std::uint64_t; integers wrap.
template <auto function>
constexpr auto wrapping = []<class Number>(Number a, Number b) {
  if constexpr (std::is_same_v<Number, double>) {
    return function(a, b);
  } else {
    return function(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b));
  }
};
constexpr auto sum = wrapping<[](auto a, auto b) { return a + b; }>;
constexpr auto difference = wrapping<[](auto a, auto b) { return a - b; }>;
constexpr auto product = wrapping<[](auto a, auto b) { return a * b; }>;
/// One that is not a number wins.
constexpr auto larger = [](auto a, auto b) { return a > b || a != a ? a : b; };
constexpr auto smaller = [](auto a, auto b) { return a < b || a != a ? a : b; };

template <auto function>
Outputs of_two(const OnnxNode& node, OnnxInputs inputs) {
  return {folded(node, two_inputs(node, inputs), function)};
}

template <auto function>
Outputs of_all(const OnnxNode& node, OnnxInputs inputs) {
  return {folded(node, all_inputs(node, inputs, 1, std::numeric_limits<std::size_t>::max()), function)};
}

Outputs mean(const OnnxNode& node, OnnxInputs inputs) {
  for (std::size_t k = 0; k < inputs.size(); ++k) real_input(node, inputs, k);
  const OnnxTensor total = of_all<sum>(node, inputs).front();
  std::vector<double> values = total.as_reals();
  for (double& value : values) value /= static_cast<double>(inputs.size());
  return {OnnxTensor::of_reals(total.type(), total.dims(), std::move(values))};
}

void check_divisors(const OnnxNode& node, const OnnxTensor& divisors) {
  if (divisors.real()) return;
  for (const std::int64_t divisor : divisors.as_integers()) {
    if (divisor == 0) throw node.error("divides integers by 0");
  }
}

/// Of the least integer by -1 there is no quotient: it wraps.
template <auto function>
constexpr auto by_any_divisor = []<class Number>(Number a, Number b) -> Number {
  if constexpr (std::is_same_v<Number, std::int64_t>) {
    if (b == -1) a = a == std::numeric_limits<std::int64_t>::min() ? a : -a, b = 1;
  }
  return function(a, b);
};

Outputs quotient(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  check_divisors(node, *tensors[1]);
  return {folded(node, tensors, by_any_divisor<[](auto a, auto b) { return a / b; }>)};
}

/// The rest has the sign of the divisor.
constexpr auto floor_rest = []<class Number>(Number a, Number b) -> Number {
  if constexpr (std::is_same_v<Number, double>) {
    return std::fmod(a, b);
  } else {
    const Number rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};
/// The rest has the sign of the dividend.
constexpr auto cut_rest = []<class Number>(Number a, Number b) -> Number {
  if constexpr (std::is_same_v<Number, double>) {
    return std::fmod(a, b);
  } else {
    return a % b;
  }
};

Outputs rest(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  const bool cut = node.integer("fmod", 0) != 0;
  if (tensors[0]->real() && !cut) throw node.error("has fmod 0, expected 1 as its inputs are real");
  check_divisors(node, *tensors[1]);
  return {cut ? folded(node, tensors, by_any_divisor<cut_rest>) : folded(node, tensors, by_any_divisor<floor_rest>)};
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  std::uint64_t power = 1, square = static_cast<std::uint64_t>(base);
  for (; exponent > 0; exponent >>= 1, square *= square) {
    if (exponent & 1) power *= square;
  }
  return static_cast<std::int64_t>(power);
}

/// The types may differ; the result has the base's.
Outputs power(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  const OnnxTensor &base = *tensors[0], &exponent = *tensors[1];
  const Extents dims = broadcast_dims(node, tensors);
  if (!base.real() && !exponent.real()) {
    Integers values = broadcast_to(base, dims).as_integers();
    const Integers exponents = broadcast_to(exponent, dims).as_integers();
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = integer_power(values[k], exponents[k]);
    return {OnnxTensor::of_integers(base.type(), dims, std::move(values))};
  }
  std::vector<double> values = broadcast_to(base, dims).as_reals();
  const std::vector<double> exponents = broadcast_to(exponent, dims).as_reals();
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = std::pow(values[k], exponents[k]);
  if (!base.real()) return {OnnxTensor::of_reals(ElementType::float64, dims, std::move(values)).cast(base.type())};
  const ElementType type = exponent.real() ? common_type({&base, &exponent}) : base.type();
  return {OnnxTensor::of_reals(type, dims, std::move(values))};
}

template <auto relation>
Outputs compared(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  const ElementType type = fitting_type(node, tensors);
  const Extents dims = broadcast_dims(node, tensors);
  const OnnxTensor a = broadcast_to(*tensors[0], dims), b = broadcast_to(*tensors[1], dims);
  if (!is_real(type)) {
    Integers truths = a.as_integers();
    combine(type, truths, b.as_integers(), relation);
    return {OnnxTensor::of_booleans(dims, std::move(truths))};
  }
  const std::vector<double> left = a.as_reals(), right = b.as_reals();
  Integers truths(left.size());
  for (std::size_t k = 0; k < left.size(); ++k) truths[k] = relation(left[k], right[k]);
  return {OnnxTensor::of_booleans(dims, std::move(truths))};
}

template <auto relation>
Outputs logical(const OnnxNode& node, OnnxInputs inputs) {
  for (const OnnxTensor* const tensor : two_inputs(node, inputs)) {
    if (tensor->type() != ElementType::boolean) {
      throw node.error(fmt::format("has an input of {}, expected bool", type_name(tensor->type())));
    }
  }
  return compared<relation>(node, inputs);
}

Outputs bit_shift(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  const std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    throw node.error(fmt::format("has direction '{}', expected LEFT or RIGHT", direction));
  }
  if (tensors[0]->type() < ElementType::uint8 || tensors[0]->type() == ElementType::boolean) {
    throw node.error(fmt::format("shifts {}, expected unsigned integers", type_name(tensors[0]->type())));
  }
  return {folded(node, tensors, [left = direction == "LEFT"](auto a, auto b) -> std::uint64_t {
    const auto bits = static_cast<std::uint64_t>(a), places = static_cast<std::uint64_t>(b);
    return places > 63 ? 0 : left ? bits << places : bits >> places;
  })};
}

Outputs clip(const OnnxNode& node, OnnxInputs inputs) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  OnnxTensor clipped = needed_input(node, inputs, 0);
  const auto limit = [&](std::size_t k, const char* key) -> std::optional<OnnxTensor> {
    if (const OnnxTensor* const given = optional_input(inputs, k)) {
      if (given->size() != 1) {
        throw node.error(fmt::format("{} is {}, expected one value", key, extents_text(given->dims())));
      }
      return given->reshaped({});
    }
    if (!node.has(key)) return std::nullopt;
    return OnnxTensor::of_reals(ElementType::float32, {}, {node.number(key, infinity)});
  };
  if (const auto least = limit(1, "min")) clipped = folded(node, {&clipped, &*least}, larger);
  if (const auto most = limit(2, "max")) clipped = folded(node, {&clipped, &*most}, smaller);
  return {clipped};
}

Outputs parametric_relu(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = two_inputs(node, inputs);
  if (broadcast_dims(node, tensors) != tensors[0]->dims()) {
    throw node.error(fmt::format("slope is {}, expected what broadcasts to {}", extents_text(tensors[1]->dims()),
                                 extents_text(tensors[0]->dims())));
  }
  return {folded(node, tensors, [](auto x, auto slope) { return x < 0 ? product(x, slope) : x; })};
}

Outputs where(const OnnxNode& node, OnnxInputs inputs) {
  const Tensors tensors = all_inputs(node, inputs, 3, 3);
  if (tensors[0]->type() != ElementType::boolean) {
    throw node.error(fmt::format("condition is {}, expected bool", type_name(tensors[0]->type())));
  }
  const Extents dims = broadcast_dims(node, tensors);
  const Integers condition = broadcast_to(*tensors[0], dims).as_integers();
  Sources sources = broadcast_sources(tensors[1]->dims(), dims);
  const Sources others = broadcast_sources(tensors[2]->dims(), dims);
  for (std::size_t k = 0; k < sources.size(); ++k) {
    if (!condition[k]) sources[k] = tensors[1]->size() + others[k];
  }
  return {joined(node, std::span(tensors).subspan(1)).picked(dims, sources)};
}

}  // namespace

void add_elementwise_operators(OnnxOperators& operators) {
  operators["Add"] = of_two<sum>;
  operators["And"] = logical<[](auto a, auto b) { return a != 0 && b != 0; }>;
  operators["BitShift"] = bit_shift;
  operators["Clip"] = clip;
  operators["Div"] = quotient;
  operators["Equal"] = compared<std::equal_to<>{}>;
  operators["Greater"] = compared<std::greater<>{}>;
  operators["GreaterOrEqual"] = compared<std::greater_equal<>{}>;
  operators["Less"] = compared<std::less<>{}>;
  operators["LessOrEqual"] = compared<std::less_equal<>{}>;
  operators["Max"] = of_all<larger>;
  operators["Mean"] = mean;
  operators["Min"] = of_all<smaller>;
  operators["Mod"] = rest;
  operators["Mul"] = of_two<product>;
  operators["Or"] = logical<[](auto a, auto b) { return a != 0 || b != 0; }>;
  operators["PRelu"] = parametric_relu;
  operators["Pow"] = power;
  operators["Sub"] = of_two<difference>;
  operators["Sum"] = of_all<sum>;
  operators["Where"] = where;
  operators["Xor"] = logical<[](auto a, auto b) { return (a != 0) != (b != 0); }>;
}

}  // namespace crossgrid
