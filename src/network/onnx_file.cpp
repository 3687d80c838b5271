#include "crossgrid/network/onnx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {
namespace {

constexpr int oldest_opset = 7;
constexpr std::int64_t largest_extent = 1 << 16;
constexpr std::size_t largest_activation = std::size_t{1} << 28;

onnx::ModelProto parse(const std::string& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw input_error(path,
                      "is larger than 2 GB, the most that an ONNX file can have; larger weights are external data");
  }
  google::protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() || !model.has_graph()) {
    throw input_error(path, "is no ONNX model, or a truncated one");
  }
  return model;
}

/// A constant: floats in row-major order, or whole numbers.
struct Tensor {
  std::vector<std::int64_t> dims;
  std::vector<float> floats;
  std::vector<std::int64_t> integers;

  std::int64_t size() const {
    std::int64_t product = 1;
    for (const std::int64_t dim : dims) product *= dim;
    return product;
  }
};

template <class Stored, class Number>
std::vector<Number> from_raw(const std::string& raw) {
  std::vector<Number> values(raw.size() / sizeof(Stored));
  for (std::size_t k = 0; k < values.size(); ++k) {
    Stored value;
    std::memcpy(&value, raw.data() + k * sizeof(Stored), sizeof value);
    values[k] = static_cast<Number>(value);
  }
  return values;
}

Tensor read_tensor(const onnx::TensorProto& proto, const std::string& where) {
  Tensor tensor;
  for (const std::int64_t dim : proto.dims()) {
    if (dim < 0 || dim > std::int64_t{1} << 31) throw input_error(where, fmt::format("has a dimension of {}", dim));
    tensor.dims.push_back(dim);
  }
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    throw input_error(where,
                      "is stored outside of the file (external data), which is not yet supported: save the model with "
                      "its weights inside");
  }
  const bool raw = proto.has_raw_data();
  switch (proto.data_type()) {
    case onnx::TensorProto::FLOAT:
      tensor.floats = raw ? from_raw<float, float>(proto.raw_data())
                          : std::vector<float>(proto.float_data().begin(), proto.float_data().end());
      break;
    case onnx::TensorProto::DOUBLE:
      tensor.floats = raw ? from_raw<double, float>(proto.raw_data())
                          : std::vector<float>(proto.double_data().begin(), proto.double_data().end());
      break;
    case onnx::TensorProto::INT64:
      tensor.integers = raw ? from_raw<std::int64_t, std::int64_t>(proto.raw_data())
                            : std::vector<std::int64_t>(proto.int64_data().begin(), proto.int64_data().end());
      break;
    case onnx::TensorProto::INT32:
      tensor.integers = raw ? from_raw<std::int32_t, std::int64_t>(proto.raw_data())
                            : std::vector<std::int64_t>(proto.int32_data().begin(), proto.int32_data().end());
      break;
    default:
      throw input_error(
          where,
          fmt::format("holds numbers of type {}, expected float, double, int64 or int32",
                      onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(proto.data_type()))));
  }
  const std::size_t found = std::max(tensor.floats.size(), tensor.integers.size());
  if (found != static_cast<std::size_t>(tensor.size())) {
    throw input_error(
        where, fmt::format("holds {} numbers, expected {} ({})", found, tensor.size(), fmt::join(tensor.dims, " x ")));
  }
  for (const float value : tensor.floats) {
    if (!std::isfinite(value)) throw input_error(where, "holds a number that is not finite");
  }
  return tensor;
}

/// One node and what messages about it say.
class Node {
 public:
  Node(const onnx::NodeProto& proto, const std::string& file) : proto_(proto), file_(file) {}

  std::string name() const {
    if (!proto_.name().empty()) return proto_.name();
    return proto_.output_size() > 0 ? proto_.output(0) : "?";
  }
  const std::string& op() const { return proto_.op_type(); }
  const std::string& domain() const { return proto_.domain(); }
  std::string where() const { return fmt::format("{}: node '{}' ({})", file_, name(), op()); }
  Error error(const std::string& problem) const { return input_error(where(), problem); }

