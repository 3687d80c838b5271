#include "crossgrid/network/onnx_export.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <set>

#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/onnx_network.hpp"
#include "crossgrid/network/reference_network.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "data/temporary_folder.hpp"
#include "network_fixture.hpp"
#include "published_resnets.hpp"

namespace crossgrid {
namespace {

using namespace test;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;

/// The exported file, read as any other.
Network read_back(const Network& network) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("model.onnx");
  write_onnx_model(onnx_model_of(network), path);
  Network again = read_network(path);
  again.preprocess = network.preprocess;
  return again;
}

Matrix logits(const Network& network, const std::shared_ptr<const Dataset>& data, std::uint32_t images) {
  return InferenceEngine(network, data, {}, 2).reference_logits(0, images);
}

/// Images as an ONNX model takes them: channels before pixels.
OnnxTensor channels_first(const Network& network, const Dataset& data, std::uint64_t first, std::int64_t images) {
  const Shape& shape = network.input;
  std::vector<double> all;
  for (std::int64_t k = 0; k < images; ++k) {
    const Values values = image_values(network, data, first + static_cast<std::uint64_t>(k));
    for (int c = 0; c < shape.channels; ++c) {
      for (int p = 0; p < shape.height * shape.width; ++p) {
        all.push_back(values[static_cast<std::size_t>(p * shape.channels + c)]);
      }
    }
  }
  Extents dims{images, shape.channels};
  if (shape.height * shape.width > 1) dims.insert(dims.end(), {shape.height, shape.width});
  return OnnxTensor::of_reals(ElementType::float32, dims, all);
}

/// The model's outputs by the plain operators, one image after the other.
Values by_operators(const OnnxModel& model, const OnnxTensor& images) {
  const OnnxTensor inputs[] = {images};
  return evaluate(model, inputs).front().as_reals();
}

/// The network's outputs layer by layer in double.
Values by_layers(const Network& network, const Dataset& data, std::uint64_t image) {
  LayerHardware digital;
  digital.analog = false;
  const std::size_t matrices = matrix_layers(network).size();
  const std::vector<LayerHardware> hardware(matrices, digital);
  return ReferenceNetwork(network, hardware, std::vector<LayerRanges>(matrices), 1, 0).run(data, image).logits;
}

/// Largest difference, of the largest value.
double distance(const Values& found, const Values& expected) {
  EXPECT_EQ(found.size(), expected.size());
  double off = 0, largest = 0;
  for (std::size_t k = 0; k < std::min(found.size(), expected.size()); ++k) {
    off = std::max(off, std::abs(found[k] - expected[k]));
    largest = std::max(largest, std::abs(expected[k]));
  }
  return off / largest;
}

void expect_same_layers(const Network& found, const Network& expected) {
  ASSERT_EQ(found.layers.size(), expected.layers.size());
  for (std::size_t k = 0; k < found.layers.size(); ++k) {
    const Layer &a = found.layers[k], &b = expected.layers[k];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.operation.index(), b.operation.index()) << a.name;
    EXPECT_EQ(a.inputs, b.inputs) << a.name;
    if (const auto* conv = std::get_if<Conv2d>(&a.operation)) {
      const auto& other = std::get<Conv2d>(b.operation);
      EXPECT_TRUE(conv->weights == other.weights && conv->bias == other.bias && conv->window == other.window &&
                  conv->groups == other.groups)
          << a.name;
    } else if (const auto* linear = std::get_if<Linear>(&a.operation)) {
      const auto& other = std::get<Linear>(b.operation);
      EXPECT_TRUE(linear->weights == other.weights && linear->bias == other.bias) << a.name;
    }
  }
}

std::vector<std::string> operators(const OnnxModel& model) {
  std::vector<std::string> all;
  for (const OnnxNode& node : model.nodes) all.push_back(node.op);
  return all;
}

