#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "activations.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;
using Integers = std::vector<std::int64_t>;
using Reals = std::span<const double>;

/// A tensor cut into groups of `length` values each, one per value of the result.
struct Groups {
  OnnxTensor values;  ///< group after group
  std::int64_t count = 1, length = 1;
  Extents dims;  ///< of the result
};

Groups grouped(const OnnxNode& node, const OnnxTensor& input, const std::vector<std::size_t>& axes) {
  const bool keep = node.integer("keepdims", 1) != 0;
  Groups groups;
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < input.dims().size(); ++k) {
    const bool reduced = std::ranges::count(axes, k) > 0;
    if (!reduced) order.push_back(k);
    if (!reduced || keep) groups.dims.push_back(reduced ? 1 : input.dims()[k]);
    (reduced ? groups.length : groups.count) *= input.dims()[k];
  }
  for (std::size_t k = 0; k < input.dims().size(); ++k) {
    if (std::ranges::count(axes, k) > 0) order.push_back(k);
  }
  checked_size(node, groups.dims);
  groups.values = transposed(input, order);
  return groups;
}

/// function(a group's values) for every group.
template <class Value, class Function>
auto reduced(const std::vector<Value>& values, const Groups& groups, const Function& function) {
  std::vector<decltype(function(std::span(values)))> results;
  results.reserve(static_cast<std::size_t>(groups.count));
  const auto length = static_cast<std::size_t>(groups.length);
  for (std::size_t k = 0; k < static_cast<std::size_t>(groups.count); ++k) {
    results.push_back(function(std::span(values).subspan(k * length, length)));
  }
  return results;
}

std::vector<std::size_t> reduced_axes(const OnnxNode& node, OnnxInputs inputs, std::size_t rank) {
  const Integers given = integers_of(node, inputs, 1, "axes").value_or(Integers());
  const bool none = node.integer("noop_with_empty_axes", 0) != 0;
  const auto all = counted(static_cast<std::int64_t>(rank));
  return checked_axes(node, given.empty() && !none ? all : given, rank);
}

/// A function of reals; of integers where they stay exact with it, else through reals, cut off.
template <auto function, auto of_integers>
Outputs reduce(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const Groups groups = grouped(node, input, reduced_axes(node, inputs, input.dims().size()));
  if (!input.real()) {
    integer_input(node, inputs, 0);
    return {OnnxTensor::of_integers(
        input.type(), groups.dims, reduced(groups.values.as_integers(), groups, [&](std::span<const std::int64_t> all) {
          return of_integers(node, all);
        }))};
  }
  return {OnnxTensor::of_reals(input.type(), groups.dims, reduced(groups.values.as_reals(), groups, function))};
}

template <class Next>
double folded(Reals values, double first, const Next& next) {
  for (const double value : values) first = next(first, value);
  return first;
}

double sum(Reals values) {
  return folded(values, 0, [](double total, double x) { return total + x; });
}
double product(Reals values) {
  return folded(values, 1, [](double total, double x) { return total * x; });
}
double absolute_sum(Reals values) {
  return folded(values, 0, [](double total, double x) { return total + std::abs(x); });
}
double square_sum(Reals values) {
  return folded(values, 0, [](double total, double x) { return total + x * x; });
}
double mean(Reals values) {
  return sum(values) / static_cast<double>(values.size());
}
double length(Reals values) {
  return std::sqrt(square_sum(values));
}
double log_sum(Reals values) {
  return logarithm(sum(values));
}

/// One that is not a number wins.
double largest(Reals values) {
  constexpr double none = -std::numeric_limits<double>::infinity();
  return folded(values, none, [](double top, double x) { return x > top || x != x ? x : top; });
}
double least(Reals values) {
  constexpr double none = std::numeric_limits<double>::infinity();
  return folded(values, none, [](double bottom, double x) { return x < bottom || x != x ? x : bottom; });
}

/// Beside the largest value, which no sum overflows.
double log_sum_exp(Reals values) {
  const double top = largest(values);
  if (!std::isfinite(top)) return top;
  double total = 0;
  for (const double value : values) total += exponential(value - top);
  return top + logarithm(total);
}

/// Sums and products wrap.
template <auto term>
std::int64_t integer_sum(const OnnxNode&, std::span<const std::int64_t> values) {
  std::uint64_t total = 0;
  for (const std::int64_t value : values) total += term(static_cast<std::uint64_t>(value));
  return static_cast<std::int64_t>(total);
}

std::int64_t integer_product(const OnnxNode&, std::span<const std::int64_t> values) {
  std::uint64_t total = 1;
  for (const std::int64_t value : values) total *= static_cast<std::uint64_t>(value);
  return static_cast<std::int64_t>(total);
}

