#include "crossgrid/network/inference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

using test::everything_network;
using test::MemoryDataset;
using test::NetworkBuilder;
using test::residual_network;
using test::Values;

std::vector<LayerHardware> uniform_hardware(const Network& network, const LayerHardware& hardware) {
  return std::vector<LayerHardware>(matrix_layers(network).size(), hardware);
}

double largest(const Matrix& m) {
  return m.cwiseAbs().maxCoeff();
}

std::size_t logits_layer(const Network& network) {
  const bool softmax = std::holds_alternative<Softmax>(network.layers.back().operation);
  return network.layers.size() - (softmax ? 2 : 1);
}

TEST(InferenceEngine, RunsTheFloatNetworkAsPlainLoopsDo) {
  for (const Network& network : {everything_network(), residual_network()}) {
    const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 23, 7);
    InferenceEngine engine(network, data, {}, 2);
    const Matrix logits = engine.reference_logits(3, 17);
    for (int image = 0; image < 17; ++image) {
      const Values expected =
          test::plain_network(network, *data, static_cast<std::uint64_t>(image) + 3)[logits_layer(network)];
      ASSERT_EQ(logits.cols(), static_cast<Eigen::Index>(expected.size()));
      for (std::size_t c = 0; c < expected.size(); ++c) {
        EXPECT_NEAR(logits(image, static_cast<Eigen::Index>(c)), expected[c], 1e-5 * largest(logits));
      }
    }
  }
}

/// tests/data/reference: logits that PyTorch computed in double from the stored network.
void compare_with_torch(const std::string& name, const std::string& folder) {
  const std::string root = CROSSGRID_TEST_SOURCE_DIR;
  const Json expected = read_json_file(root + "/tests/data/reference/" + name + "-logits.json");
  const Network network = read_network(root + "/data/" + name + ".json");
  const auto data = open_dataset(folder, "idx", "test");
  InferenceEngine engine(network, data, {}, 2);
  const auto count = expected.at("count").get<std::uint32_t>();
  const Matrix logits = engine.reference_logits(expected.at("first").get<std::uint64_t>(), count);
  for (Eigen::Index image = 0; image < logits.rows(); ++image) {
    const Json& row = expected.at("logits").at(static_cast<std::size_t>(image));
    for (Eigen::Index c = 0; c < logits.cols(); ++c) {
      ASSERT_NEAR(logits(image, c), row.at(static_cast<std::size_t>(c)).get<double>(),
                  1e-5 * largest(logits.row(image)))
          << "image " << image << " class " << c;
    }
  }
  // Ideal arrays of any size: the same accuracy exactly, the same loss as PyTorch's.
  LayerHardware ideal;
  const auto hardware = uniform_hardware(network, ideal);
  InferenceRequest request;
  request.hardware = hardware;
  request.count = static_cast<std::uint32_t>(data->size());
  request.metrics = {"top1", "loss"};
  const auto metrics = engine.run(request, {});
  EXPECT_EQ(metrics.at("top1").mean() * static_cast<double>(data->size()), expected.at("correct").get<double>());
  EXPECT_NEAR(metrics.at("loss").mean(), expected.at("mean_loss").get<double>(), 1e-6);
}

TEST(InferenceEngine, RunsTheDigitsNetworkAsPyTorchDoes) {
  compare_with_torch("digits-cnn", std::string(CROSSGRID_TEST_SOURCE_DIR) + "/data/digits");
}

TEST(InferenceEngine, RunsTheFashionNetworkAsPyTorchDoes) {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) {
    if (std::getenv("CI")) FAIL() << folder << " is missing: install dataset-fashion-mnist";
    GTEST_SKIP() << folder << " is missing (dataset-fashion-mnist)";
  }
  compare_with_torch("fashion-cnn", folder);
}

TEST(InferenceEngine, IdealArraysReproduceTheFloatNetwork) {
  const Network network = everything_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 40, 9);
  InferenceEngine engine(network, data, {}, 2);
  const Matrix expected = engine.reference_logits(0, 40);
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const int rows_max : {1000, 50, 7}) {
      LayerHardware ideal;
      ideal.core.style = style;
      ideal.array.rows_max = rows_max;
      ideal.array.cols_max = 6;
      const auto hardware = uniform_hardware(network, ideal);
      InferenceRequest request;
      request.hardware = hardware;
      request.count = 40;
      const Matrix logits = engine.logits(request);
      EXPECT_LT(largest(logits - expected), 1e-5 * largest(expected));
      for (Eigen::Index image = 0; image < 40; ++image) {
        Eigen::Index a, b;
        logits.row(image).maxCoeff(&a), expected.row(image).maxCoeff(&b);
        EXPECT_EQ(a, b);
      }
    }
  }
}

