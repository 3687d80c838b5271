#include "onnx_lowering.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "onnx_input.hpp"

namespace crossgrid {
namespace {

/// So many times the largest result may layers and computed constants hold together, weights not counted: a small file
/// can ask for any number of them.
constexpr std::int64_t most_results = 4;

OnnxLayerValue constant_value(OnnxTensor tensor) {
  OnnxLayerValue value;
  value.dims = tensor.dims();
  value.order = row_major_order(tensor.rank());
  value.constant = std::make_shared<OnnxTensor>(std::move(tensor));
  return value;
}

std::int64_t values_held(const Operation& operation) {
  if (const auto* const copies = std::get_if<Rearrange>(&operation)) return std::ssize(copies->runs);
  std::int64_t values = 0;
  if (const auto* const tensors = std::get_if<TensorOperation>(&operation)) {
    for (const TensorOperation::Operand& operand : tensors->operands) {
      values += std::ssize(operand.sources) + (operand.constant ? operand.constant->size() : 0);
    }
  }
  return values;
}

}  // namespace

OnnxLowering::OnnxLowering(OnnxModel& model) {
  if (model.inputs.size() != 1) {
    std::vector<std::string> names;
    for (const OnnxValue& input : model.inputs) names.push_back(input.name);
    throw input_error(model.file,
                      fmt::format("has {} inputs ({}), expected one: the image", names.size(), fmt::join(names, ", ")));
  }
  for (auto& [name, tensor] : model.constants) values_[name] = constant_value(std::move(tensor));
  OnnxInput input = onnx_input(model.inputs.front(), model.file);
  network_.name = model.name;
  network_.input = input.shape;
  values_[model.inputs.front().name] = std::move(input.value);
  if (model.outputs.size() != 1) {
    throw input_error(model.file, fmt::format("has {} outputs, expected one: the logits", model.outputs.size()));
  }
  for (const OnnxNode& node : model.nodes) {
    largest_result_ = std::max(largest_result_, node.largest_result);
    for (const std::string& name : node.inputs) ++uses_[name];
    for (const std::string& name : node.outputs) makers_[name] = &node;
  }
  ++uses_[model.outputs.front().name];
}

const OnnxTensor* OnnxLowering::constant(const OnnxNode& node, std::size_t k) const {
  return node.has_input(k) ? values_.at(node.inputs[k]).constant.get() : nullptr;
}

std::vector<double> OnnxLowering::per_channel(const OnnxNode& node, std::size_t k, std::int64_t channels) const {
  if (!node.has_input(k)) return std::vector<double>(static_cast<std::size_t>(channels), 0.0);
  const OnnxTensor* const tensor = constant(node, k);
  if (tensor == nullptr) {
    throw node.error(fmt::format("input '{}' depends on the image, expected a constant", node.inputs[k]));
  }
  if (tensor->size() != channels) {
    throw node.error(fmt::format("input '{}' is {}, expected {} numbers, one per channel", node.inputs[k],
                                 extents_text(tensor->dims()), channels));
  }
  return tensor->as_reals();
}

bool OnnxLowering::used(const OnnxNode& node, std::size_t output) const {
  if (output >= node.outputs.size() || node.outputs[output].empty()) return false;
  const auto found = uses_.find(node.outputs[output]);
  return found != uses_.end() && found->second > 0;
}

void OnnxLowering::name_output(const OnnxNode& node, std::size_t output, OnnxLayerValue made) {
  if (output < node.outputs.size() && !node.outputs[output].empty()) values_[node.outputs[output]] = std::move(made);
}

void OnnxLowering::name_view(const OnnxNode& node, const OnnxLayerValue& from, std::size_t output, Extents dims,
                             std::vector<int> order) {
  OnnxLayerValue view = from;
  view.dims = std::move(dims);
  view.order = std::move(order);
  if (view.layer >= 0) shared_[static_cast<std::size_t>(view.layer)] += uses_[node.input(0)] > 1 ? 1 : 0;
  name_output(node, output, std::move(view));
}

void OnnxLowering::fold(const OnnxNode& node) {
  std::vector<const OnnxTensor*> inputs;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) inputs.push_back(constant(node, k));
  std::vector<OnnxTensor> made = evaluate(node, inputs);
  for (std::size_t k = 0; k < made.size(); ++k) {
    hold(node, made[k].size());
    name_output(node, k, constant_value(std::move(made[k])));
  }
}

void OnnxLowering::fold_shape(const OnnxNode& node) {
  const OnnxTensor like = zeros_of(ElementType::float32, value(node, 0).dims);
  const OnnxTensor* const inputs[] = {&like};
  name_output(node, 0, constant_value(evaluate(node, inputs).front()));
}

void OnnxLowering::hold(const OnnxNode& node, std::int64_t values) {
  held_ += values;
  if (held_ > most_results * largest_result_) {
    throw node.error(
        fmt::format("needs {} values more, with which layers and computed constants hold {}, expected "
                    "at most {}",
                    values, held_, most_results * largest_result_));
  }
}

