#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "crossgrid/base/rounding.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/onnx_network.hpp"
#include "network_fixture.hpp"

/// Models with QuantizeLinear and DequantizeLinear: their scales as ranges of DACs and weights.
namespace crossgrid {
namespace {

using test::MemoryDataset;

constexpr double image_scale = 1 / 250.0, hidden_scale = 0.0173, conv_scale = 0.0031, gemm_scale = 0.0057;
constexpr int hidden_zero = 100;
constexpr int channels = 4, pixels = 36, classes = 5;

/// A convolution and a linear layer of int8 weights behind uint8 activations, and the integers that it is made of.
/// by_channel: each output's weights have a scale of their own.
struct SmallModel {
  explicit SmallModel(bool by_channel = false) {
    std::mt19937 random(7);
    const auto draw = [&](std::size_t count) {
      std::vector<std::int64_t> values(count);
      // The largest is not the type's: a scale of max|W| is another one.
      for (auto& value : values) value = static_cast<int>(random() % 201u) - 100;
      return values;
    };
    conv_weights = draw(std::size_t{channels * 2 * 9}), gemm_weights = draw(std::size_t{classes * channels * pixels});
    model.file = "model.onnx", model.name = "small", model.opset = 13;
    model.inputs = {{"image", ElementType::float32, Extents{1, 2, 6, 6}}};
    model.outputs = {{"logits", ElementType::float32, std::nullopt}};
    scale("image_scale", image_scale), zero("image_zero", ElementType::uint8, 0);
    scale("hidden_scale", hidden_scale), zero("hidden_zero", ElementType::uint8, hidden_zero);
    conv_scales = weight_scales("conv_scale", "conv_zero", conv_scale, channels, by_channel);
    gemm_scales = weight_scales("gemm_scale", "gemm_zero", gemm_scale, classes, by_channel);
    integers("conv_q", {channels, 2, 3, 3}, conv_weights);
    integers("gemm_q", {classes, channels * pixels}, gemm_weights);
    model.constants["conv_bias"] = OnnxTensor::of_floats({channels}, conv_bias);
    model.constants["gemm_bias"] = OnnxTensor::of_floats({classes}, gemm_bias);
    node("QuantizeLinear", {"image", "image_scale", "image_zero"}, "image_q");
    node("DequantizeLinear", {"image_q", "image_scale", "image_zero"}, "image_dq");
    node("DequantizeLinear", {"conv_q", "conv_scale", "conv_zero"}, "conv_w").attributes["axis"] = std::int64_t{0};
    node("Conv", {"image_dq", "conv_w", "conv_bias"}, "conv").attributes["pads"] =
        std::vector<std::int64_t>{1, 1, 1, 1};
    node("QuantizeLinear", {"conv", "hidden_scale", "hidden_zero"}, "hidden_q");
    node("DequantizeLinear", {"hidden_q", "hidden_scale", "hidden_zero"}, "hidden_dq");
    node("Flatten", {"hidden_dq"}, "flat");
    node("DequantizeLinear", {"gemm_q", "gemm_scale", "gemm_zero"}, "gemm_w").attributes["axis"] = std::int64_t{0};
    node("Gemm", {"flat", "gemm_w", "gemm_bias"}, "logits").attributes["transB"] = std::int64_t{1};
  }

  OnnxNode& node(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
    OnnxNode made;
    made.file = model.file, made.opset = model.opset, made.name = "/" + output, made.op = op;
    made.inputs = std::move(inputs), made.outputs = {output};
    model.nodes.push_back(std::move(made));
    return model.nodes.back();
  }
  void scale(const std::string& name, double value) {
    model.constants[name] = OnnxTensor::of_reals(ElementType::float32, {}, {value});
  }
  void zero(const std::string& name, ElementType type, std::int64_t value) {
    model.constants[name] = OnnxTensor::of_integers(type, {}, {value});
  }
  /// By output: the k-th is smaller by 1 + 2 k, or all are `largest`.
  std::vector<double> weight_scales(const std::string& name, const std::string& zero_name, double largest, int outputs,
                                    bool by_channel) {
    std::vector<double> scales;
    for (int k = 0; k < outputs; ++k)
      scales.push_back(double{static_cast<float>(largest / (by_channel ? 1 + 2 * k : 1))});
    if (!by_channel) {
      scale(name, largest), zero(zero_name, ElementType::int8, 0);
    } else {
      model.constants[name] = OnnxTensor::of_reals(ElementType::float32, {outputs}, scales);
      model.constants[zero_name] = OnnxTensor::of_integers(
          ElementType::int8, {outputs}, std::vector<std::int64_t>(static_cast<std::size_t>(outputs), 0));
    }
    return scales;
  }
  void integers(const std::string& name, Extents dims, const std::vector<std::int64_t>& values) {
    model.constants[name] = OnnxTensor::of_integers(ElementType::int8, std::move(dims), values);
  }

