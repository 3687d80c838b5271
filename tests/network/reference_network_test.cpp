#include "crossgrid/network/reference_network.hpp"

#include <gtest/gtest.h>

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

TEST(ReferenceNetwork, RunsDigitalNetworksAsPlainLoopsDo) {
  for (const Network& network : {test::everything_network(), test::residual_network()}) {
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
