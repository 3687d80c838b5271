#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "activations.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;

template <class Function>
OnnxTensor mapped(const OnnxTensor& input, const Function& function) {
  std::vector<double> values = input.as_reals();
  for (double& value : values) value = function(value);
  return OnnxTensor::of_reals(input.type(), input.dims(), std::move(values));
}

template <class Function>
OnnxTensor mapped_integers(const OnnxTensor& input, const Function& function) {
  std::vector<std::int64_t> values = input.as_integers();
  for (std::int64_t& value : values) value = function(value);
  return OnnxTensor::of_integers(input.type(), input.dims(), std::move(values));
}

/// A function of reals.
template <auto function>
Outputs reals(const OnnxNode& node, OnnxInputs inputs) {
  return {mapped(real_input(node, inputs, 0), function)};
}

/// A function of reals that make() builds of the node's attributes.
template <auto make>
Outputs with_attributes(const OnnxNode& node, OnnxInputs inputs) {
  return {mapped(real_input(node, inputs, 0), make(node))};
}

/// A function of reals, and one of integers.
template <auto function, auto of_integers>
Outputs numbers(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  if (input.real()) return {mapped(input, function)};
  return {mapped_integers(integer_input(node, inputs, 0), of_integers)};
}

/// Whether something holds of reals.
template <class Property>
Outputs truths(const OnnxTensor& input, const Property& property) {
  std::vector<std::int64_t> values;
  for (const double value : input.as_reals()) values.push_back(property(value) ? 1 : 0);
  return {OnnxTensor::of_booleans(input.dims(), std::move(values))};
}

std::int64_t negated(std::int64_t x) {
  return static_cast<std::int64_t>(-static_cast<std::uint64_t>(x));
}

Outputs absolute(const OnnxNode& node, OnnxInputs inputs) {
  if (needed_input(node, inputs, 0).type() == ElementType::uint64) return {*inputs[0]};
  return numbers<[](double x) { return std::abs(x); }, [](std::int64_t x) { return x < 0 ? negated(x) : x; }>(node,
                                                                                                              inputs);
}

constexpr auto sign_of = [](auto x) -> decltype(x) { return x > 0 ? 1 : x < 0 ? -1 : x; };

Outputs sign(const OnnxNode& node, OnnxInputs inputs) {
  const bool is_unsigned = needed_input(node, inputs, 0).type() == ElementType::uint64;
  if (is_unsigned) return {mapped_integers(*inputs[0], [](std::int64_t x) { return std::int64_t{x != 0}; })};
  return numbers<sign_of, sign_of>(node, inputs);
}

auto elu(const OnnxNode& node) {
  return [alpha = node.number("alpha", 1)](double x) { return x < 0 ? alpha * (exponential(x) - 1) : x; };
}

auto celu(const OnnxNode& node) {
  const double alpha = node.number("alpha", 1);
  if (alpha == 0) throw node.error("has alpha 0, by which it divides");
  return [alpha](double x) { return (x < 0 ? 0 : x) + std::min(0.0, alpha * (exponential(x / alpha) - 1)); };
}

std::function<double(double)> gelu(const OnnxNode& node) {
  const std::string way = node.text("approximate", "none");
  if (way == "none") return [](double x) { return 0.5 * x * (1 + std::erf(x * std::numbers::sqrt2 / 2)); };
  if (way != "tanh") throw node.error(fmt::format("has approximate '{}', expected none or tanh", way));
  return [](double x) {
    const double inner = std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1 + hyperbolic_tangent(inner));
  };
}

auto selu(const OnnxNode& node) {
  const double alpha = node.number("alpha", 1.67326319217681884765625);
  const double gamma = node.number("gamma", 1.05070102214813232421875);
  return [alpha, gamma](double x) { return gamma * (x > 0 ? x : alpha * (exponential(x) - 1)); };
}

double hard_sigmoid(double x, double alpha, double beta) {
  const double y = alpha * x + beta;
  return y < 0 ? 0 : y > 1 ? 1 : y;
}

auto hard_sigmoid_of(const OnnxNode& node) {
  return [alpha = node.number("alpha", 0.2), beta = node.number("beta", 0.5)](double x) {
    return hard_sigmoid(x, alpha, beta);
  };
}

auto leaky_relu(const OnnxNode& node) {
  return [alpha = node.number("alpha", 0.01)](double x) { return x < 0 ? alpha * x : x; };
}

auto thresholded_relu(const OnnxNode& node) {
  return [alpha = node.number("alpha", 1)](double x) { return x <= alpha ? 0 : x; };
}

Outputs shrink(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const double limit = node.number("lambd", 0.5), bias = node.number("bias", 0);
  std::vector<double> values = input.as_reals();
  for (double& x : values) x = x < -limit ? x + bias : x > limit ? x - bias : 0;
  const ElementType wide = input.real() ? input.type() : ElementType::float64;
  return {OnnxTensor::of_reals(wide, input.dims(), std::move(values)).cast(input.type())};
}

Outputs is_infinite(const OnnxNode& node, OnnxInputs inputs) {
  const bool negative = node.integer("detect_negative", 1) != 0, positive = node.integer("detect_positive", 1) != 0;
  return truths(real_input(node, inputs, 0), [&](double x) { return std::isinf(x) && (x < 0 ? negative : positive); });
}

