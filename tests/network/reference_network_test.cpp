#include "crossgrid/network/reference_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/inference.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

using test::MemoryDataset;
using test::Values;

std::vector<LayerHardware> uniform(const Network& network, const LayerHardware& hardware) {
  return std::vector<LayerHardware>(matrix_layers(network).size(), hardware);
}

LayerHardware in_double(LayerHardware hardware) {
  hardware.precision = Precision::float64;
  return hardware;
}

/// Errors, noise of both samplings, slices of weights and inputs, converters, rows of a bias.
std::vector<std::pair<const char*, LayerHardware>> cases() {
  LayerHardware cells;
  cells.array.rows_max = 25, cells.array.cols_max = 6;
  cells.device.on_off_ratio = 50;
  cells.device.programming_error = {ErrorModel::normal_proportional, 0.05};
  cells.device.read_noise = {ErrorModel::normal_independent, 0.02};
  LayerHardware lumped = cells;
  lumped.device.read_noise_sampling = NoiseSampling::lumped;
  LayerHardware sliced = cells;
  sliced.core.style = CoreStyle::offset, sliced.core.weight_bits = 6, sliced.core.slices = 3;
  sliced.core.bias_in_rows = true, sliced.core.bias_rows = 2;
  sliced.device.read_noise = {};
  sliced.dac.model = ConverterModel::sign_magnitude, sliced.dac.bits = 9, sliced.dac.slice_bits = 3;
  sliced.adc.model = ConverterModel::quantizer, sliced.adc.bits = 14;
  LayerHardware levels;
  levels.dac.model = ConverterModel::quantizer, levels.dac.bits = 10;
  levels.adc.model = ConverterModel::levels, levels.adc.bits = 7, levels.adc.levels.lloyd_max = true;
  return {{"cell by cell", cells}, {"lumped", lumped}, {"sliced", sliced}, {"levels", levels}};
}

/// Pools of negative values, a mean over an image that is not square.
Network pooling_network() {
  test::NetworkBuilder b({3, 9, 5}, 2);
  b.preprocess() = {1 / 255.0, {0.5, 0.5, 0.5}, {}};
  const int pooled = b.add(MaxPool2d{square_window(3, 2, 1)}, {b.conv(-1, 8, 3, 1, 1)});
  b.linear(b.add(Flatten{}, {b.add(GlobalAvgPool{}, {pooled})}), 5);
  return b.network();
}

TEST(ReferenceNetwork, RunsDigitalNetworksAsPlainLoopsDo) {
  for (const Network& network : {test::everything_network(), test::residual_network(), pooling_network()}) {
    const MemoryDataset data(network.input, network.classes, 5, 7);
    LayerHardware digital;
    digital.analog = false;
    const auto hardware = uniform(network, digital);
    const ReferenceNetwork reference(network, hardware, std::vector<LayerRanges>(hardware.size()), 1, 0);
    for (std::uint64_t image = 0; image < data.size(); ++image) {
      const auto expected = test::plain_network(network, data, image);
      const ReferenceNetwork::Image found = reference.run(data, image);
      const bool softmax = std::holds_alternative<Softmax>(network.layers.back().operation);
      const Values& logits = expected[expected.size() - (softmax ? 2 : 1)];
      ASSERT_EQ(found.logits.size(), logits.size());
      for (std::size_t c = 0; c < logits.size(); ++c) EXPECT_NEAR(found.logits[c], logits[c], 1e-12);
    }
  }
}

/// Rounding of one float is all that may lie between them, where no code flips.
TEST(ReferenceNetwork, SeesTheChipsThatTheFastPathSees) {
  const Network network = test::everything_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 40, 9);
  for (const auto& [name, chip] : cases()) {
    SCOPED_TRACE(name);
    InferenceEngine engine(network, data, {data, 20, 20, RangeFit::maximum, 99.99, {}, {}}, 2);
    InferenceRequest request;
    request.seed = 5, request.trial = 1, request.first = 3, request.count = 4;
    const auto fast_hardware = uniform(network, chip);
    request.hardware = fast_hardware;
    const Matrix fast = engine.logits(request);
    const auto slow_hardware = uniform(network, in_double(chip));
    request.hardware = slow_hardware;
    const Matrix slow = engine.logits(request);
    const float largest = slow.cwiseAbs().maxCoeff();
    // A code that flips at a threshold moves a logit by a part of an ADC's step.
    const bool rounds = chip.adc.model != ConverterModel::ideal;
    EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), (rounds ? 5e-3F : 2e-5F) * largest);
    // Converters may round the paths to equal bits (with int8 products they do); without them a float's rounding shows.
    EXPECT_TRUE(rounds || fast != slow) << "the same path ran twice";
    if (!chip.device.random()) continue;
    request.trial = 2;
    EXPECT_GT((engine.logits(request) - slow).cwiseAbs().maxCoeff(), 1e-2F * largest) << "another chip";
  }
}

/// Clips are counted before inputs are halved, in both.
TEST(ReferenceNetwork, CountsClipsAsTheFastPathDoes) {
  const Network network = test::residual_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 12, 9);
  LayerHardware chip;
  chip.dac = {ConverterModel::quantizer, 6, DacSign::automatic, RangeRule::calibrated, {}, {}};
  chip.adc.model = ConverterModel::quantizer;
  chip.adc.bits = 6, chip.adc.bound_management = 3;
  InferenceEngine engine(network, data, {data, 6, 6, RangeFit::percentile, 98, {}, {}}, 2);
  InferenceRequest request;
  request.count = 6;
  request.metrics = {"adc_clip_rate", "input_halvings"};
  const auto fast_hardware = uniform(network, chip);
  request.hardware = fast_hardware;
  const MatrixD fast = engine.image_metrics(request);
  const auto slow_hardware = uniform(network, in_double(chip));
  request.hardware = slow_hardware;
  const MatrixD slow = engine.image_metrics(request);
  EXPECT_GT(fast.minCoeff(), 0);
  EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), 2e-3) << "but for values at a limit";
}

