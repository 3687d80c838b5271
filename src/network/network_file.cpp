#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/onnx_network.hpp"

// The interim network format, docs/network-format.md.
namespace crossgrid {
namespace {

/// Far above any image or kernel that a crossbar sees, far below an overflow of int.
constexpr int largest_extent = 1 << 16;
constexpr std::size_t largest_activation = std::size_t{1} << 28;

/// A value of the file and where it stands, for messages.
struct Node {
  const Json& value;
  const std::string& file;
  std::string pointer;

  std::string where() const { return pointer.empty() ? file : file + ": " + pointer; }
  Error error(const std::string& problem) const { return input_error(where(), problem); }
  Error mismatch(const std::string& expected) const {
    constexpr std::size_t readable = 40;
    std::string found = value.is_structured() ? value.type_name() : value.dump();
    if (found.size() > readable) found = found.substr(0, readable) + "...";
    return error("found " + found + ", expected " + expected);
  }

  bool has(const char* key) const { return value.contains(key); }
  Node at(const char* key) const {
    const auto entry = value.find(key);
    if (entry == value.end()) throw error(fmt::format("'{}' is missing", key));
    return {*entry, file, pointer + "/" + key};
  }
  Node at(std::size_t index) const { return {value[index], file, pointer + "/" + std::to_string(index)}; }

