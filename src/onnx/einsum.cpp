#include "einsum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "index_sources.hpp"
#include "operator_checks.hpp"
#include "positions.hpp"

namespace crossgrid {
namespace {

/// A letter, or the k-th last axis of an ellipsis: -k.
using Label = int;
using Labels = std::vector<Label>;

/// "ij", "...k": one label per axis; an ellipsis stands for `hidden` of them.
Labels parse_term(const OnnxNode& node, const std::string& term, std::size_t hidden) {
  Labels labels;
  const std::size_t dots = term.find('.');
  for (std::size_t k = 0; k < term.size(); ++k) {
    if (k == dots && term.compare(k, 3, "...") == 0) {
      for (std::size_t axis = hidden; axis > 0; --axis) labels.push_back(-static_cast<Label>(axis));
      k += 2;
    } else if (std::isalpha(static_cast<unsigned char>(term[k]))) {
      labels.push_back(term[k]);
    } else {
      throw node.error(fmt::format("has '{}' in its equation, expected letters and at most one '...'", term));
    }
  }
  return labels;
}

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
};

/// Without an output: the ellipsis, then the letters that are there once, in order.
Labels implied_output(const std::vector<Labels>& inputs) {
  std::map<Label, int> counts;
  for (const Labels& labels : inputs) {
    for (const Label label : labels) ++counts[label];
  }
  Labels output;
  for (const auto& [label, count] : counts) {
    if (label < 0 || count == 1) output.push_back(label);
  }
  return output;
}

Equation parse_equation(const OnnxNode& node, OnnxInputs inputs) {
  std::string text = node.text("equation", "");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  std::size_t from = 0, most_hidden = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::size_t comma = std::min(left.find(',', from), left.size());
    if (from > left.size() || (k + 1 == inputs.size()) != (comma == left.size())) {
      throw node.error(
          fmt::format("has the equation '{}', expected one term for each of {} inputs", text, inputs.size()));
    }
    const std::string term = left.substr(from, comma - from);
    const auto rank = static_cast<std::size_t>(needed_input(node, inputs, k).rank());
    const std::size_t letters = parse_term(node, term, 0).size();
    const bool hides = term.find('.') != std::string::npos;
    if (letters > rank || (letters < rank && !hides)) {
      throw node.error(fmt::format("input {} is {}, expected the axes '{}'", k, extents_text(inputs[k]->dims()), term));
    }
    most_hidden = std::max(most_hidden, rank - letters);
    equation.inputs.push_back(parse_term(node, term, rank - letters));
    from = comma + 1;
  }
  equation.output = arrow == std::string::npos ? implied_output(equation.inputs)
                                               : parse_term(node, text.substr(arrow + 2), most_hidden);
  return equation;
}

/// All labels, the output's first, with their extents; each input's steps along them.
struct Sum {
  Labels labels;
  Extents dims;
  std::size_t outputs = 0;  ///< how many labels are the output's
  std::vector<Extents> steps;
};

Sum sum_of(const OnnxNode& node, OnnxInputs inputs, const Equation& equation) {
  std::map<Label, std::int64_t> extents;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    for (std::size_t axis = 0; axis < equation.inputs[k].size(); ++axis) {
      const std::int64_t found = inputs[k]->dims()[axis];
      std::int64_t& extent = extents.try_emplace(equation.inputs[k][axis], found).first->second;
      if (extent == 1) extent = found;
      if (found != extent && found != 1) {
        throw node.error(fmt::format("axis {} of input {} has {} values, expected {}", axis, k, found, extent));
      }
    }
  }
  Sum sum;
  for (const Label label : equation.output) {
    const auto found = extents.find(label);
    if (found == extents.end()) throw node.error("its equation's output has a label that no input has, or one twice");
    sum.labels.push_back(label), sum.dims.push_back(found->second);
    extents.erase(found);
  }
  sum.outputs = sum.labels.size();
  for (const auto& [label, extent] : extents) sum.labels.push_back(label), sum.dims.push_back(extent);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Extents& dims = inputs[k]->dims();
    const Extents strides = strides_of(dims);
    Extents steps(sum.labels.size(), 0);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (dims[axis] == 1) continue;
      const auto at = std::ranges::find(sum.labels, equation.inputs[k][axis]) - sum.labels.begin();
      steps[static_cast<std::size_t>(at)] += strides[axis];
    }
    sum.steps.push_back(std::move(steps));
  }
  return sum;
}

/// Sums the products of all inputs' values over the labels behind the output's.
template <class Number>
std::vector<Number> summed(const Sum& sum, const std::vector<std::vector<Number>>& inputs, std::size_t outputs,
                           std::size_t terms) {
  std::vector<Number> results(outputs, Number{});
  Extents at(sum.dims.size(), 0);
  for (Number& result : results) {
    for (std::size_t term = 0; term < terms; ++term) {
      Number product{1};
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        std::int64_t place = 0;
        for (std::size_t label = 0; label < at.size(); ++label) place += at[label] * sum.steps[k][label];
        product *= inputs[k][static_cast<std::size_t>(place)];
      }
      result += product;
      advance(at, sum.dims);
    }
  }
  return results;
}

}  // namespace

std::vector<OnnxTensor> einsum(const OnnxNode& node, OnnxInputs inputs) {
  const bool real = needed_input(node, inputs, 0).real();
  const Sum sum = sum_of(node, inputs, parse_equation(node, inputs));
  const Extents dims(sum.dims.begin(), sum.dims.begin() + static_cast<std::ptrdiff_t>(sum.outputs));
  const std::int64_t outputs = checked_size(node, dims);
  const std::int64_t terms =
      checked_size(node, {sum.dims.begin() + static_cast<std::ptrdiff_t>(sum.outputs), sum.dims.end()});
  check_work(node, outputs, terms);
  const auto all = [&]<class Number>(Number, const auto& values_of) {
    std::vector<std::vector<Number>> values;
    for (const OnnxTensor* const input : inputs) {
      if (input->real() != real) throw node.error("multiplies integers by reals, expected the same type");
      const auto found = values_of(*input);
      values.emplace_back(found.begin(), found.end());
    }
    return summed(sum, values, static_cast<std::size_t>(outputs), static_cast<std::size_t>(terms));
  };
  if (!real) {
    const auto values = all(std::uint64_t{}, [](const OnnxTensor& tensor) { return tensor.as_integers(); });
    return {OnnxTensor::of_integers(inputs[0]->type(), dims, {values.begin(), values.end()})};
  }
  const bool wide =
      std::ranges::any_of(inputs, [](const OnnxTensor* input) { return input->type() == ElementType::float64; });
  return {OnnxTensor::of_reals(wide ? ElementType::float64 : inputs[0]->type(), dims,
                               all(double{}, [](const OnnxTensor& tensor) { return tensor.as_reals(); }))};
}

}  // namespace crossgrid