/// What is not a number shows up in the logits, as on the fast path.
TEST(ReferenceNetwork, KeepsNaNThroughReluAsTheFastPathDoes) {
  test::NetworkBuilder b({2, 3, 3}, 3);
  b.linear(b.add(Flatten{}, {b.relu(b.conv(-1, 4, 1, 1, 0))}), 5);
  Network network = b.network();
  std::get<Conv2d>(network.layers[0].operation).bias[2] = std::numeric_limits<float>::quiet_NaN();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 2, 9);
  LayerHardware digital;
  digital.analog = false;
  InferenceEngine engine(network, data, {}, 1);
  for (const LayerHardware& precision : {digital, in_double(digital)}) {
    const auto hardware = uniform(network, precision);
    InferenceRequest request;
    request.hardware = hardware;
    request.count = 2;
    EXPECT_TRUE(engine.logits(request).array().isNaN().all());
  }
}

/// Conversions below a range and above it, and all layers' halvings: counted by brute force, matrix by matrix.
TEST(ReferenceNetwork, CountsWhatClipsOnBothSidesAndAllHalvings) {
  test::NetworkBuilder b({3, 5, 4}, 6);
  b.preprocess() = {1 / 255.0, {0.5, 0.5, 0.5}, {}};
  const int first = b.relu(b.conv(-1, 6, 3, 1, 1));
  b.linear(b.add(Flatten{}, {first}), 5);
  const Network network = b.network();
  const MemoryDataset data(network.input, network.classes, 3, 8);
  LayerHardware chip = in_double({});
  chip.adc.model = ConverterModel::quantizer, chip.adc.bits = 14;
  chip.adc.range = RangeRule::fixed, chip.adc.fixed_ranges = {{-1.5, 0.6}};
  for (const int most : {0, 3}) {
    chip.adc.bound_management = most;
    const auto hardware = uniform(network, chip);
    ReferenceNetwork reference(network, hardware, std::vector<LayerRanges>(2, {{-1, 1}, {}, {}}), 4, 2);
    for (std::size_t m = 0; m < 2; ++m) reference.program(m);
    const ReferenceMatrix conv(layer_weights(network.layers[0]), chip, {4, 2, 0});
    const ReferenceMatrix linear(layer_weights(network.layers[3]), chip, {4, 2, 3});
    const ConvolutionShape g = layer_geometry(network, 0);
    for (std::uint64_t image = 0; image < 3; ++image) {
      const ReferenceNetwork::Image found = reference.run(data, image);
      std::uint64_t halvings = 0, below = 0, above = 0;
      const auto count = [&](const ReferenceMatrix& matrix, const Values& x, int window) {
        ReferenceMvm mvm;
        mvm.input_range = {-1, 1};
        mvm.image = static_cast<std::uint32_t>(image), mvm.window = static_cast<std::uint32_t>(window);
        const ReferenceResult result = matrix.multiply(x, mvm);
        halvings += static_cast<std::uint64_t>(result.halvings);
        for (const ReferenceConversion& conversion : result.conversions) {
          below += conversion.value<-1.5, above += conversion.value> 0.6;
        }
        return result.halvings;
      };
      const Values pixels = test::image_values(network, data, image);
      for (int w = 0; w < g.out_height() * g.out_width(); ++w) count(conv, test::window_inputs(pixels, g, w), w);
      Values flat;  // (c, y, x) of what the convolution gave
      for (std::size_t c = 0; c < 6; ++c) {
        for (std::size_t p = c; p < found.outputs[0].size(); p += 6) flat.push_back(std::max(found.outputs[0][p], 0.0));
      }
      const std::uint64_t before = halvings;
      const int last = count(linear, flat, 0);
      EXPECT_EQ(found.halvings, halvings);
      if (most > 0) {
        EXPECT_TRUE(before > 0 && last > 0) << "both layers halve";
      }
      EXPECT_EQ(found.clipped, below + above);
      EXPECT_TRUE(below > 0 && above > 0);
    }
  }
}

TEST(ReferenceNetwork, GivesTheSameMetricsForAnyThreadsAndUnits) {
  const Network network = test::residual_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 12, 9);
  LayerHardware chip = in_double(cases()[2].second);
  chip.adc.bits = 5, chip.adc.bound_management = 2;
  const auto hardware = uniform(network, chip);
  InferenceRequest request;
  request.hardware = hardware;
  request.seed = 5, request.count = 6;
  request.metrics = {"top1", "loss", "layer_error", "adc_clip_rate", "input_halvings"};
  const CalibrationPlan plan{data, 6, 6, RangeFit::percentile, 99, {}, {}};
  const MatrixD whole = InferenceEngine(network, data, plan, 1).image_metrics(request);
  EXPECT_GT(whole.col(2).minCoeff(), 0);
  EXPECT_GT(whole.col(4).maxCoeff(), 0) << "percentile ranges clip";
  InferenceEngine parts(network, data, plan, 2);
  for (request.first = 0; request.first < 6; request.first += 2) {
    request.count = 2;
    EXPECT_EQ(parts.image_metrics(request), whole.middleRows(static_cast<Eigen::Index>(request.first), 2));
  }
}

}  // namespace
}  // namespace crossgrid