  /// Checks that this is an object with no other keys than these.
  void expect_keys(const std::vector<std::string>& known) const {
    if (!value.is_object()) throw mismatch("an object");
    for (const auto& entry : value.items()) {
      if (std::ranges::find(known, entry.key()) != known.end()) continue;
      const std::string nearest = nearest_name(entry.key(), known);
      throw input_error(
          where() + "/" + entry.key(),
          fmt::format("unknown key{}, expected {}", nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                      fmt::join(known, ", ")));
    }
  }
  std::size_t array_size() const {
    if (!value.is_array()) throw mismatch("an array");
    return value.size();
  }
  std::string string() const {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) throw mismatch("a string that is not empty");
    return value.get<std::string>();
  }
  int integer(int least, int most) const {
    if (!value.is_number_integer() || value < least || value > most) {
      throw mismatch(fmt::format("a whole number from {} to {}", least, most));
    }
    return value.get<int>();
  }
  int integer_or(const char* key, int absent, int least, int most) const {
    return has(key) ? at(key).integer(least, most) : absent;
  }
  double positive() const {
    if (!value.is_number() || !(value.get<double>() > 0)) throw mismatch("a number above 0");
    return value.get<double>();
  }
};

/// Reads an array of numbers that float32 can hold into `out`.
void read_floats(const Node& array, std::span<float> out, const std::string& expected) {
  if (array.array_size() != out.size()) {
    throw array.error(fmt::format("found {} numbers, expected {}", array.value.size(), expected));
  }
  std::size_t i = 0;
  for (const Json& number : array.value) {
    const auto value = static_cast<float>(number.is_number() ? number.get<double>() : HUGE_VAL);
    if (!std::isfinite(value)) throw array.at(i).mismatch("a number that float32 can hold");
    out[i++] = value;
  }
}

/// One row per output, all as long as the first. Whether that length fits the input is for output_shape() to say.
Matrix read_matrix(const Node& node) {
  const std::size_t rows = node.array_size();
  if (rows == 0) throw node.error("found no rows, expected one per output");
  const std::size_t cols = node.at(std::size_t{0}).array_size();
  if (cols == 0) throw node.at(std::size_t{0}).error("found no numbers, expected one weight per input");
  const std::string expected = fmt::format("{} as in the first row", cols);
  Matrix matrix(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  for (std::size_t row = 0; row < rows; ++row) {
    read_floats(node.at(row), std::span(matrix.data() + row * cols, cols), expected);
  }
  return matrix;
}

std::vector<float> read_bias(const Node& layer, const Matrix& weights) {
  std::vector<float> bias(static_cast<std::size_t>(weights.rows()), 0.0f);
  if (layer.has("bias")) read_floats(layer.at("bias"), bias, fmt::format("{}, one per row of weights", bias.size()));
  return bias;
}

using Keys = std::vector<std::string>;

Operation read_conv2d(const Node& layer) {
  Conv2d conv;
  const Node kernel = layer.at("kernel");
  if (kernel.array_size() != 2) throw kernel.mismatch("[height, width]");
  WindowAxis &y = conv.window.vertical, &x = conv.window.horizontal;
  y.kernel = kernel.at(std::size_t{0}).integer(1, largest_extent);
  x.kernel = kernel.at(std::size_t{1}).integer(1, largest_extent);
  y.stride = x.stride = layer.integer_or("stride", 1, 1, largest_extent);
  y.before = y.after = x.before = x.after = layer.integer_or("padding", 0, 0, std::min(y.kernel, x.kernel) - 1);
  conv.weights = read_matrix(layer.at("weights"));
  conv.bias = read_bias(layer, conv.weights);
  return conv;
}

Operation read_linear(const Node& layer) {
  Linear linear{read_matrix(layer.at("weights")), {}};
  linear.bias = read_bias(layer, linear.weights);
  return linear;
}

template <class Pool>
Operation read_pool(const Node& layer) {
  const int size = layer.at("size").integer(1, largest_extent);
  // With more padding than half a window, a window could lie outside of the image altogether.
  Pool pool;
  pool.window = square_window(size, layer.integer_or("stride", size, 1, largest_extent),
                              layer.integer_or("padding", 0, 0, size / 2));
  return pool;
}

template <class Plain>
Operation read_plain(const Node&) {
  return Plain{};
}

/// What the format calls an operation, the keys that it has, and how it is read.
struct OperationReader {
  Keys keys;
  Operation (*read)(const Node& layer);
};

const std::map<std::string, OperationReader>& operations() {
  static const std::map<std::string, OperationReader> table{
      {"conv2d", {{"kernel", "stride", "padding", "weights", "bias"}, read_conv2d}},
      {"linear", {{"weights", "bias"}, read_linear}},
      {"relu", {{}, read_plain<Clamp>}},
      {"max_pool2d", {{"size", "stride", "padding"}, read_pool<MaxPool2d>}},
      {"avg_pool2d", {{"size", "stride", "padding"}, read_pool<AvgPool2d>}},
      {"global_avg_pool", {{}, read_plain<GlobalAvgPool>}},
      {"flatten", {{}, read_plain<Flatten>}},
      {"add", {{}, read_plain<Add>}},
      {"softmax", {{}, read_plain<Softmax>}},
  };
  return table;
}

Operation read_operation(const Node& layer) {
  if (!layer.value.is_object()) throw layer.mismatch("an object");
  const std::string op = layer.at("op").string();
  const auto found = operations().find(op);
  if (found == operations().end()) {
    Keys known;
    for (const auto& entry : operations()) known.push_back(entry.first);
    const std::string nearest = nearest_name(op, known);
    throw layer.at("op").error(fmt::format("unknown operation '{}'{}, expected {}", op,
                                           nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                                           fmt::join(known, ", ")));
  }
  Keys keys{"name", "op", "inputs"};
  keys.insert(keys.end(), found->second.keys.begin(), found->second.keys.end());
  layer.expect_keys(keys);
  return found->second.read(layer);
}

/// Reads layers one after the other: each may only use those before it.
class LayersReader {
 public:
  explicit LayersReader(const Shape& image) : image_(image) {}

  std::vector<Layer> read(const Node& list) {
    const std::size_t count = list.array_size();
    if (count == 0) throw list.error("found no layers, expected at least one");
    for (std::size_t i = 0; i < count; ++i) add(list.at(i));
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (!used_[i]) throw list.at(i).error(fmt::format("the output of '{}' is used by no layer", layers_[i].name));
    }
    return std::move(layers_);
  }

 private:
  void add(const Node& node) {
    Layer layer{"", read_operation(node), {}, {}};
    layer.name = read_name(node.at("name"));
    std::vector<Shape> shapes;
    const Node inputs = node.at("inputs");
    const std::size_t count = inputs.array_size();
    for (std::size_t i = 0; i < count; ++i) {
      layer.inputs.push_back(resolve(inputs.at(i)));
      shapes.push_back(layer.inputs.back() < 0 ? image_
                                               : layers_[static_cast<std::size_t>(layer.inputs.back())].output);
    }
    layer.output = output_shape(layer.operation, shapes, fmt::format("{} ({})", node.where(), layer.name));
    if (layer.output.size() > largest_activation) {
      throw node.error(
          fmt::format("found an output of {} values, expected at most {}", layer.output.size(), largest_activation));
    }
    index_.emplace(layer.name, static_cast<int>(layers_.size()));
    layers_.push_back(std::move(layer));
    used_.push_back(false);
  }

  std::string read_name(const Node& node) const {
    std::string name = node.string();
    if (name == "image") throw node.error("found 'image', expected another name: it stands for the network's input");
    if (const auto twice = index_.find(name); twice != index_.end()) {
      throw node.error(fmt::format("found '{}', expected another name: /layers/{} has it", name, twice->second));
    }
    return name;
  }

  /// The index of the layer that an input names.
  int resolve(const Node& node) {
    const std::string name = node.string();
    if (name == "image") return -1;
    if (const auto found = index_.find(name); found != index_.end()) {
      used_[static_cast<std::size_t>(found->second)] = true;
      return found->second;
    }
    Keys known{"image"};
    for (const Layer& layer : layers_) known.push_back(layer.name);
    const std::string nearest = nearest_name(name, known);
    throw node.error(fmt::format("found '{}', expected 'image' or the name of an earlier layer{}", name,
                                 nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
  }

  Shape image_;
  std::vector<Layer> layers_;
  std::vector<bool> used_;
  std::map<std::string, int> index_;
};

void check_header(const Node& root) {
  if (!root.value.is_object()) throw root.mismatch("an object, the network");
  const Node format = root.at("format");
  if (format.value != "crossgrid-network") throw format.mismatch("\"crossgrid-network\"");
  const Node version = root.at("version");
  if (version.value != 1) throw version.mismatch("1, the only version that this program reads");
  root.expect_keys({"format", "version", "name", "about", "input", "preprocess", "layers"});
  if (root.has("about") && !root.at("about").value.is_string()) throw root.at("about").mismatch("a string");
}

Shape read_input(const Node& input) {
  input.expect_keys({"channels", "height", "width"});
  const Shape shape{input.at("channels").integer(1, largest_extent), input.integer_or("height", 1, 1, largest_extent),
                    input.integer_or("width", 1, 1, largest_extent)};
  if (shape.size() > largest_activation) {
    throw input.error(fmt::format("found {} values per image, expected at most {}", shape.size(), largest_activation));
  }
  return shape;
}

std::vector<double> read_per_channel(const Node& array, int channels) {
  if (array.array_size() != static_cast<std::size_t>(channels)) {
    throw array.error(fmt::format("found {} numbers, expected {}, one per channel", array.value.size(), channels));
  }
  std::vector<double> values;
  for (std::size_t i = 0; i < array.value.size(); ++i) {
    if (!array.at(i).value.is_number()) throw array.at(i).mismatch("a number");
    values.push_back(array.at(i).value.get<double>());
  }
  return values;
}

Preprocess read_preprocess(const Node& node, int channels) {
  node.expect_keys({"scale", "mean", "std"});
  Preprocess preprocess;
  preprocess.scale_given = node.has("scale");
  if (preprocess.scale_given) preprocess.scale = node.at("scale").positive();
  if (node.has("mean")) preprocess.mean = read_per_channel(node.at("mean"), channels);
  if (node.has("std")) {
    preprocess.std = read_per_channel(node.at("std"), channels);
    for (std::size_t i = 0; i < preprocess.std.size(); ++i) node.at("std").at(i).positive();
  }
  return preprocess;
}

}  // namespace

Network read_network(const std::string& path) {
  if (path.ends_with(".onnx")) return read_onnx(path);
  const Json document = read_json_file(path);
  const Node root{document, path, ""};
  check_header(root);
  Network network;
  network.name = root.at("name").string();
  network.input = read_input(root.at("input"));
  if (root.has("preprocess")) network.preprocess = read_preprocess(root.at("preprocess"), network.input.channels);
  network.layers = LayersReader(network.input).read(root.at("layers"));
  const Layer& last = network.layers.back();
  if (last.output.height != 1 || last.output.width != 1 || last.output.channels < 2) {
    throw root.at("layers").error(
        fmt::format("the last layer '{}' makes {} x {} x {}, expected a vector of at least two classes", last.name,
                    last.output.channels, last.output.height, last.output.width));
  }
  network.classes = last.output.channels;
  network.content = hash_file(path);
  return network;
}

}  // namespace crossgrid
