#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;
using Integers = std::vector<std::int64_t>;

/// From 0 on; negative ones count from the end.
std::int64_t checked_place(const OnnxNode& node, std::int64_t place, std::int64_t extent) {
  if (place < -extent || place >= extent) {
    throw node.error(fmt::format("has index {}, expected {} to {}", place, -extent, extent - 1));
  }
  return place < 0 ? place + extent : place;
}

Outputs gather(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& data = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), data.dims().size());
  const AxisView view = view_at(data.dims(), axis);
  Extents dims = data.dims();
  const auto at = dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(at, indices.dims().begin(), indices.dims().end());
  checked_size(node, dims);
  Integers places = indices.as_integers();
  for (std::int64_t& place : places) place = checked_place(node, place, view.extent);
  return {data.picked(std::move(dims),
                      grid_sources(view.dims(), std::vector{counted(view.outer), places, counted(view.inner)}))};
}

/// For every index: the place in a tensor of `dims` that has it along the axis and the index's own coordinates along
/// all others.
Sources element_sources(const OnnxNode& node, const Extents& dims, const OnnxTensor& indices, std::size_t axis) {
  const auto is_inside = [&](std::size_t k) { return k == axis || indices.dims()[k] <= dims[k]; };
  bool inside = indices.dims().size() == dims.size();
  for (std::size_t k = 0; inside && k < dims.size(); ++k) inside = is_inside(k);
  if (!inside) {
    throw node.error(fmt::format("has indices of {} into {}, expected no larger ones but along axis {}",
                                 extents_text(indices.dims()), extents_text(dims), axis));
  }
  Extents steps = strides_of(dims);
  const std::int64_t step = std::exchange(steps[axis], 0);
  Sources sources = strided_sources(indices.dims(), steps);
  const Integers places = indices.as_integers();
  for (std::size_t k = 0; k < places.size(); ++k) sources[k] += step * checked_place(node, places[k], dims[axis]);
  return sources;
}

Outputs gather_elements(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& data = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), data.dims().size());
  return {data.picked(indices.dims(), element_sources(node, data.dims(), indices, axis))};
}

/// The blocks that rows of indices into the leading axes `from` ... of a tensor choose.
struct Blocks {
  std::vector<std::int64_t> starts;  ///< within the axes from `from` on
  Extents dims;                      ///< of each
};

Blocks chosen_blocks(const OnnxNode& node, const Extents& dims, const OnnxTensor& indices, std::size_t from) {
  const std::int64_t depth = indices.dims().empty() ? 0 : indices.dims().back();
  if (depth < 1 || depth > static_cast<std::int64_t>(dims.size() - from)) {
    throw node.error(fmt::format("has indices of {} into {}, expected rows of 1 to {} of them",
                                 extents_text(indices.dims()), extents_text(dims), dims.size() - from));
  }
  const Extents strides = strides_of(dims);
  const Integers places = indices.as_integers();
  Blocks blocks;
  blocks.dims.assign(dims.begin() + static_cast<std::ptrdiff_t>(from) + depth, dims.end());
  for (std::size_t k = 0; k < places.size();) {
    std::int64_t start = 0;
    for (std::size_t axis = from; axis < from + static_cast<std::size_t>(depth); ++axis, ++k) {
      start += strides[axis] * checked_place(node, places[k], dims[axis]);
    }
    blocks.starts.push_back(start);
  }
  return blocks;
}

Outputs gather_blocks(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& data = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  const std::int64_t batch_axes = node.integer("batch_dims", 0);
  const auto least = static_cast<std::int64_t>(std::min(data.dims().size(), indices.dims().size()));
  if (batch_axes < 0 || batch_axes >= std::max<std::int64_t>(least, 1)) {
    throw node.error(fmt::format("has batch_dims {}, expected 0 to {}", batch_axes, least - 1));
  }
  const auto batch_end = data.dims().begin() + batch_axes;
  if (!std::equal(data.dims().begin(), batch_end, indices.dims().begin())) {
    throw node.error(fmt::format("has indices of {} into {}, expected the same first {} extents",
                                 extents_text(indices.dims()), extents_text(data.dims()), batch_axes));
  }
  const Blocks blocks = chosen_blocks(node, data.dims(), indices, static_cast<std::size_t>(batch_axes));
  Extents dims(indices.dims().begin(), indices.dims().end() - 1);
  const std::int64_t rows = element_count(dims);
  dims.insert(dims.end(), blocks.dims.begin(), blocks.dims.end());
  const auto count = static_cast<std::size_t>(checked_size(node, dims));
  const std::int64_t batches = element_count(Extents(data.dims().begin(), batch_end)),
                     block = element_count(blocks.dims);
  Sources sources;
  sources.reserve(count);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t batch = row / (rows / batches);
    const std::int64_t start = batch * (data.size() / batches) + blocks.starts[static_cast<std::size_t>(row)];
    for (std::int64_t k = 0; k < block; ++k) sources.push_back(start + k);
  }
  return {data.picked(std::move(dims), sources)};
}

