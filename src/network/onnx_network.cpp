#include "crossgrid/network/onnx_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/onnx/onnx_limits.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "onnx_value.hpp"
#include "onnx_windows.hpp"

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

constexpr std::int64_t largest_extent = 1 << 16;
constexpr std::int64_t largest_activation = most_values;
/// The most values that layers and computed constants may hold together, weights not counted: a small file can ask for
/// any number of them.
constexpr std::int64_t most_held = 4 * most_values;

/// Operators that only move values, and how many of their first inputs are what they move (0: all).
const std::map<std::string, std::size_t>& movements() {
  static const std::map<std::string, std::size_t> table{
      {"Concat", 0},         {"DepthToSpace", 1}, {"Expand", 1}, {"Flatten", 1}, {"Gather", 1},
      {"GatherElements", 1}, {"GatherND", 1},     {"Pad", 1},    {"Reshape", 1}, {"ReverseSequence", 1},
      {"Slice", 1},          {"SpaceToDepth", 1}, {"Split", 1},  {"Squeeze", 1}, {"Tile", 1},
      {"Transpose", 1},      {"Unsqueeze", 1}};
  return table;
}

/// Operators that do the same to every element, inputs broadcast to each other.
bool elementwise(const std::string& op) {
  static const std::set<std::string> all{"Abs",
                                         "Acos",
                                         "Acosh",
                                         "Add",
                                         "Asin",
                                         "Asinh",
                                         "Atan",
                                         "Atanh",
                                         "Cast",
                                         "Ceil",
                                         "Celu",
                                         "Clip",
                                         "Cos",
                                         "Cosh",
                                         "Div",
                                         "Elu",
                                         "Equal",
                                         "Erf",
                                         "Exp",
                                         "Floor",
                                         "Greater",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "LeakyRelu",
                                         "Less",
                                         "Log",
                                         "Max",
                                         "Mean",
                                         "Min",
                                         "Mod",
                                         "Mul",
                                         "Neg",
                                         "Not",
                                         "Or",
                                         "PRelu",
                                         "Pow",
                                         "And",
                                         "Xor",
                                         "Reciprocal",
                                         "Relu",
                                         "Round",
                                         "Selu",
                                         "Shrink",
                                         "Sigmoid",
                                         "Sign",
                                         "Sin",
                                         "Sinh",
                                         "Softplus",
                                         "Softsign",
                                         "Sqrt",
                                         "Sub",
                                         "Sum",
                                         "Tan",
                                         "Tanh",
                                         "ThresholdedRelu",
                                         "Where",
                                         "GreaterOrEqual",
                                         "LessOrEqual",
                                         "IsNaN",
                                         "IsInf"};
  return all.contains(op);
}

/// Operators whose output's shape depends on values.
bool shape_from_values(const std::string& op) {
  static const std::set<std::string> all{"Compress", "ConstantOfShape", "NonZero", "Range", "Unique"};
  return all.contains(op);
}

/// Makes layers of nodes, one after the other.
class Lowering {
 public:
  explicit Lowering(OnnxModel model) : model_(std::move(model)) {}

  Network run(Extents* output) {
    for (auto& [name, tensor] : model_.constants) {
      values_[name] = constant_value(std::make_shared<OnnxTensor>(std::move(tensor)));
    }
    read_input();
    if (model_.outputs.size() != 1) {
      throw input_error(model_.file, fmt::format("has {} outputs, expected one: the logits", model_.outputs.size()));
    }
    for (const OnnxNode& node : model_.nodes) {
      for (const std::string& input : node.inputs) ++uses_[input];
    }
    ++uses_[model_.outputs.front().name];
    for (const OnnxNode& node : model_.nodes) {
      add(node);
      for (std::size_t k = 0; k < node.outputs.size(); ++k) {
        if (used(node, k) && !values_.contains(node.outputs[k])) {
          throw node.error(fmt::format("its output '{}' is used, which it does not make", node.outputs[k]));
        }
      }
    }
    if (output != nullptr) *output = values_.at(model_.outputs.front().name).dims;
    finish();
    network_.name = model_.name;
    return std::move(network_);
  }

 private:
  using Converter = void (Lowering::*)(const OnnxNode&);

  static Value constant_value(std::shared_ptr<const OnnxTensor> tensor) {
    Value value;
    value.dims = tensor->dims();
    value.order = row_major_order(tensor->rank());
    value.constant = std::move(tensor);
    return value;
  }

  void read_input() {
    if (model_.inputs.size() != 1) {
      std::vector<std::string> names;
      for (const OnnxValue& input : model_.inputs) names.push_back(input.name);
      throw input_error(model_.file, fmt::format("has {} inputs ({}), expected one: the image", names.size(),
                                                 fmt::join(names, ", ")));
    }
    const OnnxValue& input = model_.inputs.front();
    const std::string where = fmt::format("{}: input '{}'", model_.file, input.name);
    if (!input.dims || input.dims->empty()) {
      throw input_error(where,
                        "is no tensor of a known number of dimensions, expected [batch, channels, height, width], "
                        "[batch, features] or another shape of one image behind the batch");
    }
    Value image;
    image.type = input.type.value_or(ElementType::float32);
    image.dims = *input.dims;
    image.dims.front() = 1;
    for (std::size_t k = 1; k < image.dims.size(); ++k) {
      if (image.dims[k] < 1 || image.dims[k] > largest_extent) {
        throw input_error(
            where, fmt::format("dimension {} is {}, expected a size from 1 to {}: export the model with "
                               "fixed image sizes",
                               k, image.dims[k] < 0 ? "not fixed" : std::to_string(image.dims[k]), largest_extent));
      }
    }
    std::int64_t size = 1;
    for (const std::int64_t extent : image.dims) {
      if (size > largest_activation / extent) {
        throw input_error(
            where, fmt::format("is {}, expected at most {} values", extents_text(image.dims), largest_activation));
      }
      size *= extent;
    }
    // Images are kept channels last. Where the model has them so itself (Keras), they are taken as they are.
    const auto few = [&](std::size_t k) { return image.dims[k] == 1 || image.dims[k] == 3; };
    const bool channels_last = image.rank() == 4 && few(3) && !few(1);
    image.order = image.rank() == 4 && !channels_last ? channels_last_order(4) : row_major_order(image.rank());
    const auto extent = [&](std::size_t k) { return static_cast<int>(image.dims[k]); };
    if (channels_last) {
      network_.input = {extent(3), extent(1), extent(2)};
    } else if (image.rank() == 4) {
      network_.input = {extent(1), extent(2), extent(3)};
    } else if (image.rank() == 3) {
      network_.input = {1, extent(1), extent(2)};
    } else {
      network_.input = {static_cast<int>(element_count(image.dims)), 1, 1};
    }
    values_[input.name] = image;
  }