  int inputs() const { return proto_.input_size(); }
  const std::string& input(int k) const {
    if (k >= proto_.input_size() || proto_.input(k).empty()) {
      throw error(fmt::format("has {} inputs, expected one more", proto_.input_size()));
    }
    return proto_.input(k);
  }
  bool has_input(int k) const { return k < proto_.input_size() && !proto_.input(k).empty(); }
  const std::string& output() const {
    if (proto_.output_size() == 0) throw error("has no output");
    return proto_.output(0);
  }

  const onnx::AttributeProto* attribute(const std::string& key) const {
    for (const onnx::AttributeProto& found : proto_.attribute()) {
      if (found.name() == key) return &found;
    }
    return nullptr;
  }
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const {
    const auto* found = attribute(key);
    return found ? found->i() : otherwise;
  }
  float number(const std::string& key, float otherwise) const {
    const auto* found = attribute(key);
    return found ? found->f() : otherwise;
  }
  std::string text(const std::string& key, const std::string& otherwise) const {
    const auto* found = attribute(key);
    return found ? found->s() : otherwise;
  }
  std::vector<std::int64_t> integers(const std::string& key, const std::vector<std::int64_t>& otherwise) const {
    const auto* found = attribute(key);
    return found ? std::vector<std::int64_t>(found->ints().begin(), found->ints().end()) : otherwise;
  }

  /// The one value of a list, which must have `count` equal ones from `least` to `most`.
  int same(const std::string& key, std::size_t count, std::int64_t otherwise, std::int64_t least,
           std::int64_t most) const {
    const auto values = integers(key, std::vector<std::int64_t>(count, otherwise));
    const bool equal =
        values.size() == count && std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
    if (!equal || values.front() < least || values.front() > most) {
      throw error(fmt::format("has {} [{}]; supported are {} equal numbers from {} to {}", key, fmt::join(values, ", "),
                              count, least, most));
    }
    return static_cast<int>(values.front());
  }
  void expect(const std::string& key, std::int64_t only, std::int64_t otherwise) const {
    if (const std::int64_t found = integer(key, otherwise); found != only) {
      throw error(fmt::format("has {} {}; only {} is supported", key, found, only));
    }
  }

 private:
  const onnx::NodeProto& proto_;
  const std::string& file_;
};

/// Makes layers of nodes, one after the other.
class GraphReader {
 public:
  GraphReader(const onnx::GraphProto& graph, std::int64_t opset, const std::string& path)
      : graph_(graph), opset_(opset), path_(path) {}

  Network read() {
    for (const onnx::TensorProto& proto : graph_.initializer()) {
      constants_[proto.name()] = read_tensor(proto, fmt::format("{}: tensor '{}'", path_, proto.name()));
    }
    read_input();
    if (graph_.output_size() != 1) {
      throw input_error(path_, fmt::format("has {} outputs, expected one: the logits", graph_.output_size()));
    }
    for (const onnx::NodeProto& node : graph_.node()) {
      for (const std::string& input : node.input()) ++uses_[input];
    }
    ++uses_[graph_.output(0).name()];
    for (const onnx::NodeProto& proto : graph_.node()) add(Node(proto, path_));
    finish();
    return std::move(network_);
  }

 private:
  void read_input() {
    std::vector<std::string> names;
    for (const onnx::ValueInfoProto& input : graph_.input()) {
      if (constants_.contains(input.name())) continue;  // older files list their weights too
      names.push_back(input.name());
      std::vector<std::int64_t> dims;
      for (const auto& dim : input.type().tensor_type().shape().dim())
        dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
      const std::string where = fmt::format("{}: input '{}'", path_, input.name());
      if (dims.size() != 2 && dims.size() != 4) {
        throw input_error(
            where, fmt::format("has {} dimensions, expected [batch, channels, height, width] or [batch, features]",
                               dims.size()));
      }
      for (std::size_t k = 1; k < dims.size(); ++k) {
        if (dims[k] < 1 || dims[k] > largest_extent) {
          throw input_error(where,
                            fmt::format("dimension {} is {}, expected a size from 1 to {}: export the model with fixed "
                                        "image sizes",
                                        k, dims[k] < 0 ? "not fixed" : std::to_string(dims[k]), largest_extent));
        }
      }
      network_.input.channels = static_cast<int>(dims[1]);
      if (dims.size() == 4)
        network_.input.height = static_cast<int>(dims[2]), network_.input.width = static_cast<int>(dims[3]);
    }
    if (names.size() != 1) {
      throw input_error(
          path_, fmt::format("has {} inputs ({}), expected one: the image", names.size(), fmt::join(names, ", ")));
    }
    values_[names.front()] = -1;
  }