  OnnxModel model;
  std::vector<std::int64_t> conv_weights, gemm_weights;
  std::vector<double> conv_scales, gemm_scales;  ///< by output
  std::vector<float> conv_bias{0.05F, -0.1F, 0.2F, 0}, gemm_bias{0.1F, 0, -0.3F, 0.2F, 0.05F};
};

int quantized(double value, double scale, int zero) {
  const double quotient = value / scale;
  EXPECT_GT(std::abs(quotient - std::floor(quotient) - 0.5), 1e-5) << "a tie proves nothing: choose other numbers";
  return std::clamp(static_cast<int>(round_half_even(quotient)) + zero, 0, 255);
}

/// The model by integer arithmetic.
std::vector<double> logits_by_hand(const SmallModel& small, Pixels image) {
  const double s1 = double{static_cast<float>(image_scale)}, s2 = double{static_cast<float>(hidden_scale)};
  std::vector<std::int64_t> hidden;  // less their zero point, channel-major
  for (std::size_t c = 0; c < channels; ++c) {
    for (int y = 0; y < 6; ++y) {
      for (int x = 0; x < 6; ++x) {
        std::int64_t sum = 0;
        for (int in = 0; in < 2; ++in) {
          for (int k = 0; k < 9; ++k) {
            const int row = y + k / 3 - 1, column = x + k % 3 - 1;
            if (row < 0 || column < 0 || row >= 6 || column >= 6) continue;
            const double pixel =
                static_cast<float>(image[static_cast<std::size_t>((row * 6 + column) * 2 + in)] / 255.0);
            sum += quantized(pixel, s1, 0) *
                   small.conv_weights[(c * 2 + static_cast<std::size_t>(in)) * 9 + static_cast<std::size_t>(k)];
          }
        }
        const double value = static_cast<double>(sum) * s1 * small.conv_scales[c] + double{small.conv_bias[c]};
        hidden.push_back(quantized(value, s2, hidden_zero) - hidden_zero);
      }
    }
  }
  std::vector<double> logits;
  for (std::size_t j = 0; j < classes; ++j) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < hidden.size(); ++i) sum += hidden[i] * small.gemm_weights[j * hidden.size() + i];
    logits.push_back(static_cast<double>(sum) * s2 * small.gemm_scales[j] + double{small.gemm_bias[j]});
  }
  return logits;
}

constexpr std::uint32_t images = 4;

/// Ideal cells of 8-bit weights behind 8-bit DACs, both with the model's ranges.
std::vector<LayerHardware> hardware_of(const Network& network) {
  std::vector<LayerHardware> all;
  for (const MatrixLayer& layer : matrix_layers(network)) {
    LayerHardware hardware;
    hardware.core.weight_bits = 8;
    hardware.core.clip = {WeightClip::Rule::limit, layer.grids.weights->largest()};
    hardware.core.column_scales = layer.grids.weight_factors;
    hardware.dac.model = ConverterModel::quantizer;
    hardware.dac.range = RangeRule::fixed;
    hardware.dac.fixed_range = {layer.grids.inputs->smallest(), layer.grids.inputs->largest()};
    all.push_back(hardware);
  }
  return all;
}

TEST(QuantizedModel, GivesItsScalesToItsProducts) {
  const Network network = network_of(SmallModel().model);
  const auto layers = matrix_layers(network);
  ASSERT_EQ(layers.size(), 2u);
  const auto single = [](double value) { return double{static_cast<float>(value)}; };
  EXPECT_EQ(layers[0].grids.inputs, (QuantizedGrid{single(image_scale), 0, 0, 255}));
  EXPECT_EQ(layers[0].grids.weights, (QuantizedGrid{single(conv_scale), 0, -128, 127}));
  EXPECT_EQ(layers[1].grids.inputs, (QuantizedGrid{single(hidden_scale), hidden_zero, 0, 255})) << "past the Flatten";
  EXPECT_EQ(layers[1].grids.weights, (QuantizedGrid{single(gemm_scale), 0, -128, 127}));
  EXPECT_NEAR(layers[1].grids.inputs->smallest(), -hidden_zero * hidden_scale, 1e-6);
  EXPECT_NEAR(layers[1].grids.inputs->largest(), (255 - hidden_zero) * hidden_scale, 1e-6);
}

TEST(QuantizedModel, GivesItsScalesByOutputToItsProducts) {
  const SmallModel small(true);
  const auto layers = matrix_layers(network_of(small.model));
  EXPECT_EQ(layers[0].grids.weights, (QuantizedGrid{small.conv_scales[0], 0, -128, 127}));
  ASSERT_EQ(layers[0].grids.weight_factors.size(), static_cast<std::size_t>(channels));
  ASSERT_EQ(layers[1].grids.weight_factors.size(), static_cast<std::size_t>(classes));
  for (std::size_t k = 0; k < channels; ++k) EXPECT_NEAR(layers[0].grids.weight_factors[k], 1 / (1 + 2.0 * k), 1e-6);
}