  static const std::map<std::string, Converter>& converters() {
    static const std::map<std::string, Converter> table{
        {"Add", &Lowering::add_sum},
        {"AveragePool", &Lowering::add_average_pool},
        {"BatchNormalization", &Lowering::add_batch_norm},
        {"Clip", &Lowering::add_clip},
        {"Conv", &Lowering::add_conv},
        {"ConvTranspose", &Lowering::add_conv_transpose},
        {"Div", &Lowering::add_affine},
        {"Dropout", &Lowering::pass},
        {"Gemm", &Lowering::add_gemm},
        {"GlobalAveragePool", &Lowering::add_global_average},
        {"GlobalMaxPool", &Lowering::add_global_max},
        {"Identity", &Lowering::pass},
        {"MatMul", &Lowering::add_matmul},
        {"MaxPool", &Lowering::add_max_pool},
        {"Mul", &Lowering::add_affine},
        {"ReduceMean", &Lowering::add_mean},
        {"Relu", &Lowering::add_relu},
        {"Softmax", &Lowering::add_softmax},
        {"Sub", &Lowering::add_affine},
        {"Transpose", &Lowering::add_transpose},
    };
    return table;
  }

  void add(const OnnxNode& node) {
    if (!node.domain.empty() || !onnx_operators().contains(node.op)) {
      throw node.error(
          fmt::format("operator {}{} (opset {}) is not supported; docs/onnx.md lists those that are. Export the "
                      "model without it, or rewrite it in terms of these",
                      node.domain.empty() ? "" : node.domain + ".", node.op, node.opset));
    }
    const bool constant = std::ranges::all_of(
        node.inputs, [&](const std::string& name) { return name.empty() || values_.at(name).constant; });
    if (constant) return fold(node);
    if (node.op == "Shape" || node.op == "Size") return fold_shape(node);
    if (shape_from_values(node.op)) {
      throw node.error("makes a value whose shape depends on the image, which is not supported");
    }
    if (const auto found = converters().find(node.op); found != converters().end()) {
      (this->*found->second)(node);
    } else if (movements().contains(node.op)) {
      move(node);
    } else {
      add_general(node);
    }
  }

  // Values.

  const Value& value(const OnnxNode& node, std::size_t k) const { return values_.at(node.input(k)); }
  const OnnxTensor* constant(const OnnxNode& node, std::size_t k) const {
    return node.has_input(k) ? values_.at(node.inputs[k]).constant.get() : nullptr;
  }
  bool used(const OnnxNode& node, std::size_t output) const {
    if (output >= node.outputs.size() || node.outputs[output].empty()) return false;
    const auto found = uses_.find(node.outputs[output]);
    return found != uses_.end() && found->second > 0;
  }
  void name_output(const OnnxNode& node, std::size_t output, Value made) {
    if (output < node.outputs.size() && !node.outputs[output].empty()) values_[node.outputs[output]] = std::move(made);
  }
  /// The layer that makes an input, where nothing else uses what it makes: it can take in what follows.
  Layer* only_user_of(const OnnxNode& node, std::size_t k) {
    const Value& from = value(node, k);
    const bool alone =
        from.layer >= 0 && uses_[node.input(k)] == 1 && shared_[static_cast<std::size_t>(from.layer)] == 0;
    return alone ? &network_.layers[static_cast<std::size_t>(from.layer)] : nullptr;
  }

  // What needs no image.