template <class Number>
void accumulate(const OnnxNode& node, const std::string& reduction, std::vector<Number>& values,
                const std::vector<Number>& updates, const Sources& targets) {
  using Wrapping = std::conditional_t<std::is_same_v<Number, double>, double, std::uint64_t>;
  const bool larger = reduction == "max", smaller = reduction == "min";
  if (reduction != "add" && reduction != "mul" && !larger && !smaller) {
    throw node.error(fmt::format("has reduction '{}', expected none, add, mul, max or min", reduction));
  }
  for (std::size_t k = 0; k < targets.size(); ++k) {
    Number& value = values[static_cast<std::size_t>(targets[k])];
    if (larger || smaller) {
      if (larger ? updates[k] > value : updates[k] < value) value = updates[k];
      continue;
    }
    const auto old = static_cast<Wrapping>(value), update = static_cast<Wrapping>(updates[k]);
    value = static_cast<Number>(reduction == "add" ? old + update : old * update);
  }
}

/// The data with updates at the targets: instead of what is there, or together with it.
OnnxTensor scattered(const OnnxNode& node, const OnnxTensor& data, const OnnxTensor& updates, const Sources& targets) {
  const std::string reduction = node.text("reduction", "none");
  if (reduction == "none") {
    Sources sources = counted(data.size());
    for (std::size_t k = 0; k < targets.size(); ++k) {
      sources[static_cast<std::size_t>(targets[k])] = data.size() + static_cast<std::int64_t>(k);
    }
    return joined(node, std::vector{&data, &updates}).picked(data.dims(), sources);
  }
  const ElementType type = fitting_type(node, std::vector{&data, &updates});
  if (!is_real(type)) {
    Integers values = data.as_integers();
    accumulate(node, reduction, values, updates.as_integers(), targets);
    return OnnxTensor::of_integers(type, data.dims(), std::move(values));
  }
  std::vector<double> values = data.as_reals();
  accumulate(node, reduction, values, updates.as_reals(), targets);
  return OnnxTensor::of_reals(type, data.dims(), std::move(values));
}

Outputs scatter_elements(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& data = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  const OnnxTensor& updates = needed_input(node, inputs, 2);
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), data.dims().size());
  check_dims(node, updates, indices.dims(), "updates");
  return {scattered(node, data, updates, element_sources(node, data.dims(), indices, axis))};
}

Outputs scatter_blocks(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& data = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  const OnnxTensor& updates = needed_input(node, inputs, 2);
  const Blocks blocks = chosen_blocks(node, data.dims(), indices, 0);
  Extents expected(indices.dims().begin(), indices.dims().end() - 1);
  expected.insert(expected.end(), blocks.dims.begin(), blocks.dims.end());
  checked_size(node, expected);
  check_dims(node, updates, expected, "updates");
  const std::int64_t block = element_count(blocks.dims);
  Sources targets;
  for (const std::int64_t start : blocks.starts) {
    for (std::int64_t k = 0; k < block; ++k) targets.push_back(start + k);
  }
  return {scattered(node, data, updates, targets)};
}

Outputs compress(const OnnxNode& node, OnnxInputs inputs) {
  const bool flat = !node.has("axis");
  const OnnxTensor& given = needed_input(node, inputs, 0);
  const OnnxTensor input = flat ? given.reshaped({given.size()}) : given;
  const std::size_t axis = flat ? 0 : checked_axis(node, node.integer("axis", 0), input.dims().size());
  const OnnxTensor& condition = needed_input(node, inputs, 1);
  if (condition.type() != ElementType::boolean || condition.rank() != 1 || condition.size() > input.dims()[axis]) {
    throw node.error(fmt::format("condition is {} of {}, expected a list of bool, at most {}",
                                 extents_text(condition.dims()), type_name(condition.type()), input.dims()[axis]));
  }
  const Integers chosen = condition.as_integers();
  Sources places = counted(condition.size());
  std::erase_if(places, [&](std::int64_t place) { return !chosen[static_cast<std::size_t>(place)]; });
  Extents dims = input.dims();
  dims[axis] = static_cast<std::int64_t>(places.size());
  const AxisView view = view_at(input.dims(), axis);
  return {input.picked(std::move(dims),
                       grid_sources(view.dims(), std::vector{counted(view.outer), places, counted(view.inner)}))};
}