TEST(QuantizedModel, HasNoScaleWhereItDoesNotSayOne) {
  SmallModel by_input;  // along the other axis
  by_input.weight_scales("conv_scale", "conv_zero", conv_scale, 2, true);
  by_input.model.nodes[2].attributes["axis"] = std::int64_t{1};
  ModelGrids grids = matrix_layers(network_of(by_input.model))[0].grids;
  EXPECT_TRUE(grids.inputs.has_value());
  EXPECT_FALSE(grids.weights.has_value());
  EXPECT_TRUE(grids.other_scales);

  SmallModel folded;  // a batch norm changes the weights that the scale was of
  folded.model.nodes[3].outputs = {"product"};
  for (const char* name : {"gamma", "beta", "mean"}) {
    folded.model.constants[name] = OnnxTensor::of_floats({channels}, {0.9F, 1.3F, 0.7F, 1.1F});
  }
  folded.model.constants["variance"] = OnnxTensor::of_floats({channels}, {1, 1, 1, 1});
  folded.node("BatchNormalization", {"product", "gamma", "beta", "mean", "variance"}, "conv");
  std::rotate(folded.model.nodes.begin() + 4, folded.model.nodes.end() - 1, folded.model.nodes.end());
  grids = matrix_layers(network_of(folded.model))[0].grids;
  EXPECT_TRUE(grids.inputs.has_value());
  EXPECT_FALSE(grids.weights.has_value());
  EXPECT_FALSE(grids.other_scales);

  SmallModel between;  // values are changed on their way
  between.model.nodes[6].op = "Sigmoid";
  between.node("Flatten", {"flat"}, "flatter");
  std::rotate(between.model.nodes.begin() + 7, between.model.nodes.end() - 1, between.model.nodes.end());
  between.model.nodes.back().inputs[0] = "flatter";
  EXPECT_FALSE(matrix_layers(network_of(between.model))[1].grids.inputs.has_value());
}

class QuantizedModels : public testing::TestWithParam<bool> {};

TEST_P(QuantizedModels, RunOnArraysAsByIntegers) {
  const SmallModel small(GetParam());
  const Network network = network_of(small.model);
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, images, 3);
  InferenceEngine engine(network, data, {}, 1);
  Matrix expected(images, classes);
  for (std::uint32_t image = 0; image < images; ++image) {
    const auto row = logits_by_hand(small, data->pixels(image));
    for (std::size_t c = 0; c < classes; ++c) {
      expected(static_cast<Eigen::Index>(image), static_cast<Eigen::Index>(c)) = static_cast<float>(row[c]);
    }
  }
  const float tolerance = 2e-6F * expected.cwiseAbs().maxCoeff();
  const auto run = [&](const std::vector<LayerHardware>& hardware) {
    InferenceRequest request;
    request.hardware = hardware;
    request.count = images;
    return engine.logits(request);
  };
  const auto error = [&](const std::vector<LayerHardware>& hardware) {
    return (run(hardware) - expected).cwiseAbs().maxCoeff();
  };
  const std::vector<LayerHardware> exact = hardware_of(network);
  EXPECT_LT((engine.reference_logits(0, images) - expected).cwiseAbs().maxCoeff(), tolerance) << "digitally";
  EXPECT_LT(error(exact), tolerance);
  // The DAC does what QuantizeLinear and DequantizeLinear have done: doing it twice changes nothing.
  std::vector<LayerHardware> without = exact;
  for (LayerHardware& layer : without) layer.dac = {};
  EXPECT_LT((run(exact) - run(without)).cwiseAbs().maxCoeff(), tolerance);
  // Twins: a DAC or a weight limit that is off by one level, the usual limit.
  for (std::size_t m = 0; m < exact.size(); ++m) {
    std::vector<LayerHardware> twin = exact;
    Interval& range = twin[m].dac.fixed_range;
    range.high += (range.high - range.low) / 255;
    EXPECT_GT(error(twin), 100 * tolerance) << "inputs of matrix layer " << m;
    twin = exact;
    twin[m].core.clip.value *= 128.0 / 127.0;
    EXPECT_GT(error(twin), 100 * tolerance) << "weights of matrix layer " << m;
    twin = exact;
    twin[m].core.clip = {};
    EXPECT_GT(error(twin), 100 * tolerance) << "max|W| of matrix layer " << m;
    if (!GetParam()) continue;
    twin = exact;
    twin[m].core.column_scales.clear();
    EXPECT_GT(error(twin), 100 * tolerance) << "one scale for matrix layer " << m;
  }
}

INSTANTIATE_TEST_SUITE_P(Scales, QuantizedModels, testing::Bool(), [](const testing::TestParamInfo<bool>& test) {
  return std::string(test.param ? "ByOutput" : "OfATensor");
});

}  // namespace
}  // namespace crossgrid