  using Converter = void (GraphReader::*)(const Node&);
  static const std::map<std::string, Converter>& converters() {
    static const std::map<std::string, Converter> table{
        {"Add", &GraphReader::add_sum},
        {"AveragePool", &GraphReader::add_average_pool},
        {"BatchNormalization", &GraphReader::fold_batch_norm},
        {"Constant", &GraphReader::add_constant},
        {"Conv", &GraphReader::add_conv},
        {"Dropout", &GraphReader::pass},
        {"Flatten", &GraphReader::add_flatten},
        {"Gemm", &GraphReader::add_gemm},
        {"GlobalAveragePool", &GraphReader::add_plain<GlobalAvgPool>},
        {"Identity", &GraphReader::pass},
        {"MatMul", &GraphReader::add_matmul},
        {"MaxPool", &GraphReader::add_max_pool},
        {"Relu", &GraphReader::add_plain<Relu>},
        {"Reshape", &GraphReader::add_reshape},
        {"Softmax", &GraphReader::add_softmax},
    };
    return table;
  }

  void add(const Node& node) {
    const auto found = converters().find(node.op());
    const bool own = node.domain().empty() || node.domain() == "ai.onnx";
    if (!own || found == converters().end()) {
      std::vector<std::string> known;
      for (const auto& [name, converter] : converters()) known.push_back(name);
      throw node.error(fmt::format("operator {}{} (opset {}) is not yet supported; supported are {}",
                                   own ? "" : node.domain() + ".", node.op(), opset_, fmt::join(known, ", ")));
    }
    (this->*found->second)(node);
  }

  bool is_constant(const std::string& name) const { return constants_.contains(name); }
  const Tensor& constant(const Node& node, int k) const {
    const auto found = constants_.find(node.input(k));
    if (found == constants_.end()) {
      throw node.error(fmt::format("input '{}' must be a constant of the file, found {}", node.input(k),
                                   values_.contains(node.input(k)) ? "a computed value" : "nothing of that name"));
    }
    return found->second;
  }
  const Tensor& floats(const Node& node, int k) const {
    const Tensor& tensor = constant(node, k);
    if (tensor.floats.empty())
      throw node.error(fmt::format("input '{}' holds no floating-point numbers", node.input(k)));
    return tensor;
  }
  int value(const Node& node, int k) const {
    const auto found = values_.find(node.input(k));
    if (found == values_.end()) {
      throw node.error(fmt::format("input '{}' comes from no node before it (missing, or a cycle)", node.input(k)));
    }
    return found->second;
  }
  Shape shape_of(int value) const {
    return value < 0 ? network_.input : network_.layers[static_cast<std::size_t>(value)].output;
  }

  void append(const Node& node, Operation operation, std::vector<int> inputs) {
    std::vector<Shape> shapes;
    shapes.reserve(inputs.size());
    for (const int input : inputs) shapes.push_back(shape_of(input));
    Layer layer{unique_name(node.name()), std::move(operation), std::move(inputs), {}};
    layer.output = output_shape(layer.operation, shapes, node.where());
    if (layer.output.size() > largest_activation) {
      throw node.error(fmt::format("makes {} values, expected at most {}", layer.output.size(), largest_activation));
    }
    network_.layers.push_back(std::move(layer));
    name_value(node, static_cast<int>(network_.layers.size()) - 1);
  }
  void name_value(const Node& node, int value) {
    if (is_constant(node.output()) || !values_.emplace(node.output(), value).second) {
      throw node.error(fmt::format("its output '{}' is made twice", node.output()));
    }
  }
  std::string unique_name(std::string name) {
    while (!names_.insert({name, 0}).second) name += fmt::format("_{}", ++names_[name]);
    return name;
  }

