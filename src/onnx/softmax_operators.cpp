#include <algorithm>
#include <span>

#include "crossgrid/base/exponential.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

/// What lies along the axis, 1 by default before opset 13, where all axes from it on are one.
AxisView rows_of(const OnnxNode& node, const Extents& dims) {
  checked_size(node, dims);
  const std::size_t axis = checked_axis(node, node.integer("axis", node.opset < 13 ? 1 : -1), dims.size());
  AxisView view = view_at(dims, axis);
  if (node.opset < 13) view.extent *= view.inner, view.inner = 1;
  return view;
}

using Row = std::vector<double>;

void softmax(Row& row) {
  const double most = *std::ranges::max_element(row);
  double sum = 0;
  for (double& value : row) sum += value = portable_exp(value - most);
  for (double& value : row) value /= sum;
}

void log_softmax(Row& row) {
  const double most = *std::ranges::max_element(row);
  double sum = 0;
  for (const double value : row) sum += portable_exp(value - most);
  const double shift = most + portable_log(sum);
  for (double& value : row) value -= shift;
}

/// 1 at the first of the largest, 0 elsewhere.
void hardmax(Row& row) {
  const auto most = std::ranges::max_element(row) - row.begin();
  std::ranges::fill(row, 0.0);
  row[static_cast<std::size_t>(most)] = 1;
}

template <auto change>
std::vector<OnnxTensor> by_row(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const AxisView view = rows_of(node, input.dims());
  std::vector<double> values = input.as_reals();
  Row row(static_cast<std::size_t>(view.extent));
  const std::int64_t rows = values.empty() ? 0 : view.outer * view.inner;
  for (std::int64_t k = 0; k < rows; ++k) {
    double* const from = values.data() + k / view.inner * view.extent * view.inner + k % view.inner;
    for (std::int64_t at = 0; at < view.extent; ++at) row[static_cast<std::size_t>(at)] = from[at * view.inner];
    change(row);
    for (std::int64_t at = 0; at < view.extent; ++at) from[at * view.inner] = row[static_cast<std::size_t>(at)];
  }
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(values))};
}

}  // namespace

void add_softmax_operators(OnnxOperators& operators) {
  operators["Hardmax"] = by_row<hardmax>;
  operators["LogSoftmax"] = by_row<log_softmax>;
  operators["Softmax"] = by_row<softmax>;
}

}  // namespace crossgrid
