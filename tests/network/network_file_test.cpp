#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <functional>

#include "crossgrid/base/json.hpp"
#include "crossgrid/network/network.hpp"
#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string shipped = CROSSGRID_TEST_SOURCE_DIR "/data/";

/// A network with every operation: two convolutions whose results are added, pools, a vector, classes.
constexpr const char* everything = R"({
  "format": "crossgrid-network", "version": 1, "name": "everything", "about": "a test",
  "input": {"channels": 2, "height": 5, "width": 6},
  "preprocess": {"scale": 0.5, "mean": [1, 2], "std": [3, 0.25]},
  "layers": [
    {"name": "left", "op": "conv2d", "inputs": ["image"], "kernel": [1, 1], "weights": [[1, 2], [3, -4.5]]},
    {"name": "right", "op": "conv2d", "inputs": ["image"], "kernel": [3, 1], "stride": 2, "padding": 0,
     "weights": [[1, 2, 3, 4, 5, 6]], "bias": [0.125]},
    {"name": "sum", "op": "add", "inputs": ["left", "left"]},
    {"name": "relu", "op": "relu", "inputs": ["sum"]},
    {"name": "max", "op": "max_pool2d", "inputs": ["relu"], "size": 2},
    {"name": "mean", "op": "avg_pool2d", "inputs": ["max"], "size": 2, "stride": 1, "padding": 1},
    {"name": "global", "op": "global_avg_pool", "inputs": ["mean"]},
    {"name": "flat", "op": "flatten", "inputs": ["right"]},
    {"name": "down", "op": "linear", "inputs": ["flat"], "weights": [[1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2]]},
    {"name": "both", "op": "add", "inputs": ["global", "down"]},
    {"name": "softmax", "op": "softmax", "inputs": ["both"]}
  ]
})";