  void fold(const OnnxNode& node) {
    std::vector<const OnnxTensor*> inputs;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) inputs.push_back(constant(node, k));
    std::vector<OnnxTensor> made = evaluate(node, inputs);
    for (std::size_t k = 0; k < made.size(); ++k) {
      hold(node, made[k].size());
      name_output(node, k, constant_value(std::make_shared<OnnxTensor>(std::move(made[k]))));
    }
  }

  void hold(const OnnxNode& node, std::int64_t values) {
    held_ += values;
    if (held_ > most_held) {
      throw node.error(
          fmt::format("needs {} values more, with which layers and computed constants hold {}, expected "
                      "at most {}",
                      values, held_, most_held));
    }
  }

  static std::int64_t values_held(const Operation& operation) {
    if (const auto* const copies = std::get_if<Rearrange>(&operation)) return std::ssize(copies->runs);
    std::int64_t values = 0;
    if (const auto* const tensors = std::get_if<TensorOperation>(&operation)) {
      for (const TensorOperation::Operand& operand : tensors->operands) {
        values += std::ssize(operand.sources) + (operand.constant ? operand.constant->size() : 0);
      }
    }
    return values;
  }

  void fold_shape(const OnnxNode& node) {
    const OnnxTensor like = zeros_of(ElementType::float32, value(node, 0).dims);
    const OnnxTensor* const inputs[] = {&like};
    name_output(node, 0, constant_value(std::make_shared<OnnxTensor>(evaluate(node, inputs).front())));
  }

  // Layers.

  std::string unique_name(std::string name) {
    while (!names_.insert({name, 0}).second) name += fmt::format("_{}", ++names_[name]);
    return name;
  }

  /// view: how the layer sees its first input.
  Value append(const OnnxNode& node, Operation operation, const std::vector<Value>& inputs, const Shape& view,
               Extents dims, std::vector<int> order) {
    Layer layer{unique_name(node.name), std::move(operation), {}, {}, view};
    std::vector<Shape> shapes;
    for (const Value& input : inputs) {
      if (input.constant) throw node.error("has an input that it does not take");
      layer.inputs.push_back(input.layer);
      shapes.push_back(view);
    }
    layer.output = output_shape(layer.operation, shapes, node.where());
    if (layer.output.size() > static_cast<std::size_t>(largest_activation) ||
        static_cast<std::int64_t>(layer.output.size()) != element_count(dims)) {
      throw node.error(fmt::format("makes {} values, expected {} and at most {}", layer.output.size(),
                                   extents_text(dims), largest_activation));
    }
    if (layer.output.size() == 0) throw node.error("makes an empty value, which is not supported");
    hold(node, values_held(layer.operation));
    network_.layers.push_back(std::move(layer));
    shared_.push_back(0);
    Value made;
    made.layer = static_cast<int>(network_.layers.size()) - 1;
    made.dims = std::move(dims);
    made.order = std::move(order);
    made.type = inputs.front().type;
    return made;
  }

  /// The same value with memory in another order: copied only where that differs.
  Value reordered(const OnnxNode& node, Value value, const std::vector<int>& order) {
    if (same_memory(value.dims, value.order, order)) {
      value.order = order;
      return value;
    }
    const Shape from = memory_shape(value.dims, value.order), to = memory_shape(value.dims, order);
    const bool flattened = value.rank() == 4 && order == row_major_order(4) && value.order == channels_last_order(4);
    if (flattened && value.dims[0] == 1) return append(node, Flatten{}, {value}, from, value.dims, order);
    const std::vector<std::int64_t> places = memory_places(value.dims, value.order);
    std::vector<std::int64_t> sources = elements_in_memory(value.dims, order);
    for (std::int64_t& source : sources) source = places[static_cast<std::size_t>(source)];
    const std::int64_t sizes[] = {element_count(value.dims)};
    Rearrange copies = rearrange_of(sources, sizes, 0);
    copies.output = to;
    return append(node, std::move(copies), {value}, from, value.dims, order);
  }
  Value channels_last(const OnnxNode& node, const Value& value) {
    return reordered(node, value, channels_last_order(value.rank()));
  }

  /// The order with a dimension moved to its end.
  static std::vector<int> with_last(std::vector<int> order, int dimension) {
    std::erase(order, dimension);
    order.push_back(dimension);
    return order;
  }

  /// A layer of channels-last images: the batch must be one.
  void expect_one_image(const OnnxNode& node, const Value& value) const {
    if (value.dims.front() != 1) {
      throw node.error(fmt::format("has an input of {}, expected the batch, of one image, in the first dimension",
                                   extents_text(value.dims)));
    }
  }

  void pass(const OnnxNode& node) {
    const Value from = value(node, 0);
    name_view(node, from, 0, from.dims, from.order);
    const OnnxTensor* const training = node.op == "Dropout" ? constant(node, 2) : nullptr;
    if (used(node, 1) || (training != nullptr && training->size() > 0 && training->as_reals().front() != 0)) {
      throw node.error("drops values or hands out which, as in training: export the model for inference");
    }
  }

  /// The same memory under another shape or name.
  void name_view(const OnnxNode& node, const Value& from, std::size_t output, Extents dims, std::vector<int> order) {
    Value view = from;
    view.dims = std::move(dims);
    view.order = std::move(order);
    if (view.layer >= 0) shared_[static_cast<std::size_t>(view.layer)] += uses_[node.input(0)] > 1 ? 1 : 0;
    name_output(node, output, std::move(view));
  }

  // Data movement.

  void add_transpose(const OnnxNode& node) {
    const Value& from = value(node, 0);
    std::vector<std::int64_t> reversed;
    for (int d = from.rank(); d-- > 0;) reversed.push_back(d);
    const std::vector<std::int64_t> perm = node.integers("perm", reversed);
    std::vector<int> place(static_cast<std::size_t>(from.rank()), -1);
    if (perm.size() != place.size()) throw node.error("perm has not one entry for each dimension of its input");
    Extents dims;
    for (std::size_t k = 0; k < perm.size(); ++k) {
      if (perm[k] < 0 || perm[k] >= from.rank() || place[static_cast<std::size_t>(perm[k])] >= 0) {
        throw node.error(fmt::format("perm [{}] is no permutation", fmt::join(perm, ", ")));
      }
      place[static_cast<std::size_t>(perm[k])] = static_cast<int>(k);
      dims.push_back(from.dims[static_cast<std::size_t>(perm[k])]);
    }
    std::vector<int> order;
    for (const int d : from.order) order.push_back(place[static_cast<std::size_t>(d)]);
    name_view(node, from, 0, std::move(dims), std::move(order));
  }

  /// Where each value comes from is found by moving the places themselves.
  void move(const OnnxNode& node) {
    const std::size_t moved = movements().at(node.op) == 0 ? node.inputs.size() : movements().at(node.op);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (node.inputs[k].empty()) continue;
      const bool is_constant = constant(node, k) != nullptr;
      if (is_constant && k < moved) return add_general(node);
      if (!is_constant && k >= moved) {
        throw node.error(fmt::format("input '{}' depends on the image, expected a constant", node.inputs[k]));
      }
    }
    OnnxNode numbered = node;
    const float fill = use_fill_number(numbered);
    std::vector<Value> from;
    std::vector<OnnxTensor> tensors;
    tensors.reserve(node.inputs.size());
    std::vector<std::int64_t> sizes;
    std::int64_t first = 0;
    std::vector<const OnnxTensor*> inputs;
    const OnnxTensor minus_one = OnnxTensor::of_integers(ElementType::int64, {}, {-1});
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (k >= moved || node.inputs[k].empty()) {
        inputs.push_back(node.op == "Pad" && k == 2 ? &minus_one : constant(node, k));
        continue;
      }
      from.push_back(value(node, k));
      std::vector<std::int64_t> places = memory_places(from.back().dims, from.back().order);
      for (std::int64_t& place : places) place += first;
      sizes.push_back(static_cast<std::int64_t>(places.size()));
      first += sizes.back();
      if (first > largest_activation) throw node.error(fmt::format("moves more than {} values", largest_activation));
      tensors.push_back(OnnxTensor::of_integers(ElementType::int64, from.back().dims, std::move(places)));
      inputs.push_back(&tensors.back());
    }
    if (node.op == "Pad" && node.opset >= 11 && inputs.size() == 2) inputs.push_back(&minus_one);
    const std::vector<OnnxTensor> made = evaluate(numbered, inputs);
    for (std::size_t k = 0; k < made.size(); ++k) {
      if (used(node, k)) name_moved(node, k, made[k], from, sizes, fill);
    }
  }

  /// Padding becomes the place -1; what it stands for is returned.
  float use_fill_number(OnnxNode& node) const {
    if (node.op != "Pad") return 0;
    if (node.opset < 11) {
      const auto value = static_cast<float>(node.number("value", 0));
      node.attributes["value"] = -1.0f;
      return value;
    }
    const OnnxTensor* const given = constant(node, 2);
    if (node.inputs.size() < 3) node.inputs.resize(3);
    node.inputs[2] = "fill";
    return given != nullptr && given->size() == 1 ? static_cast<float>(given->as_reals().front()) : 0.0f;
  }

  void name_moved(const OnnxNode& node, std::size_t output, const OnnxTensor& places, const std::vector<Value>& from,
                  const std::vector<std::int64_t>& sizes, float fill) {
    const Value& first = from.front();
    const Extents& dims = places.dims();
    std::vector<int> order = row_major_order(places.rank());
    if (places.rank() == first.rank() && first.order == channels_last_order(first.rank())) order = first.order;
    const std::vector<std::int64_t> elements = elements_in_memory(dims, order), found = places.as_integers();
    std::vector<std::int64_t> sources;
    sources.reserve(elements.size());
    for (const std::int64_t element : elements) sources.push_back(found[static_cast<std::size_t>(element)]);
    std::int64_t place = 0;
    const bool same = from.size() == 1 && static_cast<std::int64_t>(sources.size()) == sizes.front() &&
                      std::ranges::all_of(sources, [&](std::int64_t source) { return source == place++; });
    if (same) return name_view(node, first, output, dims, order);
    const bool flattened = node.outputs.size() == 1 && from.size() == 1 && first.order == channels_last_order(4) &&
                           first.dims.front() == 1 && order == row_major_order(places.rank()) &&
                           found == memory_places(first.dims, first.order);
    if (flattened) {
      const Value flat = reordered(node, first, row_major_order(4));
      Value view = flat;
      view.dims = dims, view.order = order;
      return name_output(node, output, std::move(view));
    }
    Rearrange copies = rearrange_of(sources, sizes, fill);
    copies.output = memory_shape(dims, order);
    name_output(node, output,
                append(node, std::move(copies), from, memory_shape(first.dims, first.order), dims, order));
  }

  // Products.

  static Matrix* weights_of(Layer& layer) {
    if (auto* conv = std::get_if<Conv2d>(&layer.operation)) return &conv->weights;
    if (auto* linear = std::get_if<Linear>(&layer.operation)) return &linear->weights;
    return nullptr;
  }
  static std::vector<float>& bias_of(Layer& layer) {
    auto* conv = std::get_if<Conv2d>(&layer.operation);
    return conv ? conv->bias : std::get<Linear>(layer.operation).bias;
  }

  static std::vector<float> floats_of(const OnnxTensor& tensor) {
    if (const auto* const floats = tensor.floats()) return *floats;
    const std::vector<double> values = tensor.as_reals();
    return {values.begin(), values.end()};
  }
  /// An input of one number per channel; zeros where it is left out.
  std::vector<double> per_channel(const OnnxNode& node, std::size_t k, std::int64_t channels) const {
    if (!node.has_input(k)) return std::vector<double>(static_cast<std::size_t>(channels), 0.0);
    const OnnxTensor* const tensor = constant(node, k);
    if (tensor == nullptr)
      throw node.error(fmt::format("input '{}' depends on the image, expected a constant", node.inputs[k]));
    if (tensor->size() != channels) {
      throw node.error(fmt::format("input '{}' is {}, expected {} numbers, one per channel", node.inputs[k],
                                   extents_text(tensor->dims()), channels));
    }
    return tensor->as_reals();
  }

  void add_conv(const OnnxNode& node) {
    const Value& from = value(node, 0);
    const OnnxTensor* const weights = constant(node, 1);
    const bool planar = from.rank() == 3 || from.rank() == 4;
    if (weights == nullptr || from.constant || !planar) return add_general(node);
    if (weights->rank() != from.rank() || element_count(weights->dims()) == 0) {
      throw node.error(
          fmt::format("has weights of {} for an input of {}", extents_text(weights->dims()), extents_text(from.dims)));
    }
    expect_one_image(node, from);
    const Value image = channels_last(node, from);
    Conv2d conv;
    conv.window = read_window(node, from.dims, weights->dims());
    conv.groups = static_cast<int>(node.integer("group", 1));
    const auto outputs = static_cast<Eigen::Index>(weights->dims()[0]);
    if (conv.groups < 1 || node.integer("group", 1) != conv.groups || from.dims[1] % conv.groups != 0 ||
        outputs % conv.groups != 0 || weights->dims()[1] * conv.groups != from.dims[1]) {
      throw node.error(fmt::format("has weights of {} in {} groups, which do not fit its input of {}",
                                   extents_text(weights->dims()), node.integer("group", 1), extents_text(from.dims)));
    }
    const std::vector<float> values = floats_of(*weights);
    conv.weights = Eigen::Map<const Matrix>(values.data(), outputs, weights->size() / outputs);
    const std::vector<double> bias = per_channel(node, 2, outputs);
    conv.bias.assign(bias.begin(), bias.end());
    append_conv(node, std::move(conv), image);
  }

  void append_conv(const OnnxNode& node, Conv2d conv, const Value& image) {
    Extents dims = image.dims;
    dims[1] = conv.weights.rows();
    const Shape view = memory_shape(image.dims, image.order);
    const Shape shapes[] = {view};
    const Operation operation = std::move(conv);
    const Shape out = output_shape(operation, shapes, node.where());
    dims.back() = out.width;
    if (image.rank() == 4) dims[2] = out.height;
    name_output(node, 0, append(node, operation, {image}, view, dims, image.order));
  }

  /// A convolution over the image with zeros between its pixels.
  void add_conv_transpose(const OnnxNode& node) {
    const Value& from = value(node, 0);
    const OnnxTensor* const weights = constant(node, 1);
    if (weights == nullptr || from.constant || (from.rank() != 3 && from.rank() != 4)) return add_general(node);
    if (weights->rank() != from.rank() || element_count(weights->dims()) == 0) {
      throw node.error(
          fmt::format("has weights of {} for an input of {}", extents_text(weights->dims()), extents_text(from.dims)));
    }
    expect_one_image(node, from);
    const Value image = channels_last(node, from);
    const SpreadWindow spread = read_spread_window(node, from.dims, weights->dims());
    const auto groups = static_cast<int>(node.integer("group", 1));
    const std::int64_t inputs = weights->dims()[0], of_group = weights->dims()[1];
    if (groups < 1 || inputs != from.dims[1] || inputs % groups != 0) {
      throw node.error(fmt::format("has weights of {} in {} groups, which do not fit its input of {}",
                                   extents_text(weights->dims()), groups, extents_text(from.dims)));
    }
    Extents dims = from.dims;
    if (from.rank() == 4) dims[2] = spread.vertical.extent;
    dims.back() = spread.horizontal.extent;
    if (element_count(dims) > largest_activation) throw node.error("makes too large an image");
    std::vector<std::int64_t> sources;
    for (std::int64_t y = 0; y < spread.vertical.extent; ++y) {
      for (std::int64_t x = 0; x < spread.horizontal.extent; ++x) {
        const std::int64_t row = spread.vertical.source(y), column = spread.horizontal.source(x);
        const std::int64_t pixel = row < 0 || column < 0 ? -1 : row * spread.horizontal.input + column;
        for (std::int64_t c = 0; c < inputs; ++c) sources.push_back(pixel < 0 ? -1 : pixel * inputs + c);
      }
    }
    const std::int64_t sizes[] = {element_count(from.dims)};
    Rearrange copies = rearrange_of(sources, sizes, 0);
    copies.output = memory_shape(dims, image.order);
    const Value wide =
        append(node, std::move(copies), {image}, memory_shape(image.dims, image.order), dims, image.order);
    Conv2d conv;
    conv.groups = groups;
    conv.window = spread.window;
    const std::int64_t outputs = of_group * groups, kernel = conv.window.size(), in_group = inputs / groups;
    const std::vector<float> values = floats_of(*weights);
    conv.weights.resize(outputs, in_group * kernel);
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < in_group; ++i) {
        for (std::int64_t k = 0; k < kernel; ++k) {
          const std::int64_t source =
              ((o / of_group * in_group + i) * of_group + o % of_group) * kernel + kernel - 1 - k;
          conv.weights(o, i * kernel + k) = values[static_cast<std::size_t>(source)];
        }
      }
    }
    const std::vector<double> bias = per_channel(node, 2, outputs);
    conv.bias.assign(bias.begin(), bias.end());
    append_conv(node, std::move(conv), wide);
  }

  /// Vectors times a matrix: the last dimension of `from` is the matrix's inputs. weights: outputs x inputs.
  Value multiply(const OnnxNode& node, Value from, Matrix weights, std::vector<float> bias) {
    if (from.dims.back() != weights.cols()) {
      throw node.error(fmt::format("multiplies {} by a matrix of {} inputs", extents_text(from.dims), weights.cols()));
    }
    const std::vector<int> order = with_last(from.order, from.rank() - 1);
    from = reordered(node, from, same_memory(from.dims, from.order, order) ? order : row_major_order(from.rank()));
    if (bias.empty()) bias.assign(static_cast<std::size_t>(weights.rows()), 0.0f);
    const std::int64_t vectors = element_count(from.dims) / std::max<std::int64_t>(from.dims.back(), 1);
    const Shape view{static_cast<int>(from.dims.back()), 1, static_cast<int>(vectors)};
    Extents dims = from.dims;
    dims.back() = weights.rows();
    Operation operation;
    if (vectors == 1) {
      operation = Linear{std::move(weights), std::move(bias)};
    } else {
      operation = Conv2d{Window{}, 1, std::move(weights), std::move(bias)};
    }
    return append(node, std::move(operation), {from}, view, dims, from.order);
  }

  static Value transposed(Value value) {
    const auto last = static_cast<std::size_t>(value.rank()) - 1;
    std::swap(value.dims[last], value.dims[last - 1]);
    for (int& d : value.order) {
      if (d >= value.rank() - 2) d = d == value.rank() - 1 ? value.rank() - 2 : value.rank() - 1;
    }
    return value;
  }

  Matrix matrix_of(const OnnxTensor& tensor) const {
    const std::vector<float> values = floats_of(tensor);
    return Eigen::Map<const Matrix>(values.data(), tensor.dims()[0], tensor.dims()[1]);
  }

  void add_gemm(const OnnxNode& node) {
    const Value a = value(node, 0), b = value(node, 1);
    const OnnxTensor* const c = constant(node, 2);
    const bool by_weights = static_cast<bool>(a.constant) != static_cast<bool>(b.constant);
    if (!by_weights || a.rank() != 2 || b.rank() != 2 || (node.has_input(2) && c == nullptr)) return add_general(node);
    const bool swapped = static_cast<bool>(a.constant);
    const bool turn_a = node.integer("transA", 0) != 0, turn_b = node.integer("transB", 0) != 0;
    // x W + c, or (W x + c) as (x' W' + c')'.
    Value x = swapped ? b : a;
    if (swapped ? !turn_b : turn_a) x = transposed(x);
    Matrix weights = matrix_of(swapped ? *a.constant : *b.constant);
    if (swapped ? turn_a : !turn_b) weights.transposeInPlace();
    weights *= static_cast<float>(node.number("alpha", 1));
    const std::int64_t outputs = weights.rows(), vectors = x.dims[0];
    std::vector<float> bias;
    if (c != nullptr) {
      // One number for each output, whichever side the outputs are on.
      Extents wide = c->dims();
      while (wide.size() < 2) wide.insert(wide.begin(), 1);
      const bool fits = c->size() == 1 || (c->size() == outputs && wide[swapped ? 0 : 1] == outputs) ||
                        (vectors == 1 && c->size() == outputs);
      if (!fits || wide.size() > 2) return add_general(node);
      const std::vector<double> added = c->as_reals();
      const double beta = node.number("beta", 1);
      for (std::int64_t j = 0; j < outputs; ++j) {
        bias.push_back(static_cast<float>(beta * added[static_cast<std::size_t>(c->size() == 1 ? 0 : j)]));
      }
    }
    const Value made = multiply(node, x, std::move(weights), std::move(bias));
    name_output(node, 0, swapped ? transposed(made) : made);
  }

  void add_matmul(const OnnxNode& node) {
    const Value a = value(node, 0), b = value(node, 1);
    const bool by_weights = static_cast<bool>(a.constant) != static_cast<bool>(b.constant);
    const Value &weights = a.constant ? a : b, &x = a.constant ? b : a;
    if (!by_weights || weights.rank() != 2 || x.rank() < 2) return add_general(node);
    if (b.constant) {
      name_output(node, 0, multiply(node, x, matrix_of(*b.constant).transpose(), {}));
    } else {
      name_output(node, 0, transposed(multiply(node, transposed(x), matrix_of(*a.constant), {})));
    }
  }

  // Scales and shifts.

  /// A constant as one number per channel of `like`'s memory (its fastest dimension), or one for all. Empty: it is
  /// neither.
  std::vector<float> channel_constant(const OnnxTensor& tensor, const Value& like) const {
    if (like.rank() == 0) return {};
    const auto channels = static_cast<std::size_t>(like.dims[static_cast<std::size_t>(like.order.back())]);
    std::vector<float> values = floats_of(tensor);
    if (tensor.rank() > like.rank()) return {};
    if (values.size() == 1) return std::vector<float>(channels, values.front());
    Extents dims(static_cast<std::size_t>(like.rank() - tensor.rank()), 1);
    dims.insert(dims.end(), tensor.dims().begin(), tensor.dims().end());
    const bool along = values.size() == channels &&
                       dims[static_cast<std::size_t>(like.order.back())] == static_cast<std::int64_t>(channels);
    return along ? values : std::vector<float>{};
  }

  /// Into the product before it, else a layer of its own.
  void scale_and_shift(const OnnxNode& node, std::size_t input, const std::vector<double>& scale,
                       const std::vector<double>& shift) {
    const Value from = value(node, input);
    Layer* const product = only_user_of(node, input);
    if (product != nullptr && weights_of(*product) != nullptr &&
        weights_of(*product)->rows() == static_cast<Eigen::Index>(scale.size()) &&
        product->output.channels == static_cast<int>(from.dims[static_cast<std::size_t>(from.order.back())])) {
      Matrix& weights = *weights_of(*product);
      std::vector<float>& bias = bias_of(*product);
      for (Eigen::Index j = 0; j < weights.rows(); ++j) {
        const auto at = static_cast<std::size_t>(j);
        if (scale[at] != 1) weights.row(j) = (scale[at] * weights.row(j).cast<double>()).cast<float>();
        bias[at] = static_cast<float>(static_cast<double>(bias[at]) * scale[at] + shift[at]);
      }
      return name_output(node, 0, from);
    }
    const ChannelAffine affine{{scale.begin(), scale.end()}, {shift.begin(), shift.end()}};
    const Shape view{static_cast<int>(scale.size()), 1,
                     static_cast<int>(element_count(from.dims) / static_cast<std::int64_t>(scale.size()))};
    name_output(node, 0, append(node, affine, {from}, view, from.dims, from.order));
  }

  void add_batch_norm(const OnnxNode& node) {
    Value from = value(node, 0);
    if (from.constant || from.rank() < 2 || node.integer("training_mode", 0) != 0) return add_general(node);
    for (std::size_t k = 1; k < 5; ++k) {
      if (constant(node, k) == nullptr) return add_general(node);
    }
    const std::int64_t channels = from.dims[1];
    const auto scale = per_channel(node, 1, channels), shift = per_channel(node, 2, channels);
    const auto mean = per_channel(node, 3, channels), variance = per_channel(node, 4, channels);
    if (from.order.back() != 1) {
      from = channels_last(node, from);
      values_[node.input(0)] = from;
    }
    std::vector<double> factor, offset;
    for (std::size_t c = 0; c < scale.size(); ++c) {
      factor.push_back(scale[c] / std::sqrt(variance[c] + node.number("epsilon", 1e-5F)));
      offset.push_back(shift[c] - mean[c] * factor.back());
    }
    scale_and_shift(node, 0, factor, offset);
  }

  /// x + c, x - c, c - x, x * c, x / c with one number per channel.
  void add_affine(const OnnxNode& node) {
    if (node.inputs.size() != 2) return add_general(node);
    const bool second = constant(node, 1) != nullptr;
    const OnnxTensor* const tensor = second ? constant(node, 1) : constant(node, 0);
    if (tensor == nullptr || (node.op == "Div" && !second)) return add_general(node);
    const std::size_t from = second ? 0 : 1;
    const std::vector<float> numbers = channel_constant(*tensor, value(node, from));
    if (numbers.empty()) return add_general(node);
    std::vector<double> scale(numbers.size(), 1.0), shift(numbers.size(), 0.0);
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      const auto number = static_cast<double>(numbers[c]);
      if (node.op == "Mul") scale[c] = number;
      if (node.op == "Div") scale[c] = 1 / number;
      if (node.op == "Add") shift[c] = number;
      if (node.op == "Sub") shift[c] = second ? -number : number;
      if (node.op == "Sub" && !second) scale[c] = -1;
    }
    scale_and_shift(node, from, scale, shift);
  }

  void add_sum(const OnnxNode& node) {
    if (node.inputs.size() != 2 || constant(node, 0) != nullptr || constant(node, 1) != nullptr)
      return add_affine(node);
    const Value a = value(node, 0), b = value(node, 1);
    if (a.dims != b.dims) return add_general(node);
    const Value second = reordered(node, b, a.order);
    name_output(node, 0, append(node, Add{}, {a, second}, memory_shape(a.dims, a.order), a.dims, a.order));
  }

  // Element by element.

  void add_clamp(const OnnxNode& node, const Clamp& clamp) {
    const Value from = value(node, 0);
    name_output(node, 0, append(node, clamp, {from}, memory_shape(from.dims, from.order), from.dims, from.order));
  }
  void add_relu(const OnnxNode& node) { add_clamp(node, {}); }
  void add_clip(const OnnxNode& node) {
    Clamp clamp = no_clamp;
    const std::pair<const char*, float*> ends[] = {{"min", &clamp.low}, {"max", &clamp.high}};
    for (std::size_t k = 0; k < 2; ++k) {
      if (node.has_input(k + 1)) {
        const OnnxTensor* const limit = constant(node, k + 1);
        if (limit == nullptr || limit->size() != 1) return add_general(node);
        *ends[k].second = static_cast<float>(limit->as_reals().front());
      } else {
        *ends[k].second = static_cast<float>(node.number(ends[k].first, static_cast<double>(*ends[k].second)));
      }
    }
    if (!(clamp.low <= clamp.high)) return add_general(node);
    add_clamp(node, clamp);
  }

  void add_softmax(const OnnxNode& node) {
    const Value from = value(node, 0);
    std::int64_t axis = node.integer("axis", node.opset < 13 ? 1 : -1);
    if (axis < 0) axis += from.rank();
    if (axis < 0 || axis >= from.rank()) throw node.error(fmt::format("has no axis {}", node.integer("axis", -1)));
    // Before opset 13 it is over all dimensions from the axis on.
    std::int64_t behind = 1;
    for (int d = static_cast<int>(axis) + 1; d < from.rank(); ++d) behind *= from.dims[static_cast<std::size_t>(d)];
    const std::vector<int> order = with_last(from.order, static_cast<int>(axis));
    if (!same_memory(from.dims, from.order, order) || (node.opset < 13 && behind != 1)) return add_general(node);
    name_output(node, 0, append(node, Softmax{}, {from}, memory_shape(from.dims, order), from.dims, order));
  }

  // Pools.

  template <class Pool>
  void add_pool(const OnnxNode& node, Pool pool) {
    const Value image = channels_last(node, value(node, 0));
    Extents dims = image.dims;
    const Shape view = memory_shape(image.dims, image.order);
    if (image.rank() == 4) dims[2] = pool.window.vertical.windows(view.height);
    dims.back() = pool.window.horizontal.windows(view.width);
    name_output(node, 0, append(node, pool, {image}, view, dims, image.order));
  }
  bool pools_images(const OnnxNode& node) const {
    const Value& from = value(node, 0);
    return (from.rank() == 3 || from.rank() == 4) && from.dims[0] == 1 && !used(node, 1);
  }
  void add_max_pool(const OnnxNode& node) {
    const auto window = pools_images(node) ? read_pool_window(node, value(node, 0).dims) : std::nullopt;
    if (!window) return add_general(node);
    add_pool(node, MaxPool2d{*window});
  }
  void add_average_pool(const OnnxNode& node) {
    const auto window = pools_images(node) ? read_pool_window(node, value(node, 0).dims) : std::nullopt;
    const bool counts = node.integer("count_include_pad", 0) != 0;
    if (!window || (counts && node.integer("ceil_mode", 0) != 0)) return add_general(node);
    add_pool(node, AvgPool2d{*window, counts});
  }
  void add_global_average(const OnnxNode& node) {
    if (!pools_images(node)) return add_general(node);
    append_mean(node, true);
  }
  void append_mean(const OnnxNode& node, bool keep) {
    const Value image = channels_last(node, value(node, 0));
    const Shape view = memory_shape(image.dims, image.order);
    Extents dims{1, image.dims[1]};
    if (keep) dims.resize(image.dims.size(), 1);
    std::vector<int> order = keep ? image.order : row_major_order(2);
    name_output(node, 0, append(node, GlobalAvgPool{}, {image}, view, dims, std::move(order)));
  }
  void add_global_max(const OnnxNode& node) {
    if (!pools_images(node)) return add_general(node);
    const Extents& dims = value(node, 0).dims;
    MaxPool2d pool{Window{}};
    if (dims.size() == 4) pool.window.vertical.kernel = static_cast<int>(dims[2]);
    pool.window.horizontal.kernel = static_cast<int>(dims.back());
    add_pool(node, pool);
  }
  /// Over all pixels it is a global average pool.
  void add_mean(const OnnxNode& node) {
    const Value& from = value(node, 0);
    std::vector<std::int64_t> axes = node.integers("axes", {});
    if (const OnnxTensor* const given = constant(node, 1)) axes = given->as_integers();
    for (std::int64_t& axis : axes) axis += axis < 0 ? from.rank() : 0;
    std::ranges::sort(axes);
    std::vector<std::int64_t> pixels(from.rank() > 2 ? static_cast<std::size_t>(from.rank()) - 2 : 0);
    std::iota(pixels.begin(), pixels.end(), 2);
    if (!pools_images(node) || axes != pixels) return add_general(node);
    append_mean(node, node.integer("keepdims", 1) != 0);
  }

  // Anything else.

  static OnnxTensor zeros_of(ElementType type, const Extents& dims) {
    return OnnxTensor::of_floats(dims, std::vector<float>(static_cast<std::size_t>(element_count(dims)), 0.0f))
        .cast(type);
  }

  void add_general(const OnnxNode& node) {
    if (elementwise(node.op)) return add_elementwise(node);
    TensorOperation operation;
    operation.node = std::make_shared<OnnxNode>(node);
    std::vector<Value> from;
    std::vector<OnnxTensor> zeros;
    zeros.reserve(node.inputs.size());
    std::vector<const OnnxTensor*> inputs;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      TensorOperation::Operand operand;
      if (node.has_input(k)) {
        const Value& input = value(node, k);
        if (input.constant) {
          operand.constant = *input.constant;
          inputs.push_back(input.constant.get());
        } else {
          operand.input = static_cast<int>(from.size());
          operand.dims = input.dims;
          operand.type = input.type;
          if (!same_memory(input.dims, input.order, row_major_order(input.rank()))) {
            operand.sources = memory_places(input.dims, input.order);
          }
          from.push_back(input);
          zeros.push_back(zeros_of(input.type, input.dims));
          inputs.push_back(&zeros.back());
        }
      } else {
        inputs.push_back(nullptr);
      }
      operation.operands.push_back(std::move(operand));
    }
    const std::vector<OnnxTensor> made = evaluate(node, inputs);
    for (std::size_t k = 0; k < made.size(); ++k) {
      if (!used(node, k)) continue;
      TensorOperation own = operation;
      own.result = static_cast<int>(k);
      const std::vector<int> order = row_major_order(made[k].rank());
      own.output = memory_shape(made[k].dims(), order);
      Value result = append(node, std::move(own), from, memory_shape(from.front().dims, from.front().order),
                            made[k].dims(), order);
      result.type = made[k].type();
      name_output(node, k, std::move(result));
    }
  }

  /// Memory's order doesn't matter where all inputs have the same: constants are brought into it.
  void add_elementwise(const OnnxNode& node) {
    std::size_t rank = 0;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (node.has_input(k)) rank = std::max(rank, value(node, k).dims.size());
    }
    const auto widened = [&](const Extents& dims) {
      Extents wide(rank - dims.size(), 1);
      wide.insert(wide.end(), dims.begin(), dims.end());
      return wide;
    };
    Extents common(rank, 1);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (!node.has_input(k)) continue;
      const Extents wide = widened(value(node, k).dims);
      for (std::size_t d = 0; d < rank; ++d) {
        if (wide[d] != 1 && common[d] != 1 && wide[d] != common[d]) {
          throw node.error(fmt::format("input '{}' is {}, which does not fit the others ({})", node.inputs[k],
                                       extents_text(value(node, k).dims), extents_text(common)));
        }
        if (wide[d] != 1) common[d] = wide[d];
      }
    }
    std::vector<int> order;
    TensorOperation operation;
    operation.node = std::make_shared<OnnxNode>(node);
    std::vector<Value> from;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (!node.has_input(k) || value(node, k).constant) continue;
      Value input = value(node, k);
      if (input.dims.size() < rank) {
        input = reordered(node, input, row_major_order(input.rank()));
        input.dims = widened(input.dims);
        input.order = row_major_order(static_cast<int>(rank));
      }
      if (order.empty()) order = input.order;
      from.push_back(reordered(node, input, order));
    }
    std::vector<OnnxTensor> zeros;
    zeros.reserve(from.size());
    std::vector<const OnnxTensor*> inputs;
    bool at_once = rank > 0 && order.front() == 0;
    for (std::size_t k = 0, dynamic = 0; k < node.inputs.size(); ++k) {
      TensorOperation::Operand operand;
      if (node.has_input(k) && value(node, k).constant) {
        const OnnxTensor& tensor = *value(node, k).constant;
        // Scalars stay scalars: that is what limits and the like must be.
        operand.constant =
            tensor.rank() == 0 ? tensor : in_memory_order(tensor.reshaped(widened(tensor.dims())), order);
        at_once = at_once && (tensor.rank() == 0 || operand.constant->dims().front() == 1);
      } else if (node.has_input(k)) {
        operand.input = static_cast<int>(dynamic);
        for (const int d : order) operand.dims.push_back(from[dynamic].dims[static_cast<std::size_t>(d)]);
        operand.type = from[dynamic].type;
        at_once = at_once && operand.dims.front() == 1;
        zeros.push_back(zeros_of(operand.type, operand.dims));
        ++dynamic;
      }
      operation.operands.push_back(std::move(operand));
    }
    std::size_t dynamic = 0;
    for (const TensorOperation::Operand& operand : operation.operands) {
      inputs.push_back(operand.constant ? &*operand.constant : operand.input >= 0 ? &zeros[dynamic++] : nullptr);
    }
    const OnnxTensor made = evaluate(node, inputs).front();
    if (made.dims().size() != rank) throw node.error("has an input that it does not take");
    operation.elementwise = at_once;
    Extents dims(rank);
    for (std::size_t k = 0; k < rank; ++k) dims[static_cast<std::size_t>(order[k])] = made.dims()[k];
    operation.output = memory_shape(dims, order);
    Value result = append(node, std::move(operation), from, memory_shape(from.front().dims, order), dims, order);
    result.type = made.type();
    name_output(node, 0, std::move(result));
  }

  // The end.

  void finish() {
    OnnxNode end;
    end.file = model_.file, end.op = "output", end.name = model_.outputs.front().name;
    Value output = values_.at(end.name);
    if (output.constant) throw end.error("does not depend on the image");
    output = reordered(end, output, row_major_order(output.rank()));
    const std::int64_t classes = element_count(output.dims);
    const Shape vector{static_cast<int>(classes), 1, 1};
    if (output.layer < 0 || network_.layers[static_cast<std::size_t>(output.layer)].output.channels != classes) {
      // The same memory as a vector.
      Rearrange copies;
      copies.runs = {{0, 0, static_cast<std::int32_t>(classes)}};
      copies.output = vector;
      output = append(end, std::move(copies), {output}, memory_shape(output.dims, output.order), {classes}, {0});
    }
    keep_used(output.layer);
    network_.classes = static_cast<int>(classes);
  }

  /// Drops layers that the last one does not depend on.
  void keep_used(int last) {
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

  OnnxModel model_;
  Network network_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> uses_;
  std::vector<int> shared_;  ///< by layer: views of what it makes that others than their own users see
  std::map<std::string, int> names_;
  std::int64_t held_ = 0;  ///< values, see most_held
};

}  // namespace

Network network_of(OnnxModel model, Extents* output) {
  return Lowering(std::move(model)).run(output);
}

Network read_onnx(const std::string& path) {
  OnnxModel model = read_onnx_model(path);
  const std::string output = model.outputs.empty() ? "" : model.outputs.front().name;
  Extents dims;
  Network network = network_of(std::move(model), &dims);
  const auto wide = std::ranges::count_if(dims, [](std::int64_t extent) { return extent > 1; });
  if (network.classes < 2 || wide != 1) {
    throw input_error(path, fmt::format("its output '{}' is {}, expected a vector of at least two classes", output,
                                        extents_text(dims)));
  }
  network.content = hash_file(path);
  return network;
}

}  // namespace crossgrid