/// Groups, dilations, strides and padding of unequal sides, limits on either side, scales and shifts, every pool, sums
/// of branches, softmaxes of pixels.
Network mixed_network() {
  NetworkBuilder b({6, 9, 10}, 3);
  b.preprocess() = {1 / 255.0, {}, {}};
  Window window = square_window(3, 1, 0);
  window.vertical = {2, 2, 2, 1, 0}, window.horizontal = {3, 1, 1, 0, 2};
  const int grouped = b.conv(-1, 9, window, 3);
  ChannelAffine affine;
  for (int c = 0; c < 9; ++c) {
    affine.scale.push_back(0.5F + 0.1F * static_cast<float>(c)),
        affine.shift.push_back(0.3F - 0.2F * static_cast<float>(c));
  }
  const int limited = b.add(Clamp{-0.4F, 0.9F}, {grouped});
  const int scaled = b.add(affine, {limited});
  const int sum = b.add(Add{}, {scaled, grouped});
  const int pixels = b.add(Softmax{}, {sum});
  const int below = b.add(Clamp{-INFINITY, 0.2F}, {pixels});
  AvgPool2d counted;
  counted.window = square_window(3, 2, 1), counted.padding_counts = true;
  const int pooled = b.add(counted, {below});
  AvgPool2d plain = counted;
  plain.padding_counts = false;
  const int other = b.add(plain, {sum});
  const int both = b.add(Add{}, {pooled, other});
  const int most = b.add(MaxPool2d{square_window(2, 1, 1)}, {both});
  const int flat = b.add(Flatten{}, {most});
  const int mean = b.add(GlobalAvgPool{}, {most});
  b.add(Add{}, {b.linear(flat, 5), b.linear(mean, 5)});
  return b.network();
}

TEST(OnnxExport, GivesTheLayersThatItWasMadeOf) {
  // Its flatten is of a vector, which is none when it is read.
  const Network residual = residual_network();
  EXPECT_EQ(read_back(residual).layers.size() + 1, residual.layers.size());
  for (const Network& network : {everything_network(), mixed_network()})
    expect_same_layers(read_back(network), network);
  for (const Network& network : {everything_network(), residual, mixed_network()}) {
    const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 12, 7);
    const Network again = read_back(network);
    EXPECT_TRUE(logits(again, data, 12) == logits(network, data, 12));
  }
}

/// By code that knows nothing of networks: ONNX's operators in double, beside the network's layers in double.
TEST(OnnxExport, MeansTheSameToOnnxsOperators) {
  for (Network network : {everything_network(), residual_network(), mixed_network()}) {
    const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 3, 7);
    const OnnxModel model = onnx_model_of(network);
    const bool softmax = std::holds_alternative<Softmax>(network.layers.back().operation);
    EXPECT_EQ(model.outputs.front().name, softmax ? "probabilities" : "logits");
    if (softmax) continue;  // A last softmax is left out of logits.
    const Values together = by_operators(model, channels_first(network, *data, 0, 3));
    for (int image = 0; image < 3; ++image) {
      const Values expected = by_layers(network, *data, static_cast<std::uint64_t>(image));
      const auto first = together.begin() + image * network.classes;
      EXPECT_LT(distance({first, first + network.classes}, expected), 1e-6) << "image " << image;
    }
    // One weight of the first product of 1.01 times its value is seen.
    const Values expected = by_layers(network, *data, 0);
    auto& weights = std::get<Conv2d>(network.layers.front().operation).weights;
    weights.row(0) *= 1.01F;
    const Values twin = by_operators(onnx_model_of(network), channels_first(network, *data, 0, 1));
    EXPECT_GT(distance(twin, expected), 1e-5);
  }
}

