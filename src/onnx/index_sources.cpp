#include "index_sources.hpp"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace crossgrid {
namespace {

/// Every source becomes as many as there are steps, each a step further.
void branch(Sources& sources, std::span<const std::int64_t> steps) {
  if (steps.size() == 1 && steps.front() == 0) return;
  Sources branched;
  branched.reserve(sources.size() * steps.size());
  for (const std::int64_t source : sources) {
    for (const std::int64_t step : steps) branched.push_back(source < 0 || step < 0 ? -1 : source + step);
  }
  sources = std::move(branched);
}

}  // namespace

Extents strides_of(const Extents& dims) {
  Extents strides(dims.size());
  std::int64_t stride = 1;
  for (std::size_t k = dims.size(); k-- > 0; stride *= dims[k]) strides[k] = stride;
  return strides;
}

Sources strided_sources(const Extents& dims, const Extents& strides) {
  Sources sources{0};
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    Sources steps = counted(dims[axis]);
    for (std::int64_t& step : steps) step *= strides[axis];
    branch(sources, steps);
  }
  return sources;
}

Sources grid_sources(const Extents& from, std::span<const Sources> along) {
  const Extents strides = strides_of(from);
  Sources sources{0};
  for (std::size_t axis = 0; axis < along.size(); ++axis) {
    Sources steps = along[axis];
    for (std::int64_t& step : steps) step = step < 0 ? -1 : step * strides[axis];
    branch(sources, steps);
  }
  return sources;
}

Sources counted(std::int64_t count) {
  Sources sources(static_cast<std::size_t>(count));
  std::iota(sources.begin(), sources.end(), 0);
  return sources;
}

OnnxTensor transposed(const OnnxTensor& tensor, std::span<const std::size_t> order) {
  const Extents strides = strides_of(tensor.dims());
  Extents dims, steps;
  for (const std::size_t axis : order) {
    dims.push_back(tensor.dims()[axis]);
    steps.push_back(strides[axis]);
  }
  const Sources sources = strided_sources(dims, steps);
  return tensor.picked(std::move(dims), sources);
}

ElementType fitting_type(const OnnxNode& node, std::span<const OnnxTensor* const> tensors) {
  ElementType type = tensors.front()->type();
  for (const OnnxTensor* const tensor : tensors) {
    if (tensor->type() != type && !(tensor->real() && is_real(type))) {
      throw node.error(fmt::format("mixes values of {} and {}, expected one type; a Cast makes it", type_name(type),
                                   type_name(tensor->type())));
    }
    if (tensor->type() == ElementType::float64) type = ElementType::float64;
  }
  return type;
}

OnnxTensor joined(const OnnxNode& node, std::span<const OnnxTensor* const> tensors) {
  const ElementType type = fitting_type(node, tensors);
  const auto all = [&]<class Value>(std::vector<Value> (OnnxTensor::*values_of)() const) {
    std::vector<Value> values;
    for (const OnnxTensor* const tensor : tensors) {
      const std::vector<Value> more = (tensor->*values_of)();
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  };
  if (is_real(type)) {
    std::vector<double> values = all(&OnnxTensor::as_reals);
    const auto count = static_cast<std::int64_t>(values.size());
    return OnnxTensor::of_reals(type, {count}, std::move(values));
  }
  std::vector<std::int64_t> values = all(&OnnxTensor::as_integers);
  const auto count = static_cast<std::int64_t>(values.size());
  return OnnxTensor::of_integers(type, {count}, std::move(values));
}

AxisView view_at(const Extents& dims, std::size_t axis) {
  AxisView view;
  for (std::size_t k = 0; k < dims.size(); ++k) {
    (k < axis ? view.outer : k == axis ? view.extent : view.inner) *= dims[k];
  }
  return view;
}

}  // namespace crossgrid