/// Everything that is random or calibrated at once, split in the middle of channels.
LayerHardware busy_hardware() {
  LayerHardware hardware;
  hardware.core.weight_bits = 6;
  hardware.array.rows_max = 25;
  hardware.device.on_off_ratio = 50;
  hardware.device.programming_error = {ErrorModel::normal_proportional, 0.05};
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.01};
  hardware.device.read_noise_sampling = NoiseSampling::lumped;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  hardware.dac.bits = 6, hardware.adc.bits = 5;
  return hardware;
}

using Metrics = std::map<std::string, MetricSum>;

struct Bench {
  Network network = residual_network();
  std::shared_ptr<MemoryDataset> data = std::make_shared<MemoryDataset>(network.input, network.classes, 200, 21);
  std::vector<LayerHardware> hardware;

  explicit Bench(LayerHardware all = busy_hardware()) : hardware(uniform_hardware(network, all)) {
    hardware[1].core.style = CoreStyle::offset;
    hardware.back().device.read_noise_sampling = NoiseSampling::per_cell;
  }
  CalibrationPlan calibration() const {
    CalibrationPlan plan;
    plan.data = data;
    plan.first = 150, plan.count = 50;
    return plan;
  }
  InferenceRequest request(std::uint64_t first, std::uint32_t count) const {
    InferenceRequest r;
    r.hardware = hardware, r.seed = 5, r.trial = 1, r.first = first, r.count = count;
    r.metrics = {"top1", "top5", "loss", "layer_error", "adc_clip_rate"};
    return r;
  }
  Metrics run(InferenceEngine& engine, const std::vector<std::pair<std::uint64_t, std::uint32_t>>& units) const {
    Metrics sum;
    for (const auto& [first, count] : units) {
      for (const auto& [name, value] : engine.run(request(first, count), {})) sum[name] += value;
    }
    return sum;
  }
};

TEST(InferenceEngine, GivesTheSameBitsForAnyThreadsUnitsAndCaches) {
  const Bench bench;
  InferenceEngine one(bench.network, bench.data, bench.calibration(), 1);
  const Metrics expected = bench.run(one, {{5, 103}});
  EXPECT_EQ(expected.at("loss").count, 103u);
  EXPECT_EQ(expected.at("loss").not_finite, 0u);
  EXPECT_GT(expected.at("layer_error").mean(), 0.01);
  EXPECT_GT(expected.at("adc_clip_rate").mean(), 0);
  for (const int threads : {1, 2, 3}) {
    InferenceEngine engine(bench.network, bench.data, bench.calibration(), threads);
    EXPECT_EQ(bench.run(engine, {{70, 38}, {5, 1}, {6, 64}}), expected) << threads << " threads, cold";
    EXPECT_EQ(bench.run(engine, {{5, 103}}), expected) << threads << " threads, warm";
    EXPECT_EQ(bench.run(engine, {{5, 50}, {55, 53}}), expected) << threads << " threads, other units";
  }
  // A faulty twin: another trial must not give the same.
  InferenceRequest other = bench.request(5, 103);
  other.trial = 2;
  EXPECT_NE(one.run(other, {}), expected);
}

TEST(InferenceEngine, GivesTheSameResultsWhateverMetricsAreAskedFor) {
  const Network network = read_network(std::string(CROSSGRID_TEST_SOURCE_DIR) + "/data/digits-cnn.json");
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 70, 2);
  CalibrationPlan plan;
  plan.data = data, plan.count = 70;
  InferenceEngine engine(network, data, plan, 2);
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    LayerHardware hardware = busy_hardware();
    hardware.array.rows_max.reset();
    hardware.core.style = style;
    const auto all = uniform_hardware(network, hardware);
    InferenceRequest request;
    request.hardware = all, request.count = 70;
    request.metrics = {"loss"};
    const Metrics plain = engine.run(request, {});
    request.metrics = {"loss", "layer_error", "adc_clip_rate"};  // outputs before the ReLU: nothing is pooled early
    EXPECT_EQ(engine.run(request, {}).at("loss"), plain.at("loss"));
  }
}