TEST(OnnxExport, KeepsPublishedResNetsToTheBit) {
  if (!std::filesystem::exists(shared_data("cifar10_test_2000.bin"))) {
    if (std::getenv("CI") != nullptr) FAIL() << shared_data("") << " is missing";
    GTEST_SKIP() << shared_data("") << " is missing (CROSSGRID_SHARED)";
  }
  const auto data = open_cifar_dataset(shared_data("cifar10_test_2000.bin"), 10, "test");
  for (const char* const depth : {"14", "20", "32", "56"}) {
    Network network = read_onnx(shared_data(fmt::format("resnet{}_cifar10.onnx", depth)));
    network.preprocess = {1 / 255.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
    const Network again = read_back(network);
    expect_same_layers(again, network);
    EXPECT_TRUE(logits(again, data, 16) == logits(network, data, 16)) << depth;
    EXPECT_THAT(operators(onnx_model_of(network)), Each(Not("BatchNormalization")));
  }
}

/// Copies of a layer's inputs, and how large the constants are that the graph needs for them.
struct Movement {
  const char* name;
  std::function<std::pair<int, int>(int y, int x, int c)> source;  ///< (input, place); input -1: fill
  Shape output;
  std::string op;
  std::int64_t largest_constant;
};

TEST(OnnxExport, MovesValuesInTheSimplestWay) {
  const Shape in{4, 3, 5};
  const auto at = [&](int y, int x, int c) { return (y * in.width + x) * in.channels + c; };
  const Movement movements[] = {
      {"as a vector", [&](int, int, int c) { return std::pair(0, c); }, {60, 1, 1}, "Reshape", 2},
      {"channels one after the other",
       [&](int y, int x, int c) { return std::pair(0, c * 15 + y * 5 + x); },
       {4, 3, 5},
       "Reshape",
       4},
      {"joined channels",
       [&](int y, int x, int c) { return std::pair(c / 4, at(y, x, c % 4)); },
       {8, 3, 5},
       "Concat",
       0},
      {"shuffled channels",
       [&](int y, int x, int c) { return std::pair(0, at(y, x, c % 2 * 2 + c / 2)); },
       {4, 3, 5},
       "Gather",
       4},
      {"channels of zeros",
       [&](int y, int x, int c) { return c < 4 ? std::pair(1, at(y, x, c)) : std::pair(-1, 0); },
       {6, 3, 5},
       "Gather",
       8},
      {"every other pixel",
       [&](int y, int x, int c) { return std::pair(0, at(2 * y, 2 * x, c)); },
       {4, 2, 3},
       "Gather",
       6},
      {"a frame",
       [&](int y, int x, int c) {
         const bool inside = y > 0 && x > 0 && y <= 3 && x <= 5;
         return inside ? std::pair(0, at(y - 1, x - 1, c)) : std::pair(-1, 0);
       },
       {4, 5, 7},
       "Gather",
       35},
      {"turned", [&](int y, int x, int c) { return std::pair(0, at(x, y, 3 - c)); }, {4, 5, 3}, "Gather", 60},
      {"any way",
       [&](int y, int, int c) { return c % 5 == 0 ? std::pair(-1, 0) : std::pair(c % 2, (7 * c + y) % 60); },
       {11, 2, 1},
       "Gather",
       22},
  };
  NetworkBuilder base(in, 9);
  base.conv(-1, 4, 3, 1, 1), base.conv(-1, 4, 1, 1, 0);
  const MemoryDataset data(in, 4, 2, 3);
  for (const Movement& movement : movements) {
    Network network = base.network();
    Rearrange copies;
    copies.output = movement.output, copies.fill = 0.25F;
    const Shape& out = movement.output;
    for (int k = 0; k < static_cast<int>(out.size()); ++k) {
      const auto [input, place] =
          movement.source(k / out.channels / out.width, k / out.channels % out.width, k % out.channels);
      copies.runs.push_back({input, place, 1});
    }
    network.layers.push_back({"/moved", copies, {0, 1}, out});
    if (std::ranges::none_of(copies.runs, [](const auto& run) { return run.input == 1; })) {
      network.layers.back().inputs = {0};
    }
    network.layers.push_back({"/end", Flatten{}, {2}, {static_cast<int>(out.size()), 1, 1}});
    network.classes = static_cast<int>(out.size());
    const OnnxModel model = onnx_model_of(network);
    const auto own = std::ranges::find(model.nodes, std::string("/moved"), &OnnxNode::name);
    ASSERT_NE(own, model.nodes.end()) << movement.name;
    EXPECT_EQ(own->op, movement.op) << movement.name;
    std::int64_t largest = 0;
    for (const auto& [name, tensor] : model.constants) {
      if (name.starts_with("/moved")) largest = std::max(largest, tensor.size());
    }
    EXPECT_EQ(largest, movement.largest_constant) << movement.name;
    const Values together = by_operators(model, channels_first(network, data, 0, 2));
    for (int image = 0; image < 2; ++image) {
      const Values expected = by_layers(network, data, static_cast<std::uint64_t>(image));
      const auto first = together.begin() + image * network.classes;
      EXPECT_LT(distance({first, first + network.classes}, expected), 1e-6) << movement.name << ", image " << image;
    }
  }
}

TEST(OnnxExport, NamesEveryNodeOnceAndTheLayersAsTheyAre) {
  Network network = mixed_network();
  network.layers[2].name = network.layers[0].name + "/Reshape";  // as one of its helpers would be called
  network.layers[3].name = "image";
  const OnnxModel model = onnx_model_of(network);
  std::set<std::string> names, values{model.inputs.front().name};
  for (const OnnxNode& node : model.nodes) {
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
    for (const std::string& output : node.outputs) EXPECT_TRUE(values.insert(output).second) << output;
  }
  for (const auto& [name, tensor] : model.constants) EXPECT_TRUE(values.insert(name).second) << name;
  for (const Layer& layer : network.layers) EXPECT_THAT(names, Contains(layer.name));
}

OnnxNode node_of(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
  OnnxNode node;
  node.op = op, node.name = "/" + output, node.opset = 12;
  node.inputs = std::move(inputs), node.outputs = {output};
  return node;
}

/// Elementwise operators go with any batch and as images lie; others image by image, in their file's opset.
TEST(OnnxExport, LeavesTheBatchOpenWhereItCan) {
  OnnxModel model;
  model.name = "small", model.opset = 12;
  model.inputs = {{"image", ElementType::float32, Extents{-1, 2, 3, 4}}};
  model.outputs = {{"logits", ElementType::float32, {}}};
  model.constants["slope"] = OnnxTensor::of_floats({2, 1, 1}, {0.1F, 0.2F});
  model.nodes = {node_of("PRelu", {"image", "slope"}, "p"), node_of("Sigmoid", {"p"}, "s"),
                 node_of("Flatten", {"s"}, "logits")};
  Network network = network_of(model);
  network.preprocess.scale = 1 / 255.0;
  const OnnxModel open = onnx_model_of(network);
  EXPECT_EQ(open.inputs.front().dims, (Extents{-1, 2, 3, 4}));
  EXPECT_EQ(open.opset, 12);
  EXPECT_THAT(operators(open), Each(Not("Transpose")));
  const MemoryDataset data(network.input, network.classes, 2, 5);
  const Values together = by_operators(open, channels_first(network, data, 0, 2));
  const Values second = by_layers(network, data, 1);
  EXPECT_LT(distance({together.begin() + network.classes, together.end()}, second), 1e-6);

  model.nodes[1] = node_of("LRN", {"p"}, "s");
  model.nodes[1].attributes["size"] = std::int64_t{3};
  network = network_of(model);
  network.preprocess.scale = 1 / 255.0;
  const OnnxModel single = onnx_model_of(network);
  EXPECT_EQ(single.inputs.front().dims, (Extents{1, 2, 3, 4}));
  EXPECT_LT(distance(by_operators(single, channels_first(network, data, 1, 1)), by_layers(network, data, 1)), 1e-6);
}

}  // namespace
}  // namespace crossgrid