  /// The layer that makes an input, where nothing else uses what it makes: it can take in what follows.
  Layer* only_user_of(const Node& node, int k) {
    const int from = value(node, k);
    return from >= 0 && uses_[node.input(k)] == 1 ? &network_.layers[static_cast<std::size_t>(from)] : nullptr;
  }
  static Matrix* weights_of(Layer& layer) {
    if (auto* conv = std::get_if<Conv2d>(&layer.operation)) return &conv->weights;
    if (auto* linear = std::get_if<Linear>(&layer.operation)) return &linear->weights;
    return nullptr;
  }
  static std::vector<float>& bias_of(Layer& layer) {
    auto* conv = std::get_if<Conv2d>(&layer.operation);
    return conv ? conv->bias : std::get<Linear>(layer.operation).bias;
  }

  void add_constant(const Node& node) {
    const auto* attribute = node.attribute("value");
    if (!attribute || !attribute->has_t()) throw node.error("has no tensor 'value'; others are not yet supported");
    if (!constants_.emplace(node.output(), read_tensor(attribute->t(), node.where())).second) {
      throw node.error(fmt::format("its output '{}' is made twice", node.output()));
    }
  }

  void pass(const Node& node) {
    if (is_constant(node.input(0))) {
      constants_.emplace(node.output(), constants_.at(node.input(0)));
    } else {
      // Who uses the one uses the other.
      uses_[node.input(0)] += uses_[node.output()] - 1;
      name_value(node, value(node, 0));
    }
  }

  template <class Plain>
  void add_plain(const Node& node) {
    append(node, Plain{}, {value(node, 0)});
  }

  /// Equal zeros on each side; SAME and VALID too where they come to that.
  int padding(const Node& node, int size, int stride, const Shape& in) const {
    const std::string automatic = node.text("auto_pad", "NOTSET");
    if (automatic == "NOTSET") return node.same("pads", 4, 0, 0, size - 1);
    if (automatic == "VALID") return 0;
    const auto all = [&](int extent) {
      return std::max(0, ((extent + stride - 1) / stride - 1) * stride + size - extent);
    };
    if (all(in.height) != all(in.width) || all(in.height) % 2 != 0) {
      throw node.error(fmt::format("auto_pad {} pads the sides unequally here, which is not yet supported", automatic));
    }
    return all(in.height) / 2;
  }

  void add_conv(const Node& node) {
    const Tensor& weights = floats(node, 1);
    if (weights.dims.size() != 4) {
      throw node.error(fmt::format("has weights of {} dimensions; only two-dimensional convolutions are supported yet",
                                   weights.dims.size()));
    }
    node.expect("group", 1, 1);
    node.same("dilations", 2, 1, 1, 1);
    Conv2d conv;
    conv.kernel_height = static_cast<int>(weights.dims[2]), conv.kernel_width = static_cast<int>(weights.dims[3]);
    const auto kernel = node.integers("kernel_shape", {weights.dims[2], weights.dims[3]});
    if (kernel != std::vector<std::int64_t>{weights.dims[2], weights.dims[3]}) {
      throw node.error(fmt::format("kernel_shape [{}] is not that of its weights ({})", fmt::join(kernel, ", "),
                                   fmt::join(weights.dims, " x ")));
    }
    conv.stride = node.same("strides", 2, 1, 1, largest_extent);
    const int from = value(node, 0);
    conv.padding = padding(node, std::min(conv.kernel_height, conv.kernel_width), conv.stride, shape_of(from));
    const auto outputs = static_cast<Eigen::Index>(weights.dims[0]);
    conv.weights =
        Eigen::Map<const Matrix>(weights.floats.data(), outputs, weights.size() / std::max<Eigen::Index>(outputs, 1));
    conv.bias = bias(node, 2, outputs);
    append(node, std::move(conv), {from});
  }

  /// An input of one number per output, or zeros.
  std::vector<float> bias(const Node& node, int k, Eigen::Index outputs, float factor = 1) const {
    std::vector<float> values(static_cast<std::size_t>(outputs), 0.0f);
    if (!node.has_input(k)) return values;
    const Tensor& tensor = floats(node, k);
    if (tensor.size() != outputs && tensor.size() != 1) {
      throw node.error(fmt::format("input '{}' is {}, expected one number for each of {} outputs", node.input(k),
                                   fmt::join(tensor.dims, " x "), outputs));
    }
    for (std::size_t j = 0; j < values.size(); ++j) values[j] = factor * tensor.floats[tensor.size() == 1 ? 0 : j];
    return values;
  }

