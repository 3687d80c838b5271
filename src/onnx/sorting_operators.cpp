#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;
using Integers = std::vector<std::int64_t>;

/// An order of all values: what is not a number counts as more than all that are.
constexpr auto is_less = [](auto a, auto b) { return a < b || (a == a && b != b); };

/// The first `count` of the places along an axis, best value first, of equal ones the first.
template <class Value>
Sources best_places(const std::vector<Value>& values, const AxisView& view, std::int64_t count, bool largest) {
  Sources best(static_cast<std::size_t>(view.outer * count * view.inner));
  Integers order(static_cast<std::size_t>(view.extent));
  for (std::int64_t outer = 0; outer < view.outer; ++outer) {
    for (std::int64_t inner = 0; inner < view.inner; ++inner) {
      const auto value = [&](std::int64_t k) {
        return values[static_cast<std::size_t>((outer * view.extent + k) * view.inner + inner)];
      };
      std::iota(order.begin(), order.end(), 0);
      std::ranges::partial_sort(order, order.begin() + count, [&](std::int64_t a, std::int64_t b) {
        const Value x = value(a), y = value(b);
        const bool before = largest ? is_less(y, x) : is_less(x, y), behind = largest ? is_less(x, y) : is_less(y, x);
        return before || (!behind && a < b);
      });
      for (std::int64_t k = 0; k < count; ++k) {
        best[static_cast<std::size_t>((outer * count + k) * view.inner + inner)] = order[static_cast<std::size_t>(k)];
      }
    }
  }
  return best;
}

Outputs top_values(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::size_t axis = checked_axis(node, node.integer("axis", -1), input.dims().size());
  const Integers counts = optional_input(inputs, 1) ? integer_list(node, inputs, 1) : Integers{node.integer("k", -1)};
  if (counts.size() != 1 || counts.front() < 0 || counts.front() > input.dims()[axis]) {
    throw node.error(fmt::format("asks for the best {} values along an axis of {}", counts.empty() ? 0 : counts.front(),
                                 input.dims()[axis]));
  }
  const std::int64_t count = counts.front();
  const AxisView view = view_at(input.dims(), axis);
  const bool largest = node.integer("largest", 1) != 0;
  Sources places = input.real() ? best_places(input.as_reals(), view, count, largest)
                                : best_places(input.as_integers(), view, count, largest);
  Extents dims = input.dims();
  dims[axis] = count;
  Sources sources(places.size());
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto block = static_cast<std::int64_t>(k) / view.inner, inner = static_cast<std::int64_t>(k) % view.inner;
    sources[k] = (block / count * view.extent + places[k]) * view.inner + inner;
  }
  return {input.picked(dims, sources), OnnxTensor::of_integers(ElementType::int64, dims, std::move(places))};
}

/// The different rows of a matrix: where each is first, which one each row is, how many there are of each.
struct DifferentRows {
  Integers first, which, counts;
};

template <class Value>
DifferentRows different_rows(const std::vector<Value>& values, std::int64_t rows, bool sorted) {
  const std::size_t width = rows > 0 ? values.size() / static_cast<std::size_t>(rows) : 0;
  const auto row = [&](std::int64_t k) {
    return std::span(values).subspan(static_cast<std::size_t>(k) * width, width);
  };
  const auto less = [&](std::int64_t a, std::int64_t b) {
    return std::ranges::lexicographical_compare(row(a), row(b), is_less);
  };
  Integers order = counted(rows);
  std::ranges::stable_sort(order, less);
  // Equal rows are neighbours now, the first of them in front; each group is named by its first row.
  Integers leader(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const bool opens = k == 0 || less(order[k - 1], order[k]);
    leader[static_cast<std::size_t>(order[k])] = opens ? order[k] : leader[static_cast<std::size_t>(order[k - 1])];
  }
  DifferentRows different;
  for (const std::int64_t k : sorted ? order : counted(rows)) {
    if (leader[static_cast<std::size_t>(k)] == k) different.first.push_back(k);
  }
  Integers number(order.size());
  for (std::size_t k = 0; k < different.first.size(); ++k) {
    number[static_cast<std::size_t>(different.first[k])] = static_cast<std::int64_t>(k);
  }
  different.counts.assign(different.first.size(), 0);
  for (const std::int64_t first : leader) {
    different.which.push_back(number[static_cast<std::size_t>(first)]);
    ++different.counts[static_cast<std::size_t>(different.which.back())];
  }
  return different;
}

Outputs unique(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& given = needed_input(node, inputs, 0);
  const bool flat = !node.has("axis"), sorted = node.integer("sorted", 1) != 0;
  const OnnxTensor input = flat ? given.reshaped({given.size()}) : given;
  const std::size_t axis = flat ? 0 : checked_axis(node, node.integer("axis", 0), input.dims().size());
  const AxisView view = view_at(input.dims(), axis);
  const OnnxTensor rows = transposed(input.reshaped(view.dims()), std::vector<std::size_t>{1, 0, 2});
  const DifferentRows different = input.real() ? different_rows(rows.as_reals(), view.extent, sorted)
                                               : different_rows(rows.as_integers(), view.extent, sorted);
  Extents dims = input.dims();
  dims[axis] = static_cast<std::int64_t>(different.first.size());
  const Sources sources =
      grid_sources(view.dims(), std::vector{counted(view.outer), different.first, counted(view.inner)});
  const auto list = [](const Integers& values) {
    return OnnxTensor::of_integers(ElementType::int64, {static_cast<std::int64_t>(values.size())}, values);
  };
  return {input.picked(std::move(dims), sources), list(different.first), list(different.which), list(different.counts)};
}

}  // namespace

void add_sorting_operators(OnnxOperators& operators) {
  operators["TopK"] = top_values;
  operators["Unique"] = unique;
}

}  // namespace crossgrid