class NetworkFile : public ::testing::Test {
 protected:
  Network read(const std::string& text) const {
    std::ofstream(folder_.file("net.json")) << text;
    return read_network(folder_.file("net.json"));
  }
  /// What the reader says of the network above after a change, without the file's name.
  std::string problem(const std::function<void(Json&)>& change) const {
    Json document = Json::parse(everything);
    change(document);
    const std::string message = bad_input_message([&] { read(document.dump()); });
    const std::string prefix = folder_.file("net.json") + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : "not naming the file: " + message;
  }
  /// The same, for a change of one layer's key.
  std::string problem(std::size_t layer, const std::string& key, const Json& value) const {
    return problem([&](Json& net) { net["layers"][layer][key] = value; });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(NetworkFile, ReadsEveryOperation) {
  const Network network = read(everything);
  EXPECT_EQ(network.name, "everything");
  EXPECT_EQ(network.input, (Shape{2, 5, 6}));
  EXPECT_EQ(network.classes, 2);
  EXPECT_EQ(network.preprocess.scale, 0.5);
  EXPECT_THAT(network.preprocess.mean, ElementsAre(1, 2));
  EXPECT_THAT(network.preprocess.std, ElementsAre(3, 0.25));
  std::vector<Shape> shapes;
  for (const Layer& layer : network.layers) shapes.push_back(layer.output);
  EXPECT_THAT(shapes, ElementsAre(Shape{2, 5, 6}, Shape{1, 2, 3}, Shape{2, 5, 6}, Shape{2, 5, 6}, Shape{2, 2, 3},
                                  Shape{2, 3, 4}, Shape{2, 1, 1}, Shape{6, 1, 1}, Shape{2, 1, 1}, Shape{2, 1, 1},
                                  Shape{2, 1, 1}));
  EXPECT_THAT(network.layers[0].inputs, ElementsAre(-1));
  EXPECT_THAT(network.layers[9].inputs, ElementsAre(6, 8));
}

TEST_F(NetworkFile, ReadsWeightsByRowsAndFillsInDefaults) {
  const Network network = read(everything);
  const auto& left = std::get<Conv2d>(network.layers[0].operation);
  EXPECT_EQ(left.weights(1, 0), 3.0f);
  EXPECT_EQ(left.weights(1, 1), -4.5f);
  EXPECT_THAT(left.bias, ElementsAre(0, 0));
  EXPECT_EQ(left.window.vertical.stride, 1);
  const auto& right = std::get<Conv2d>(network.layers[1].operation);
  EXPECT_EQ(right.window.vertical.kernel, 3);
  EXPECT_EQ(right.window.horizontal.kernel, 1);
  EXPECT_EQ(right.window.vertical.stride, 2);
  EXPECT_THAT(right.bias, ElementsAre(0.125f));
  EXPECT_EQ(std::get<MaxPool2d>(network.layers[4].operation).window.vertical.stride, 2);
  EXPECT_EQ(std::get<AvgPool2d>(network.layers[5].operation).window.horizontal.after, 1);
}

TEST_F(NetworkFile, KeepsEveryBitOfShortestFloats) {
  const std::vector<float> values{0.1f, 1.0f / 3.0f, 3.4028235e38f, 1.1754944e-38f, -1e-45f, 16777217.0f};
  std::string row;
  for (const float value : values) row += fmt::format("{}{}", row.empty() ? "" : ", ", value);
  const Network network = read(R"({"format": "crossgrid-network", "version": 1, "name": "x", "input": {"channels": 6},
    "layers": [{"name": "a", "op": "linear", "inputs": ["image"], "weights": [[)" +
                               row + "], [" + row + "]]}]}");
  const Matrix& weights = std::get<Linear>(network.layers[0].operation).weights;
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(weights(1, static_cast<Eigen::Index>(i))),
              std::bit_cast<std::uint32_t>(values[i]));
  }
  EXPECT_EQ(network.preprocess.scale, 1.0 / 255.0);
}

TEST_F(NetworkFile, ContentIsThatOfTheFile) {
  const Id128 content = read(everything).content;
  EXPECT_EQ(content, read(everything).content);
  EXPECT_NE(content, read(std::string(everything) + " ").content);
}

TEST_F(NetworkFile, RefusesAnotherFormatOrVersion) {
  EXPECT_EQ(problem([](Json& net) { net["format"] = "onnx"; }),
            "/format: found \"onnx\", expected \"crossgrid-network\"");
  EXPECT_EQ(problem([](Json& net) { net.erase("format"); }), "'format' is missing");
  EXPECT_EQ(problem([](Json& net) { net["version"] = 2; }),
            "/version: found 2, expected 1, the only version that this program reads");
  EXPECT_EQ(problem([](Json& net) { net = Json::array(); }), "found array, expected an object, the network");
}

TEST_F(NetworkFile, RefusesUnknownKeysAndOperations) {
  EXPECT_THAT(problem([](Json& net) { net["layer"] = 1; }), HasSubstr("/layer: unknown key; did you mean 'layers'?"));
  EXPECT_THAT(problem(1, "strides", 2), HasSubstr("/layers/1/strides: unknown key; did you mean 'stride'?"));
  EXPECT_THAT(problem(3, "stride", 2), HasSubstr("/layers/3/stride: unknown key"));
  EXPECT_THAT(problem(0, "op", "conv3d"),
              HasSubstr("/layers/0/op: unknown operation 'conv3d'; did you mean 'conv2d'?"));
  EXPECT_EQ(problem([](Json& net) { net["layers"][4].erase("size"); }), "/layers/4: 'size' is missing");
  EXPECT_EQ(problem([](Json& net) { net["layers"][4] = 7; }), "/layers/4: found 7, expected an object");
}

TEST_F(NetworkFile, RefusesWeightsThatDoNotFit) {
  EXPECT_EQ(problem(0, "weights", Json::parse("[[1, 2], [3]]")),
            "/layers/0/weights/1: found 1 numbers, expected 2 as in the first row");
  EXPECT_EQ(problem(0, "weights", Json::parse("[[1, 2, 3]]")),
            "/layers/0 (left): found 3 weights per output channel, expected 2 (2 input channels x kernel 1 x 1)");
  EXPECT_EQ(problem(0, "weights", Json::array()), "/layers/0/weights: found no rows, expected one per output");
  EXPECT_EQ(problem(0, "weights", Json::parse("[[]]")),
            "/layers/0/weights/0: found no numbers, expected one weight per input");
  EXPECT_EQ(problem(0, "weights", 3), "/layers/0/weights: found 3, expected an array");
  EXPECT_EQ(problem(1, "bias", Json::parse("[1, 2]")),
            "/layers/1/bias: found 2 numbers, expected 1, one per row of weights");
}

TEST_F(NetworkFile, RefusesNumbersThatFloat32CannotHold) {
  const std::string expected = ", expected a number that float32 can hold";
  EXPECT_EQ(problem(0, "weights", Json::parse("[[1, 2], [3, 1e39]]")), "/layers/0/weights/1/1: found 1e+39" + expected);
  EXPECT_EQ(problem(0, "weights", Json::parse("[[1, null], [3, 4]]")), "/layers/0/weights/0/1: found null" + expected);
  EXPECT_EQ(problem(1, "bias", Json::parse("[\"1\"]")), "/layers/1/bias/0: found \"1\"" + expected);
}

TEST_F(NetworkFile, RefusesInputsThatLeadNowhere) {
  EXPECT_EQ(problem(3, "inputs", {"sam"}),
            "/layers/3/inputs/0: found 'sam', expected 'image' or the name of an earlier layer; did you mean 'sum'?");
  EXPECT_THAT(problem(3, "inputs", {"softmax"}), HasSubstr("/layers/3/inputs/0: found 'softmax', expected 'image' or"));
  EXPECT_EQ(problem(9, "inputs", {"global", "global"}), "/layers/8: the output of 'down' is used by no layer");
  EXPECT_EQ(problem(2, "inputs", {"left"}), "/layers/2 (sum): found 1 inputs, expected 2");
  EXPECT_THAT(problem(2, "inputs", {"left", "right"}), HasSubstr("/layers/2 (sum): found inputs of 2 x 5 x 6"));
}

TEST_F(NetworkFile, RefusesNamesThatAreNotUnique) {
  EXPECT_EQ(problem(2, "name", "left"), "/layers/2/name: found 'left', expected another name: /layers/0 has it");
  EXPECT_THAT(problem(0, "name", "image"), HasSubstr("/layers/0/name: found 'image', expected another name"));
  EXPECT_EQ(problem(0, "name", ""), "/layers/0/name: found \"\", expected a string that is not empty");
}

TEST_F(NetworkFile, RefusesSizesOutOfRange) {
  EXPECT_EQ(problem(4, "size", 0), "/layers/4/size: found 0, expected a whole number from 1 to 65536");
  EXPECT_EQ(problem(4, "size", 2.5), "/layers/4/size: found 2.5, expected a whole number from 1 to 65536");
  EXPECT_EQ(problem(5, "padding", 2), "/layers/5/padding: found 2, expected a whole number from 0 to 1");
  EXPECT_EQ(problem(1, "kernel", {3}), "/layers/1/kernel: found array, expected [height, width]");
  EXPECT_THAT(problem([](Json& net) { net["input"]["height"] = 70000; }), HasSubstr("/input/height: found 70000"));
  EXPECT_THAT(problem([](Json& net) {
                net["input"] = {{"channels", 65536}, {"height", 65536}};
              }),
              HasSubstr("/input: found 4294967296 values"));
  EXPECT_THAT(problem([](Json& net) { net["preprocess"]["mean"] = {1}; }),
              HasSubstr("/preprocess/mean: found 1 numbers, expected 2, one per channel"));
  EXPECT_EQ(problem([](Json& net) { net["preprocess"]["std"][1] = 0; }),
            "/preprocess/std/1: found 0, expected a number above 0");
}

TEST_F(NetworkFile, RefusesAnOutputThatIsNoVectorOfClasses) {
  EXPECT_EQ(problem([](Json& net) { net["layers"].erase(net["layers"].begin() + 1, net["layers"].end()); }),
            "/layers: the last layer 'left' makes 2 x 5 x 6, expected a vector of at least two classes");
  EXPECT_EQ(problem([](Json& net) { net["layers"].clear(); }), "/layers: found no layers, expected at least one");
}

TEST_F(NetworkFile, NamesLineAndColumnOfWhatIsNotJson) {
  EXPECT_THAT(bad_input_message([&] { read("{\n  \"format\": crossgrid"); }), HasSubstr("net.json:2:1"));
  EXPECT_THAT(bad_input_message([&] { read_network(folder_.file("none.json")); }), HasSubstr("none.json: "));
}

std::vector<std::tuple<std::string, int, int, int>> sizes(const Network& network) {
  std::vector<std::tuple<std::string, int, int, int>> found;
  for (const MatrixLayer& layer : matrix_layers(network)) {
    found.emplace_back(layer.name, layer.rows, layer.cols, layer.mvms_per_image);
  }
  return found;
}

TEST(ShippedNetworks, HaveTheDocumentedMatrices) {
  using Size = std::tuple<std::string, int, int, int>;
  EXPECT_THAT(
      sizes(read_network(shipped + "digits-cnn.json")),
      ElementsAre(Size{"/conv1/Conv", 9, 8, 64}, Size{"/conv2/Conv", 72, 16, 64}, Size{"/fc1/Gemm", 256, 10, 1}));
  EXPECT_THAT(sizes(read_network(shipped + "fashion-cnn.json")),
              ElementsAre(Size{"/conv1/Conv", 9, 16, 784}, Size{"/conv2/Conv", 144, 32, 196},
                          Size{"/conv3/Conv", 288, 64, 49}, Size{"/fc1/Gemm", 576, 10, 1}));
}

}  // namespace
}  // namespace crossgrid