  void add_gemm(const Node& node) {
    node.expect("transA", 0, 0);
    const Tensor& b = floats(node, 1);
    if (b.dims.size() != 2)
      throw node.error(fmt::format("input '{}' has {} dimensions, expected 2", node.input(1), b.dims.size()));
    const Eigen::Map<const Matrix> given(b.floats.data(), b.dims[0], b.dims[1]);
    Linear linear;
    linear.weights = node.integer("transB", 0) != 0 ? Matrix(given) : Matrix(given.transpose());
    linear.weights *= node.number("alpha", 1);
    linear.bias = bias(node, 2, linear.weights.rows(), node.number("beta", 1));
    append(node, std::move(linear), {value(node, 0)});
  }

  void add_matmul(const Node& node) {
    const Tensor& b = floats(node, 1);
    if (b.dims.size() != 2)
      throw node.error(fmt::format("input '{}' has {} dimensions, expected 2", node.input(1), b.dims.size()));
    Linear linear;
    linear.weights = Eigen::Map<const Matrix>(b.floats.data(), b.dims[0], b.dims[1]).transpose();
    linear.bias.assign(static_cast<std::size_t>(linear.weights.rows()), 0.0f);
    append(node, std::move(linear), {value(node, 0)});
  }

  void add_sum(const Node& node) {
    const int which = is_constant(node.input(0)) ? 0 : is_constant(node.input(1)) ? 1 : -1;
    if (which < 0) {
      append(node, Add{}, {value(node, 0), value(node, 1)});
      return;
    }
    Layer* const product = only_user_of(node, 1 - which);
    if (product == nullptr || weights_of(*product) == nullptr) {
      throw node.error(
          "adds a constant, which is supported only where it follows a Conv, Gemm or MatMul that nothing else uses");
    }
    const Tensor& added = floats(node, which);
    // [outputs] behind a vector, [outputs, 1, 1] behind an image.
    const bool image = std::holds_alternative<Conv2d>(product->operation);
    const bool fits =
        added.size() == 1 || !image || (added.dims.size() >= 3 && added.dims[added.dims.size() - 3] == added.size());
    if (!fits)
      throw node.error(
          fmt::format("adds a constant of {}, expected one number per channel", fmt::join(added.dims, " x ")));
    const std::vector<float> more = bias(node, which, weights_of(*product)->rows());
    std::vector<float>& sum = bias_of(*product);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += more[j];
    name_value(node, value(node, 1 - which));
  }

