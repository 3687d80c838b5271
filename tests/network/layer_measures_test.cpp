#include "crossgrid/network/layer_measures.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "crossgrid/core/weight_mapping.hpp"
#include "crossgrid/network/inference.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

using test::MemoryDataset;
using test::NetworkBuilder;

Network small_network() {
  NetworkBuilder b({2, 8, 8}, 3);
  const int a = b.relu(b.conv(-1, 6, 3, 1, 1));
  const int c = b.relu(b.conv(a, 8, 3, 2, 1));
  b.linear(b.add(Flatten{}, {c}), 5);
  return b.network();
}

struct Bench {
  Network network = small_network();
  std::shared_ptr<MemoryDataset> data = std::make_shared<MemoryDataset>(network.input, network.classes, 90, 4);
  std::vector<LayerHardware> hardware;

  explicit Bench(const LayerHardware& all) : hardware(matrix_layers(network).size(), all) {}
  std::unique_ptr<InferenceEngine> engine(int threads) const {
    CalibrationPlan plan;
    plan.data = data, plan.first = 60, plan.count = 30;
    return std::make_unique<InferenceEngine>(network, data, plan, threads);
  }
  InferenceRequest request() const {
    InferenceRequest request;
    request.hardware = hardware, request.seed = 1, request.first = 3, request.count = 50;
    return request;
  }
  std::vector<LayerMeasures> measures(int threads = 1) const { return engine(threads)->layer_measures(request()); }
};

LayerHardware converters() {
  LayerHardware hardware;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  hardware.dac.bits = hardware.adc.bits = 4;
  hardware.array.rows_max = 20;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.02};
  return hardware;
}

TEST(LayerMeasures, OfIdealArraysAreTheFloatNetworks) {
  const std::vector<LayerMeasures> all = Bench(LayerHardware{}).measures();
  ASSERT_EQ(all.size(), 3u);
  for (const LayerMeasures& layer : all) {
    EXPECT_LT(layer.mvm_error, 1e-5) << layer.layer;
    EXPECT_TRUE(std::isnan(layer.adc_clip_rate));
    EXPECT_TRUE(std::isnan(layer.used_range));
    EXPECT_LT(std::abs(layer.weight_error_mean), 1e-6);
    EXPECT_LT(layer.weight_error_sigma, 1e-6);
    EXPECT_LT(layer.current_low, layer.current_high);
    EXPECT_GT(layer.input_mean, 0);
    EXPECT_GT(layer.conductance_mean, 0);
    EXPECT_LT(layer.conductance_mean, 0.5);
  }
}

TEST(LayerMeasures, AgreeWithTheMetricsOfTheSameRun) {
  const Bench bench(converters());
  const auto engine = bench.engine(2);
  const std::vector<LayerMeasures> all = engine->layer_measures(bench.request());
  InferenceRequest request = bench.request();
  request.metrics = {"layer_error", "adc_clip_rate"};
  const auto metrics = engine->run(request, {});
  double errors = 0;
  for (const LayerMeasures& layer : all) errors += layer.mvm_error;
  EXPECT_NEAR(errors / 3, metrics.at("layer_error").mean(), 1e-8);
  EXPECT_EQ(engine->image_metrics(request).rows(), 50);
  EXPECT_NEAR(engine->image_metrics(request).col(0).mean(), metrics.at("layer_error").mean(), 1e-8);
  EXPECT_GT(metrics.at("adc_clip_rate").mean(), 0);
  for (const LayerMeasures& layer : all) {
    EXPECT_GT(layer.adc_clip_rate, 0) << layer.layer;
    EXPECT_LT(layer.adc_clip_rate, 0.2);
    EXPECT_GT(layer.used_range, 1);  // least squares clips
    EXPECT_LT(layer.used_range, 4);
    EXPECT_LT(layer.current_low, layer.adc_low);
  }
}

TEST(LayerMeasures, AreTheSameForAnyThreads) {
  const Bench bench(converters());
  const std::vector<LayerMeasures> one = bench.measures(1), two = bench.measures(2);
  for (std::size_t m = 0; m < one.size(); ++m) {
    for (const LayerMeasure& measure : layer_measure_names()) {
      EXPECT_EQ(one[m].*measure.value, two[m].*measure.value) << measure.name;
    }
  }
}