Outputs reverse_sequence(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::int64_t batch_axis = node.integer("batch_axis", 1), time_axis = node.integer("time_axis", 0);
  if (input.rank() < 2 || batch_axis < 0 || batch_axis > 1 || time_axis != 1 - batch_axis) {
    throw node.error(fmt::format("has batch_axis {} and time_axis {} of {}, expected 0 and 1 or 1 and 0", batch_axis,
                                 time_axis, extents_text(input.dims())));
  }
  const auto batch = static_cast<std::size_t>(batch_axis), time = static_cast<std::size_t>(time_axis);
  const OnnxTensor& given = integer_input(node, inputs, 1);
  check_dims(node, given, {input.dims()[batch]}, "sequence_lens");
  const Integers lengths = given.as_integers();
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > input.dims()[time]) {
      throw node.error(fmt::format("has a sequence of {}, expected 0 to {}", length, input.dims()[time]));
    }
  }
  const Extents strides = strides_of(input.dims());
  Sources sources = counted(input.size());
  for (std::int64_t& source : sources) {
    const std::int64_t t = source / strides[time] % input.dims()[time];
    const std::int64_t length = lengths[static_cast<std::size_t>(source / strides[batch] % input.dims()[batch])];
    if (t < length) source += (length - 1 - 2 * t) * strides[time];
  }
  return {input.picked(input.dims(), sources)};
}

Outputs triangle(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  if (input.rank() < 2) throw node.error(fmt::format("input is {}, expected matrices", extents_text(input.dims())));
  const bool upper = node.integer("upper", 1) != 0;
  std::int64_t diagonal = 0;
  if (optional_input(inputs, 1)) {
    const Integers given = integer_list(node, inputs, 1);
    if (given.size() != 1) throw node.error(fmt::format("k has {} values, expected one", given.size()));
    diagonal = std::clamp(given.front(), -most_values, most_values);
  }
  const std::int64_t columns = input.dims().back(), rows = input.dims()[input.dims().size() - 2];
  Sources sources = counted(input.size());
  for (std::int64_t& source : sources) {
    const std::int64_t above = source % columns - source / columns % rows - diagonal;
    if (upper ? above < 0 : above > 0) source = -1;
  }
  return {input.picked(input.dims(), sources)};
}

Outputs one_hot(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& indices = needed_input(node, inputs, 0);
  const OnnxTensor &depths = needed_input(node, inputs, 1), &values = needed_input(node, inputs, 2);
  if (depths.size() != 1 || values.size() != 2) {
    throw node.error(fmt::format("depth is {} and values are {}, expected one and two", extents_text(depths.dims()),
                                 extents_text(values.dims())));
  }
  const std::int64_t depth = depths.as_integers().front();
  Extents dims = indices.dims();
  const std::size_t axis = checked_axis(node, node.integer("axis", -1), dims.size() + 1);
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  Sources sources(static_cast<std::size_t>(checked_size(node, dims)), 0);
  const std::int64_t inner = view_at(dims, axis).inner;
  const Integers places = indices.as_integers();
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (places[k] < -depth || places[k] >= depth) continue;  // all off
    const auto outer = static_cast<std::int64_t>(k) / inner, rest = static_cast<std::int64_t>(k) % inner;
    const std::int64_t place = places[k] < 0 ? places[k] + depth : places[k];
    sources[static_cast<std::size_t>((outer * depth + place) * inner + rest)] = 1;
  }
  return {values.picked(std::move(dims), sources)};
}

/// One column of coordinates for every value other than 0.
Outputs nonzero(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  Sources found;
  const std::vector<double> values = input.as_reals();
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (values[k] != 0) found.push_back(static_cast<std::int64_t>(k));
  }
  const Extents strides = strides_of(input.dims());
  const auto count = static_cast<std::int64_t>(found.size());
  checked_size(node, {input.rank(), count});
  Integers coordinates;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    for (const std::int64_t place : found) coordinates.push_back(place / strides[axis] % input.dims()[axis]);
  }
  return {OnnxTensor::of_integers(ElementType::int64, {input.rank(), count}, std::move(coordinates))};
}

}  // namespace

void add_indexing_operators(OnnxOperators& operators) {
  operators["Compress"] = compress;
  operators["Gather"] = gather;
  operators["GatherElements"] = gather_elements;
  operators["GatherND"] = gather_blocks;
  operators["NonZero"] = nonzero;
  operators["OneHot"] = one_hot;
  operators["ReverseSequence"] = reverse_sequence;
  operators["Scatter"] = scatter_elements;
  operators["ScatterElements"] = scatter_elements;
  operators["ScatterND"] = scatter_blocks;
  operators["Trilu"] = triangle;
}

}  // namespace crossgrid