/// The one that no other is `better` than.
template <class Better>
std::int64_t integer_extreme(const OnnxNode& node, std::span<const std::int64_t> values) {
  if (values.empty()) throw node.error("reduces no values at all, of which integers have no extreme");
  return *std::ranges::min_element(values, Better{});
}

template <double (*function)(Reals)>
std::int64_t through_reals(const OnnxNode& node, std::span<const std::int64_t> values) {
  const std::vector<double> reals(values.begin(), values.end());
  const double result = function(reals);
  if (!(std::abs(result) < 0x1p63)) throw node.error(fmt::format("makes {} of integers", result));
  return static_cast<std::int64_t>(result);
}

constexpr auto same = [](std::uint64_t x) { return x; };
constexpr auto magnitude = [](std::uint64_t x) { return x >> 63 ? -x : x; };
constexpr auto square = [](std::uint64_t x) { return x * x; };

/// The place of a group's extreme: the first one's, or with select_last_index the last one's.
template <class Better>
Outputs extreme_place(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), input.dims().size());
  if (input.dims()[axis] == 0) throw node.error(fmt::format("looks along axis {}, which has no values", axis));
  const bool last = node.integer("select_last_index", 0) != 0;
  const Groups groups = grouped(node, input, {axis});
  const auto place = [&](const auto& group) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < group.size(); ++k) {
      if (Better{}(group[k], group[best]) || (last && group[k] == group[best])) best = k;
    }
    return static_cast<std::int64_t>(best);
  };
  Integers places = input.real() ? reduced(groups.values.as_reals(), groups, place)
                                 : reduced(groups.values.as_integers(), groups, place);
  return {OnnxTensor::of_integers(ElementType::int64, groups.dims, std::move(places))};
}

template <class Value>
void accumulate(std::vector<Value>& values, const AxisView& view, bool exclusive, bool reverse) {
  using Wrapping = std::conditional_t<std::is_same_v<Value, double>, double, std::uint64_t>;
  for (std::int64_t outer = 0; outer < view.outer; ++outer) {
    for (std::int64_t inner = 0; inner < view.inner; ++inner) {
      Wrapping total = 0;
      for (std::int64_t k = 0; k < view.extent; ++k) {
        const std::int64_t place = reverse ? view.extent - 1 - k : k;
        Value& value = values[static_cast<std::size_t>((outer * view.extent + place) * view.inner + inner)];
        const Wrapping before = total;
        total += static_cast<Wrapping>(value);
        value = static_cast<Value>(exclusive ? before : total);
      }
    }
  }
}

Outputs cumulative_sum(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const Integers axis = integer_list(node, inputs, 1);
  if (axis.size() != 1) throw node.error(fmt::format("has {} axes, expected one", axis.size()));
  const AxisView view = view_at(input.dims(), checked_axis(node, axis.front(), input.dims().size()));
  const bool exclusive = node.integer("exclusive", 0) != 0, reverse = node.integer("reverse", 0) != 0;
  if (!input.real()) {
    Integers values = integer_input(node, inputs, 0).as_integers();
    accumulate(values, view, exclusive, reverse);
    return {OnnxTensor::of_integers(input.type(), input.dims(), std::move(values))};
  }
  std::vector<double> values = input.as_reals();
  accumulate(values, view, exclusive, reverse);
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(values))};
}

}  // namespace

void add_reduction_operators(OnnxOperators& operators) {
  operators["ArgMax"] = extreme_place<std::greater<>>;
  operators["ArgMin"] = extreme_place<std::less<>>;
  operators["CumSum"] = cumulative_sum;
  operators["ReduceL1"] = reduce<absolute_sum, integer_sum<magnitude>>;
  operators["ReduceL2"] = reduce<length, through_reals<length>>;
  operators["ReduceLogSum"] = reduce<log_sum, through_reals<log_sum>>;
  operators["ReduceLogSumExp"] = reduce<log_sum_exp, through_reals<log_sum_exp>>;
  operators["ReduceMax"] = reduce<largest, integer_extreme<std::greater<>>>;
  operators["ReduceMean"] = reduce<mean, through_reals<mean>>;
  operators["ReduceMin"] = reduce<least, integer_extreme<std::less<>>>;
  operators["ReduceProd"] = reduce<product, integer_product>;
  operators["ReduceSum"] = reduce<sum, integer_sum<same>>;
  operators["ReduceSumSquare"] = reduce<square_sum, integer_sum<square>>;
}

}  // namespace crossgrid
