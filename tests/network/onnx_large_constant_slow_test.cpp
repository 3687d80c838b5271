#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crossgrid/network/onnx_network.hpp"
#include "crossgrid/onnx/onnx_limits.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"

/// Weights of more values than a result may have elsewhere, which the graph moves and scales before it multiplies.
namespace crossgrid {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t inputs = 1 << 14, outputs = (most_values >> 14) + 1;

float weight(std::int64_t input, std::int64_t output) {
  return static_cast<float>((7 * input + 3 * output) % 11 - 5);
}

OnnxNode node_of(const std::string& op, std::vector<std::string> from, const std::string& to) {
  OnnxNode node;
  node.op = op, node.name = "/" + to, node.inputs = std::move(from), node.outputs = {to};
  return node;
}

/// image x (2 W), W stored as inputs x outputs in two axes more.
OnnxModel model_of() {
  OnnxModel model;
  model.name = "large", model.opset = 13;
  model.inputs = {{"image", ElementType::float32, Extents{1, inputs}}};
  model.outputs = {{"logits", ElementType::float32, Extents{1, outputs}}};
  model.constants["shape"] = OnnxTensor::of_integers(ElementType::int64, {2}, {inputs, outputs});
  model.constants["two"] = OnnxTensor::of_floats({1}, {2});
  OnnxNode turned = node_of("Transpose", {"twice"}, "turned"), product = node_of("Gemm", {"image", "turned"}, "logits");
  product.attributes["transB"] = std::int64_t{1};
  model.nodes = {node_of("Reshape", {"stored", "shape"}, "matrix"), node_of("Mul", {"matrix", "two"}, "twice"), turned,
                 product};
  return model;
}

TEST(LargeConstant, MayBeMovedWhereTheFileHoldsIt) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("large.onnx");
  {
    OnnxModel model = model_of();
    std::vector<float> stored;
    stored.reserve(static_cast<std::size_t>(inputs * outputs));
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t j = 0; j < outputs; ++j) stored.push_back(weight(i, j));
    }
    model.constants["stored"] = OnnxTensor::of_floats({1, inputs, 1, outputs}, std::move(stored));
    write_onnx_model(model, path);
  }
  const Network network = read_onnx(path);
  ASSERT_EQ(network.layers.size(), 1u);
  const Matrix& weights = std::get<Linear>(network.layers.front().operation).weights;
  ASSERT_EQ(weights.rows(), outputs);
  ASSERT_EQ(weights.cols(), inputs);
  std::int64_t wrong = 0;
  for (std::int64_t j = 0; j < outputs; ++j) {
    for (std::int64_t i = 0; i < inputs; ++i) wrong += weights(j, i) == 2 * weight(i, j) ? 0 : 1;
  }
  EXPECT_EQ(wrong, 0);
}

/// The same of a file of a few hundred bytes.
TEST(LargeConstant, IsRefusedWhereTheFileAsksForItOnly) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("small.onnx");
  OnnxModel model = model_of();
  model.constants["extents"] = OnnxTensor::of_integers(ElementType::int64, {4}, {1, inputs, 1, outputs});
  model.nodes.insert(model.nodes.begin(), node_of("ConstantOfShape", {"extents"}, "stored"));
  write_onnx_model(model, path);
  EXPECT_THAT(testing::bad_input_message([&] { read_onnx(path); }),
              HasSubstr("node '/stored' (ConstantOfShape): makes 1 x 16384 x 1 x 4097, expected extents from 0 on and "
                        "at most 67108864 values"));
}

}  // namespace
}  // namespace crossgrid
