#include "crossgrid/onnx/recurrent_activation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "activations.hpp"

namespace crossgrid {
namespace {

struct Known {
  const char* name;
  RecurrentActivation activation;  ///< with the parameters that it has where the node gives none
  int parameters;
};

constexpr Known known[] = {
    {"Affine", {[](double x, double alpha, double beta) { return alpha * x + beta; }, 1, 0}, 2},
    {"Elu", {[](double x, double alpha, double) { return x < 0 ? alpha * (exponential(x) - 1) : x; }, 1, 0}, 1},
    {"HardSigmoid",
     {[](double x, double alpha, double beta) { return std::clamp(alpha * x + beta, 0.0, 1.0); }, 0.2, 0.5},
     2},
    {"LeakyRelu", {[](double x, double alpha, double) { return x < 0 ? alpha * x : x; }, 0.01, 0}, 1},
    {"Relu", {[](double x, double, double) { return x < 0 ? 0 : x; }}, 0},
    {"ScaledTanh", {[](double x, double alpha, double beta) { return alpha * hyperbolic_tangent(beta * x); }, 1, 1}, 2},
    {"Sigmoid", {[](double x, double, double) { return sigmoid(x); }}, 0},
    {"Softplus", {[](double x, double, double) { return softplus(x); }}, 0},
    {"Softsign", {[](double x, double, double) { return x / (1 + std::abs(x)); }}, 0},
    {"Tanh", {[](double x, double, double) { return hyperbolic_tangent(x); }}, 0},
    {"ThresholdedRelu", {[](double x, double alpha, double) { return x > alpha ? x : 0; }, 1, 0}, 1},
};

/// ONNX's names are of any case.
bool same_name(const std::string& a, const char* b) {
  return std::ranges::equal(
      a, std::string_view(b), {}, [](unsigned char c) { return std::tolower(c); },
      [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

std::vector<RecurrentActivation> recurrent_activations(const OnnxNode& node, const std::vector<std::string>& defaults,
                                                       std::size_t directions) {
  std::vector<std::string> names = node.texts("activations", {});
  if (names.empty()) {
    for (std::size_t k = 0; k < directions; ++k) names.insert(names.end(), defaults.begin(), defaults.end());
  }
  if (names.size() != directions * defaults.size()) {
    throw node.error(fmt::format("has {} activations, expected {} for each of {} directions", names.size(),
                                 defaults.size(), directions));
  }
  const std::vector<double> alphas = node.numbers("activation_alpha", {}), betas = node.numbers("activation_beta", {});
  std::size_t alpha = 0, beta = 0;
  std::vector<RecurrentActivation> activations;
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(known, [&](const Known& one) { return same_name(name, one.name); });
    if (found == std::end(known)) {
      std::vector<const char*> expected;
      for (const Known& one : known) expected.push_back(one.name);
      throw node.error(fmt::format("has the activation '{}', expected one of {}", name, fmt::join(expected, ", ")));
    }
    RecurrentActivation activation = found->activation;
    // In the order of the functions that have them.
    if (found->parameters >= 1 && alpha < alphas.size()) activation.alpha = alphas[alpha++];
    if (found->parameters == 2 && beta < betas.size()) activation.beta = betas[beta++];
    activations.push_back(activation);
  }
  return activations;
}

std::map<std::string, OnnxAttribute> activation_attributes(const std::vector<RecurrentActivation>& activations) {
  std::vector<std::string> names;
  std::vector<float> alphas, betas;
  for (const RecurrentActivation& activation : activations) {
    const Known& found =
        *std::ranges::find(known, activation.function, [](const Known& k) { return k.activation.function; });
    names.emplace_back(found.name);
    if (found.parameters >= 1) alphas.push_back(static_cast<float>(activation.alpha));
    if (found.parameters == 2) betas.push_back(static_cast<float>(activation.beta));
  }
  std::map<std::string, OnnxAttribute> attributes{{"activations", names}};
  if (!alphas.empty()) attributes["activation_alpha"] = alphas;
  if (!betas.empty()) attributes["activation_beta"] = betas;
  return attributes;
}

}  // namespace crossgrid