TEST(LayerMeasures, SeeInputsAsTheDacGivesThem) {
  // The first layer's pixels by definition: normalised to [0, 1], 15 steps, zeros around the image.
  LayerHardware hardware;
  hardware.dac = {ConverterModel::quantizer, 4, DacSign::is_unsigned, RangeRule::fixed, {0, 0.83}, {}};
  const Bench bench(hardware);
  double sum = 0, squares = 0, count = 0;
  for (std::uint64_t image = 3; image < 53; ++image) {
    const auto pixels = bench.data->pixels(image);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        // Windows that hold this pixel: all neighbours inside the image.
        const int windows =
            (std::min(y + 1, 7) - std::max(y - 1, 0) + 1) * (std::min(x + 1, 7) - std::max(x - 1, 0) + 1);
        for (int c = 0; c < 2; ++c) {
          const double value = std::min(pixels[static_cast<std::size_t>((y * 8 + x) * 2 + c)] / 255.0 / 0.83, 1.0);
          const double driven = std::nearbyint(value * 15) / 15;
          sum += windows * driven, squares += windows * driven * driven;
        }
      }
    }
    count += 64 * 18;
  }
  const LayerMeasures first = bench.measures().front();
  EXPECT_NEAR(first.input_mean, sum / count, 1e-6);
  EXPECT_NEAR(first.input_mean_square, squares / count, 1e-6);
}

TEST(LayerMeasures, SeeASignedDacsPadding) {
  // Zero is no level of a signed quantizer: padded rows are driven with half a step.
  LayerHardware hardware;
  hardware.dac = {ConverterModel::quantizer, 1, DacSign::is_signed, RangeRule::fixed, {-1, 1}, {}};
  for (const LayerMeasures& layer : Bench(hardware).measures()) {
    EXPECT_DOUBLE_EQ(layer.input_mean_square, 1) << layer.layer;  // 1 bit: all rows at -1 or 1
  }
}

Matrix some_weights() {
  Matrix weights(3, 4);
  weights << 0.5f, -1, 0.25f, 0, 1, 0.75f, -0.5f, -0.25f, 0, 0, 0.1f, -0.9f;
  return weights;
}

TEST(WeightError, IsTheErrorOfCellsInUnitsOfTheLargestWeight) {
  const Matrix weights = some_weights() * 7;
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    LayerHardware hardware;
    hardware.core.style = style;
    hardware.array.rows_max = 3;
    hardware.adc.model = ConverterModel::quantizer;
    const WeightError none = weight_error(weights, program_cells(weights, hardware, {1, 0, 0}));
    EXPECT_NEAR(none.mean, 0, 1e-7);
    EXPECT_NEAR(none.sigma, 0, 1e-6);
  }
  // Clipping at half of W_max by hand.
  LayerHardware clipped;
  clipped.core.clip = {WeightClip::Rule::limit, 3.5};
  double sum = 0;
  for (const float w : weights.reshaped()) sum += (std::clamp(w, -3.5f, 3.5f) - w) / 3.5;
  EXPECT_NEAR(weight_error(weights, program_cells(weights, clipped, {1, 0, 0})).mean, sum / 12, 1e-6);
}

/// The same weights, rounded to what their bits hold, however they are held.
TEST(WeightError, IsTheSameForSlicesAndUnitColumns) {
  const Matrix weights = some_weights();
  LayerHardware hardware;
  hardware.core.weight_bits = 8;
  const WeightError whole = weight_error(weights, program_cells(weights, hardware, {1, 0, 0}));
  hardware.core.slices = 3;
  hardware.device.on_off_ratio = 10;
  hardware.array.cols_max = 2;
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const bool unit : {false, true}) {
      hardware.core.style = style, hardware.core.unit_column = unit;
      const WeightError sliced = weight_error(weights, program_cells(weights, hardware, {1, 0, 0}));
      EXPECT_NEAR(sliced.mean, whole.mean, 1e-6);
      EXPECT_NEAR(sliced.sigma, whole.sigma, 1e-6);
    }
  }
}

TEST(WeightError, HasTheSigmaThatCellsAreProgrammedWith) {
  const Matrix weights = Matrix::Constant(64, 64, 0.5f);
  LayerHardware hardware;
  hardware.core.style = CoreStyle::offset;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.03};
  const WeightError error = weight_error(weights, program_cells(weights, hardware, {1, 0, 0}));
  EXPECT_NEAR(error.sigma, 2 * 0.03, 0.004);  // g covers weights of [-W_max, W_max]
  EXPECT_NEAR(error.mean, 0, 0.004);
}

TEST(MeanConductance, IsOfBothCellsOfAPair) {
  const Matrix weights = some_weights();
  LayerHardware hardware;
  hardware.device.on_off_ratio = 10;
  const double mean_size = weights.cwiseAbs().cast<double>().mean();
  EXPECT_NEAR(mean_conductance(program_cells(weights, hardware, {1, 0, 0})), 0.1 + 0.9 * mean_size / 2, 1e-6);
  hardware.core.style = CoreStyle::offset;
  EXPECT_NEAR(mean_conductance(program_cells(weights, hardware, {1, 0, 0})),
              0.1 + 0.45 * (1 + weights.cast<double>().mean()), 1e-6);
  hardware.device.faults.stuck_on = 1;
  EXPECT_EQ(mean_conductance(program_cells(weights, hardware, {1, 0, 0})), 1);
}

}  // namespace
}  // namespace crossgrid