  void fold_batch_norm(const Node& node) {
    Layer* const product = only_user_of(node, 0);
    if (product == nullptr || weights_of(*product) == nullptr) {
      throw node.error(
          "is supported only directly behind a Conv, Gemm or MatMul that nothing else uses, into which it is folded");
    }
    node.expect("training_mode", 0, 0);
    Matrix& weights = *weights_of(*product);
    const auto numbers = [&](int k) { return bias(node, k, weights.rows()); };
    const std::vector<float> scale = numbers(1), shift = numbers(2), mean = numbers(3), variance = numbers(4);
    const double epsilon = static_cast<double>(node.number("epsilon", 1e-5F));
    std::vector<float>& own = bias_of(*product);
    for (Eigen::Index j = 0; j < weights.rows(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      const double factor = static_cast<double>(scale[at]) / std::sqrt(static_cast<double>(variance[at]) + epsilon);
      weights.row(j) = (factor * weights.row(j).cast<double>()).cast<float>();
      own[at] = static_cast<float>((static_cast<double>(own[at]) - static_cast<double>(mean[at])) * factor +
                                   static_cast<double>(shift[at]));
    }
    name_value(node, value(node, 0));
  }

  template <class Pool>
  void add_pool(const Node& node) {
    node.expect("ceil_mode", 0, 0);
    node.same("dilations", 2, 1, 1, 1);
    if (!node.attribute("kernel_shape")) throw node.error("has no kernel_shape");
    Pool pool;
    pool.size = node.same("kernel_shape", 2, 1, 1, largest_extent);
    pool.stride = node.same("strides", 2, 1, 1, largest_extent);
    const int from = value(node, 0);
    pool.padding = padding(node, pool.size, pool.stride, shape_of(from));
    if (pool.padding > pool.size / 2) {
      throw node.error(
          fmt::format("pads {} on each side, more than half of its window of {}", pool.padding, pool.size));
    }
    append(node, pool, {from});
  }
  void add_max_pool(const Node& node) {
    node.expect("storage_order", 0, 0);
    add_pool<MaxPool2d>(node);
  }
  void add_average_pool(const Node& node) {
    const bool padded = node.text("auto_pad", "NOTSET") != "NOTSET" || node.same("pads", 4, 0, 0, largest_extent) > 0;
    if (padded) node.expect("count_include_pad", 0, 0);
    add_pool<AvgPool2d>(node);
  }

  void add_flatten(const Node& node) {
    node.expect("axis", 1, 1);
    append(node, Flatten{}, {value(node, 0)});
  }
  /// To [batch, all]: the same as Flatten.
  void add_reshape(const Node& node) {
    const Tensor& shape = constant(node, 1);
    const int from = value(node, 0);
    const auto features = static_cast<std::int64_t>(shape_of(from).size());
    const bool flat = shape.integers.size() == 2 && (shape.integers[1] == -1 || shape.integers[1] == features) &&
                      (shape.integers[0] <= 1 || shape.integers[1] == features);
    if (!flat) {
      throw node.error(fmt::format("reshapes to [{}]; only [batch, all features] is supported yet",
                                   fmt::join(shape.integers, ", ")));
    }
    append(node, Flatten{}, {from});
  }

  void add_softmax(const Node& node) {
    const int from = value(node, 0);
    const std::int64_t axis = node.integer("axis", opset_ < 13 ? 1 : -1);
    const Shape shape = shape_of(from);
    const bool vector = shape.height == 1 && shape.width == 1;
    if (axis != 1 && !(vector && axis == -1))
      throw node.error(fmt::format("is over axis {}; only that of the classes is supported", axis));
    append(node, Softmax{}, {from});
  }

  void finish() {
    const std::string& output = graph_.output(0).name();
    const auto found = values_.find(output);
    if (found == values_.end()) throw input_error(path_, fmt::format("its output '{}' comes from no node", output));
    if (found->second + 1 != static_cast<int>(network_.layers.size()) || network_.layers.empty()) {
      throw input_error(path_, fmt::format("its output '{}' is not what its last node makes", output));
    }
    std::vector<bool> used(network_.layers.size(), false);
    used.back() = true;
    for (const Layer& layer : network_.layers) {
      for (const int input : layer.inputs) {
        if (input >= 0) used[static_cast<std::size_t>(input)] = true;
      }
    }
    for (std::size_t k = 0; k < used.size(); ++k) {
      if (!used[k])
        throw input_error(path_, fmt::format("what node '{}' makes is used by nothing", network_.layers[k].name));
    }
    const Layer& last = network_.layers.back();
    if (last.output.height != 1 || last.output.width != 1 || last.output.channels < 2) {
      throw input_error(path_, fmt::format("its output is {} x {} x {}, expected a vector of at least two classes",
                                           last.output.channels, last.output.height, last.output.width));
    }
    network_.classes = last.output.channels;
  }

  const onnx::GraphProto& graph_;
  std::int64_t opset_;
  const std::string& path_;
  Network network_;
  std::map<std::string, Tensor> constants_;
  std::map<std::string, int> values_;  ///< by name: the layer that makes it; -1: the image
  std::map<std::string, int> uses_;
  std::map<std::string, int> names_;
};

}  // namespace

Network read_onnx(const std::string& path) {
  const onnx::ModelProto model = parse(path);
  std::int64_t opset = 0;
  for (const auto& import : model.opset_import()) {
    if (import.domain().empty() || import.domain() == "ai.onnx") opset = import.version();
  }
  if (opset < oldest_opset) {
    throw input_error(path, fmt::format("is of opset {}, expected {} or later: export it anew", opset, oldest_opset));
  }
  Network network = GraphReader(model.graph(), opset, path).read();
  network.name = model.graph().name().empty() ? path : model.graph().name();
  network.content = hash_file(path);
  return network;
}

}  // namespace crossgrid