TEST(InferenceEngine, GivesEachReaderOfATensorItsOwnDac) {
  NetworkBuilder b({3, 6, 6}, 2);
  const int stem = b.relu(b.conv(-1, 4, 3, 1, 1));
  const int left = b.conv(stem, 5, 3, 1, 1), right = b.conv(stem, 5, 1, 1, 0);
  b.linear(b.add(Flatten{}, {b.add(Add{}, {left, right})}), 4);
  const auto data = std::make_shared<MemoryDataset>(Shape{3, 6, 6}, 4, 20, 2);
  CalibrationPlan plan;
  plan.data = data, plan.count = 20;
  InferenceEngine engine(b.network(), data, plan, 1);
  LayerHardware hardware;
  hardware.dac.model = ConverterModel::quantizer;
  auto equal = uniform_hardware(b.network(), hardware), coarse_left = equal;
  coarse_left[1].dac.bits = 2;
  InferenceRequest request;
  request.count = 20;
  request.hardware = equal;
  const Matrix left_fine = engine.layer_outputs(request, 1), right_fine = engine.layer_outputs(request, 2);
  request.hardware = coarse_left;
  EXPECT_NE(engine.layer_outputs(request, 1), left_fine);
  EXPECT_EQ(engine.layer_outputs(request, 2), right_fine);
}

TEST(InferenceEngine, BeatsBetweenMicroBatchesAndPassesErrorsOn) {
  const Bench bench;
  InferenceEngine engine(bench.network, bench.data, bench.calibration(), 2);
  int beats = 0;
  engine.run(bench.request(0, 130), [&] { ++beats; });
  const int batch = micro_batch_size(bench.network, bench.hardware);
  EXPECT_EQ(beats, (130 + batch - 1) / batch);
  InferenceRequest request = bench.request(0, 10);
  request.metrics = {"accuracy"};
  EXPECT_THROW(engine.run(request, {}), Error);
  EXPECT_THROW(engine.run(bench.request(199, 2), {}), Error);
  EXPECT_EQ(engine.run(bench.request(199, 1), {}).at("top1").count, 1u);
}

TEST(InferenceEngine, FindsNoErrorInTheFloatNetworkItself) {
  Bench bench;
  for (LayerHardware& layer : bench.hardware) layer.analog = false;
  InferenceEngine engine(bench.network, bench.data, {}, 2);
  const Metrics metrics = engine.run(bench.request(0, 60), {});
  EXPECT_EQ(metrics.at("layer_error").sum, 0);
  EXPECT_EQ(metrics.at("adc_clip_rate").sum, 0);
}

TEST(InferenceEngine, LosesAccuracyAsAdcBitsAreTakenAway) {
  double before = 0;
  for (const int bits : {10, 8, 6, 4, 2}) {
    LayerHardware hardware;
    hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
    hardware.adc.bits = bits;
    Bench bench(hardware);
    InferenceEngine engine(bench.network, bench.data, bench.calibration(), 2);
    const double error = engine.run(bench.request(0, 100), {}).at("layer_error").mean();
    EXPECT_GT(error, before) << bits << " bits";
    before = error;
  }
  EXPECT_GT(before, 0.2);
}

/// A narrow range: inputs are halved until nothing clips, and what is repeated is counted.
TEST(InferenceEngine, BoundManagementHalvesInputsAndCountsIt) {
  NetworkBuilder b({2, 6, 6}, 3);
  b.conv(-1, 4, 3, 1, 1);
  const Network network = b.network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 20, 5);
  InferenceEngine engine(network, data, {}, 1);
  LayerHardware hardware;
  hardware.dac = {ConverterModel::quantizer, 12, DacSign::automatic, RangeRule::fixed, {0, 1}, {}};
  hardware.adc.model = ConverterModel::quantizer;
  hardware.adc.bits = 14, hardware.adc.range = RangeRule::fixed, hardware.adc.fixed_ranges = {{-0.6, 0.6}};
  InferenceRequest request;
  request.hardware = std::span(&hardware, 1);
  request.count = 20, request.metrics = {"layer_error", "adc_clip_rate", "input_halvings"};
  auto clipped = engine.run(request, {});
  EXPECT_GT(clipped.at("adc_clip_rate").mean(), 0.02);
  EXPECT_EQ(clipped.at("input_halvings").mean(), 0);
  hardware.adc.bound_management = 6;
  auto managed = engine.run(request, {});
  EXPECT_LT(managed.at("layer_error").mean(), 0.1 * clipped.at("layer_error").mean());
  EXPECT_GT(managed.at("input_halvings").mean(), 0.02);
  EXPECT_LT(managed.at("input_halvings").mean(), 3);
}

}  // namespace
}  // namespace crossgrid
