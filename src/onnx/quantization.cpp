#include "quantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/base/rounding.hpp"
#include "index_sources.hpp"

namespace crossgrid {
namespace {

double rounded(double value) {
  return std::isnan(value) ? 0 : round_half_even(std::clamp(value, -1e10, 1e10));
}

}  // namespace

std::vector<double> spread(const OnnxNode& node, const OnnxTensor& numbers, const Extents& dims, std::size_t axis) {
  const auto size = static_cast<std::size_t>(checked_size(node, dims));
  const std::vector<double> values = numbers.as_reals();
  if (values.size() == 1) return std::vector<double>(size, values.front());
  if (axis >= dims.size() || numbers.dims() != Extents{dims[axis]}) {
    throw node.error(
        fmt::format("has scales or zero points of {} for {}, expected one, or one for each place of axis {}",
                    extents_text(numbers.dims()), extents_text(dims), axis));
  }
  std::vector<double> all(size);
  const auto inner = static_cast<std::size_t>(view_at(dims, axis).inner);
  for (std::size_t k = 0; k < size; ++k) all[k] = values[k / inner % values.size()];
  return all;
}

std::vector<double> less_zero_point(const OnnxNode& node, const OnnxTensor& integers, const OnnxTensor* zero_point,
                                    std::size_t axis) {
  std::vector<double> values = integers.as_reals();
  if (!zero_point) return values;
  const std::vector<double> zeros = spread(node, *zero_point, integers.dims(), axis);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] -= zeros[k];
  return values;
}

OnnxTensor quantized(const OnnxNode& node, ElementType type, Extents dims, std::vector<double> quotients,
                     const std::vector<double>& zero_points) {
  if (type != ElementType::int8 && type != ElementType::uint8) {
    throw node.error(fmt::format("quantizes to {}, expected int8 or uint8", type_name(type)));
  }
  const double least = type == ElementType::int8 ? -128 : 0;
  std::vector<std::int64_t> values(quotients.size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    values[k] = static_cast<std::int64_t>(std::clamp(rounded(quotients[k]) + zero_points[k], least, least + 255));
  }
  return OnnxTensor::of_integers(type, std::move(dims), std::move(values));
}

}  // namespace crossgrid