std::string OnnxLowering::unique_name(std::string name) {
  while (!names_.insert({name, 0}).second) name += fmt::format("_{}", ++names_[name]);
  return name;
}

OnnxLayerValue OnnxLowering::append(const OnnxNode& node, Operation operation,
                                    const std::vector<OnnxLayerValue>& inputs, const Shape& view, Extents dims,
                                    std::vector<int> order) {
  Layer layer{unique_name(node.name), std::move(operation), {}, {}, view, {}};
  std::vector<Shape> shapes;
  for (const OnnxLayerValue& input : inputs) {
    if (input.constant) throw node.error("has an input that it does not take");
    layer.inputs.push_back(input.layer);
    shapes.push_back(view);
  }
  layer.output = output_shape(layer.operation, shapes, node.where());
  if (layer.output.size() > static_cast<std::size_t>(largest_activation) ||
      static_cast<std::int64_t>(layer.output.size()) != element_count(dims)) {
    throw node.error(fmt::format("makes {} values, expected {} and at most {}", layer.output.size(), extents_text(dims),
                                 largest_activation));
  }
  if (layer.output.size() == 0) throw node.error("makes an empty value, which is not supported");
  hold(node, values_held(layer.operation));
  if (std::holds_alternative<Conv2d>(layer.operation) || std::holds_alternative<Linear>(layer.operation)) {
    layer.grids = model_grids(node, makers_, [&](const std::string& name) {
      const auto found = values_.find(name);
      return found != values_.end() ? found->second.constant.get() : nullptr;
    });
  }
  network_.layers.push_back(std::move(layer));
  shared_.push_back(0);
  OnnxLayerValue made;
  made.layer = static_cast<int>(network_.layers.size()) - 1;
  made.dims = std::move(dims);
  made.order = std::move(order);
  made.type = inputs.front().type;
  return made;
}

OnnxLayerValue OnnxLowering::reordered(const OnnxNode& node, OnnxLayerValue value, const std::vector<int>& order) {
  if (same_memory(value.dims, value.order, order)) {
    value.order = order;
    return value;
  }
  const std::vector<std::int64_t> places = memory_places(value.dims, value.order);
  std::vector<std::int64_t> sources = elements_in_memory(value.dims, order);
  for (std::int64_t& source : sources) source = places[static_cast<std::size_t>(source)];
  const Shape view = memory_shape(value.dims, value.order), output = memory_shape(value.dims, order);
  const std::int64_t sizes[] = {element_count(value.dims)};
  return append(node, copies_of(sources, sizes, 0, view, output), {value}, view, value.dims, order);
}

OnnxLayerValue OnnxLowering::channels_last(const OnnxNode& node, const OnnxLayerValue& value) {
  return reordered(node, value, channels_last_order(value.rank()));
}

Layer* OnnxLowering::only_user_of(const OnnxNode& node, std::size_t k) {
  const OnnxLayerValue& from = value(node, k);
  const bool alone = from.layer >= 0 && uses_[node.input(k)] == 1 && shared_[static_cast<std::size_t>(from.layer)] == 0;
  return alone ? &network_.layers[static_cast<std::size_t>(from.layer)] : nullptr;
}

Network OnnxLowering::finish(const OnnxNode& end, OnnxLayerValue logits) {
  if (logits.constant) throw end.error("does not depend on the image");
  logits = reordered(end, logits, row_major_order(logits.rank()));
  const std::int64_t classes = element_count(logits.dims);
  const Shape vector{static_cast<int>(classes), 1, 1};
  if (logits.layer < 0 || network_.layers[static_cast<std::size_t>(logits.layer)].output.channels != classes) {
    // The same memory as a vector.
    Rearrange copies;
    copies.runs = {{0, 0, static_cast<std::int32_t>(classes)}};
    copies.output = vector;
    logits = append(end, std::move(copies), {logits}, memory_shape(logits.dims, logits.order), {classes}, {0});
  }
  keep_used(logits.layer);
  drop_left_grids(network_);
  network_.classes = static_cast<int>(classes);
  return std::move(network_);
}

void OnnxLowering::keep_used(int last) {
  std::vector<bool> needed(network_.layers.size(), false);
  needed[static_cast<std::size_t>(last)] = true;
  for (std::size_t k = needed.size(); k-- > 0;) {
    if (!needed[k]) continue;
    for (const int input : network_.layers[k].inputs) {
      if (input >= 0) needed[static_cast<std::size_t>(input)] = true;
    }
  }
  std::vector<int> place(needed.size(), -1);
  std::vector<Layer> kept;
  for (std::size_t k = 0; k < needed.size(); ++k) {
    if (!needed[k]) continue;
    place[k] = static_cast<int>(kept.size());
    kept.push_back(std::move(network_.layers[k]));
    for (int& input : kept.back().inputs) {
      if (input >= 0) input = place[static_cast<std::size_t>(input)];
    }
  }
  network_.layers = std::move(kept);
}

}  // namespace crossgrid