Outputs is_not_a_number(const OnnxNode& node, OnnxInputs inputs) {
  return truths(real_input(node, inputs, 0), [](double x) { return std::isnan(x); });
}

Outputs logical_not(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  if (input.type() != ElementType::boolean) {
    throw node.error("has an input of " + type_name(input.type()) + ", expected bool");
  }
  return {mapped_integers(input, [](std::int64_t x) { return 1 - x; })};
}

Outputs identity(const OnnxNode& node, OnnxInputs inputs) {
  return {needed_input(node, inputs, 0)};
}

/// As at inference; the mask keeps all.
Outputs dropout(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const auto is_set = [&](std::size_t k, const char* what) {
    const OnnxTensor* const given = optional_input(inputs, k);
    if (!given) return k == 1;
    if (given->size() != 1) {
      throw node.error(std::string(what) + " is " + extents_text(given->dims()) + ", expected one value");
    }
    return given->as_reals().front() != 0;
  };
  if (is_set(1, "ratio") && is_set(2, "training_mode")) {
    throw node.error("drops values at random (training_mode), which is not supported: export the model for inference");
  }
  const ElementType mask = node.opset < 10 ? input.type() : ElementType::boolean;
  std::vector<std::int64_t> kept(static_cast<std::size_t>(input.size()), 1);
  return {input, OnnxTensor::of_booleans(input.dims(), std::move(kept)).cast(mask)};
}

ElementType cast_type(const OnnxNode& node) {
  if (!node.has("to")) throw node.error("has no attribute to, the type to cast to");
  return numbered_type(node, node.integer("to", 0));
}

Outputs cast(const OnnxNode& node, OnnxInputs inputs) {
  return {needed_input(node, inputs, 0).cast(cast_type(node))};
}

Outputs cast_like(const OnnxNode& node, OnnxInputs inputs) {
  return {needed_input(node, inputs, 0).cast(needed_input(node, inputs, 1).type())};
}

}  // namespace

void add_unary_operators(OnnxOperators& operators) {
  operators["Abs"] = absolute;
  operators["Acos"] = reals<[](double x) { return std::acos(x); }>;
  operators["Acosh"] = reals<[](double x) { return std::acosh(x); }>;
  operators["Asin"] = reals<[](double x) { return std::asin(x); }>;
  operators["Asinh"] = reals<[](double x) { return std::asinh(x); }>;
  operators["Atan"] = reals<[](double x) { return std::atan(x); }>;
  operators["Atanh"] = reals<[](double x) { return std::atanh(x); }>;
  operators["Cast"] = cast;
  operators["CastLike"] = cast_like;
  operators["Ceil"] = reals<[](double x) { return std::ceil(x); }>;
  operators["Celu"] = with_attributes<celu>;
  operators["Cos"] = reals<[](double x) { return std::cos(x); }>;
  operators["Cosh"] = reals<[](double x) { return std::cosh(x); }>;
  operators["Dropout"] = dropout;
  operators["Elu"] = with_attributes<elu>;
  operators["Erf"] = reals<[](double x) { return std::erf(x); }>;
  operators["Exp"] = reals<exponential>;
  operators["Floor"] = reals<[](double x) { return std::floor(x); }>;
  operators["Gelu"] = with_attributes<gelu>;
  operators["HardSigmoid"] = with_attributes<hard_sigmoid_of>;
  operators["HardSwish"] = reals<[](double x) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); }>;
  operators["Identity"] = identity;
  operators["IsInf"] = is_infinite;
  operators["IsNaN"] = is_not_a_number;
  operators["LeakyRelu"] = with_attributes<leaky_relu>;
  operators["Log"] = reals<logarithm>;
  operators["Mish"] = reals<[](double x) { return x * hyperbolic_tangent(softplus(x)); }>;
  operators["Neg"] = numbers<[](double x) { return -x; }, negated>;
  operators["Not"] = logical_not;
  operators["Reciprocal"] = reals<[](double x) { return 1 / x; }>;
  operators["Relu"] = numbers<[](double x) { return x < 0 ? 0 : x; }, [](std::int64_t x) { return x < 0 ? 0 : x; }>;
  operators["Round"] = reals<[](double x) { return std::nearbyint(x); }>;
  operators["Selu"] = with_attributes<selu>;
  operators["Shrink"] = shrink;
  operators["Sigmoid"] = reals<sigmoid>;
  operators["Sign"] = sign;
  operators["Sin"] = reals<[](double x) { return std::sin(x); }>;
  operators["Sinh"] = reals<[](double x) { return std::sinh(x); }>;
  operators["Softplus"] = reals<softplus>;
  operators["Softsign"] = reals<[](double x) { return x / (1 + std::abs(x)); }>;
  operators["Sqrt"] = reals<[](double x) { return std::sqrt(x); }>;
  operators["Tan"] = reals<[](double x) { return std::tan(x); }>;
  operators["Tanh"] = reals<hyperbolic_tangent>;
  operators["ThresholdedRelu"] = with_attributes<thresholded_relu>;
}

}  // namespace crossgrid
