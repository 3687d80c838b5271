#include "crossgrid/network/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "crossgrid/base/error.hpp"
#include "crossgrid/core/partition.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

/// Two layers, so that the second one's inputs come from the float network.
Network two_layers() {
  test::NetworkBuilder b({3, 6, 6}, 4);
  b.conv(b.relu(b.conv(-1, 5, 3, 1, 1)), 4, 3, 1, 1);
  return b.network();
}

class CalibrationTest : public testing::Test {
 protected:
  static constexpr int batch = 4;
  Network network = two_layers();
  ExecutionGraph graph = make_execution_graph(network);
  std::shared_ptr<test::MemoryDataset> data = std::make_shared<test::MemoryDataset>(network.input, 4, 30, 8);
  HostExecutor executor{2};
  std::vector<Lane> lanes{std::vector<Lane>(2)};
  NetworkExecution reference{network, graph, digital()};
  CalibrationPlan plan{data, 3, 10, RangeFit::maximum, 99.99, {}, {}};

  std::vector<MatrixStep> digital() {
    std::vector<MatrixStep> steps;
    for (const MatrixLayer& layer : matrix_layers(network)) {
      const Layer& l = network.layers[static_cast<std::size_t>(layer.layer)];
      ConvolutionShape geometry = layer_geometry(network, layer.layer);
      geometry.images = batch;
      MatrixStep step;
      step.matrix = prepare_digital(geometry, layer_weights(l), lanes.front());
      step.adcs.resize(1);
      step.bias_tile = make_bias_tile(layer_bias(l), layer.cols);
      steps.push_back(std::move(step));
    }
    return steps;
  }
  static LayerHardware hardware() {
    LayerHardware h;
    h.core.weight_bits = 5;
    h.array.rows_max = 20;
    h.device.on_off_ratio = 30;
    h.dac.model = h.adc.model = ConverterModel::quantizer;
    h.dac.bits = 5;
    return h;
  }
  std::vector<LayerRanges> ranges(const LayerHardware& h) {
    Calibration calibration(network, reference, plan, batch, executor, lanes);
    return calibration.ranges(std::vector<LayerHardware>(2, h));
  }
};

TEST_F(CalibrationTest, FindsTheExtremesOfTheNominalChip) {
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    LayerHardware h = hardware();
    h.core.style = style;
    const auto found = ranges(h);
    // By brute force: the float network's activations, the reference's currents.
    double inputs = 0, low = 1e30, high = -1e30;
    const ConvolutionShape g = layer_geometry(network, 2);
    std::vector<test::Values> activations;
    for (std::uint64_t image = plan.first; image < plan.first + plan.count; ++image) {
      activations.push_back(test::plain_network(network, *data, image)[1]);
      inputs = std::max(inputs, *std::ranges::max_element(activations.back()));
    }
    EXPECT_EQ(found[1].dac.low, 0);
    EXPECT_NEAR(found[1].dac.high, inputs, 1e-6 * inputs);
    ReferenceMvm mvm;
    mvm.input_range = found[1].dac;
    for (const test::Values& values : activations) {
      for (int window = 0; window < g.out_height() * g.out_width(); ++window) {
        const test::Values x = test::window_inputs(values, g, window);
        for (const auto& conversion : reference_chain(layer_weights(network.layers[2]), h, x, mvm).conversions) {
          low = std::min(low, conversion.value), high = std::max(high, conversion.value);
        }
      }
    }
    EXPECT_NEAR(found[1].adc.at(0).low, low, 1e-5 * (high - low));
    EXPECT_NEAR(found[1].adc.at(0).high, high, 1e-5 * (high - low));
  }
}

TEST_F(CalibrationTest, IsBlindToRandomErrorsAndToLayersBefore) {
  plan.fit = RangeFit::least_squares;
  const auto nominal = ranges(hardware());
  LayerHardware noisy = hardware();
  noisy.device.programming_error = {ErrorModel::normal_independent, 0.3};
  noisy.device.read_noise = {ErrorModel::normal_independent, 0.3};
  const auto with_errors = ranges(noisy);
  Calibration calibration(network, reference, plan, batch, executor, lanes);
  std::vector<LayerHardware> coarse_before(2, hardware());
  coarse_before[0].adc.bits = coarse_before[0].dac.bits = 1;
  const auto after_coarse = calibration.ranges(coarse_before);
  for (const auto* other : {&with_errors[1], &after_coarse[1]}) {
    EXPECT_EQ(other->dac, nominal[1].dac);
    EXPECT_EQ(other->adc, nominal[1].adc);
  }
  // What does change the profile is not taken from the cache.
  std::vector<LayerHardware> split(2, hardware());
  split[1].array.rows_max = 7;
  EXPECT_NE(calibration.ranges(split)[1].adc, nominal[1].adc);
  std::vector<LayerHardware> coarse(2, hardware());
  coarse[1].adc.bits = 3;
  EXPECT_NE(calibration.ranges(coarse)[1].adc, nominal[1].adc);
  EXPECT_EQ(calibration.ranges(std::vector<LayerHardware>(2, hardware()))[1].adc, nominal[1].adc);
}

TEST_F(CalibrationTest, NeedsImagesOnlyWhereSomethingIsCalibrated) {
  plan = {};
  EXPECT_THROW(ranges(hardware()), Error);
  LayerHardware ideal;
  EXPECT_NO_THROW(ranges(ideal));
  LayerHardware fixed = hardware();
  fixed.dac.range = fixed.adc.range = RangeRule::fixed;
  fixed.dac.fixed_range = {0, 2};
  EXPECT_EQ(ranges(fixed)[0].dac, (Interval{0, 2}));
}

TEST_F(CalibrationTest, RelatesSlicesByPowersOfTwo) {
  LayerHardware h = hardware();
  h.core.weight_bits = 6, h.core.slices = 3, h.adc.bits = 4;
  for (const RangeFit method : {RangeFit::least_squares, RangeFit::signal_to_noise}) {
    plan.fit = method;
    const auto found = ranges(h)[1].adc;
    ASSERT_EQ(found.size(), 3u);
    for (const Interval& range : found) {
      const double power = std::log2((range.high - range.low) / (found[0].high - found[0].low));
      EXPECT_NEAR(power, std::round(power), 1e-9);
    }
  }
}

/// In a layer's output a slice of two bits counts four times the one below.
TEST_F(CalibrationTest, WeighsSlicesByTheirPlaceInTheOutput) {
  LayerHardware h = hardware();
  h.core.weight_bits = 6, h.core.slices = 3, h.adc.bits = 6;
  plan.fit = RangeFit::signal_to_noise;
  const auto found = ranges(h);
  std::vector<FloatHistogram> currents(3);
  const ConvolutionShape g = layer_geometry(network, 2);
  ReferenceMvm mvm;
  mvm.input_range = found[1].dac;
  const ReferenceMatrix nominal(layer_weights(network.layers[2]), h, {});
  for (std::uint64_t image = plan.first; image < plan.first + plan.count; ++image) {
    const test::Values values = test::plain_network(network, *data, image)[1];
    for (int window = 0; window < g.out_height() * g.out_width(); ++window) {
      for (const auto& conversion : nominal.multiply(test::window_inputs(values, g, window), mvm).conversions) {
        const auto current = static_cast<float>(conversion.value);
        currents[static_cast<std::size_t>(conversion.slice)].add(&current, 1);
      }
    }
  }
  const std::vector<double> weights{1, 4, 16}, wrong{1, 2, 4};
  const auto error = [&](const std::vector<Interval>& of) { return output_error(currents, weights, h.adc, of); };
  const double least = error(fit_output_ranges(currents, weights, h.adc));
  EXPECT_NEAR(error(found[1].adc), least, 1e-3 * least);
  EXPECT_GT(error(fit_output_ranges(currents, wrong, h.adc)), 1.05 * least);
}

TEST_F(CalibrationTest, TakesGivenRangesWithoutImages) {
  LayerHardware h = hardware();
  h.core.slices = 2;
  const std::vector<LayerRanges> calibrated = ranges(h);
  plan = {};
  plan.given = calibrated;
  const auto same = ranges(h);
  EXPECT_EQ(same[1].dac, calibrated[1].dac);
  EXPECT_EQ(same[1].adc, calibrated[1].adc);
  // A range that the point fixes stands.
  h.dac.range = RangeRule::fixed, h.dac.fixed_range = {0, 2};
  EXPECT_EQ(ranges(h)[0].dac, (Interval{0, 2}));
  h.core.slices = 3;
  EXPECT_THROW(ranges(h), Error);
  plan.given[0].adc = plan.given[1].adc = {{-1, 1}};  // one for all slices
  EXPECT_EQ(ranges(h)[1].adc, (std::vector<Interval>{{-1, 1}}));
}

/// Keeps all, and counts.
struct MemoryStore : RangeStore {
  std::optional<std::vector<LayerRanges>> find(std::span<const LayerHardware> hardware) override {
    ++asked;
    for (const auto& [key, ranges] : kept) {
      if (std::ranges::equal(key, hardware)) return ranges;
    }
    return std::nullopt;
  }
  void keep(std::span<const LayerHardware> hardware, std::span<const LayerRanges> ranges) override {
    kept.emplace_back(std::vector(hardware.begin(), hardware.end()), std::vector(ranges.begin(), ranges.end()));
  }
  int asked = 0;
  std::vector<std::pair<std::vector<LayerHardware>, std::vector<LayerRanges>>> kept;
};

TEST_F(CalibrationTest, TakesStoredRangesWithoutImages) {
  const auto store = std::make_shared<MemoryStore>();
  plan.store = store;
  LayerHardware h = hardware();
  const std::vector<LayerRanges> calibrated = ranges(h);
  ASSERT_EQ(store->kept.size(), 1u);
  plan.data = nullptr;
  // Errors of cells do not change what is calibrated.
  h.device.programming_error.model = ErrorModel::normal_independent;
  h.device.programming_error.magnitude = 0.1;
  const std::vector<LayerRanges> found = ranges(h);
  for (std::size_t m = 0; m < 2; ++m) {
    EXPECT_EQ(found[m].dac, calibrated[m].dac);
    EXPECT_EQ(found[m].adc, calibrated[m].adc);
  }
  h.dac.range = RangeRule::fixed, h.dac.fixed_range = {0, 2};
  EXPECT_THROW(ranges(h), Error) << "other inputs: neither stored nor any images";
}

TEST_F(CalibrationTest, AsksTheStoreOncePerHardware) {
  const auto store = std::make_shared<MemoryStore>();
  plan.store = store;
  LayerHardware other = hardware();
  other.adc.bits = 4;
  Calibration calibration(network, reference, plan, batch, executor, lanes);
  for (int repeat = 0; repeat < 3; ++repeat) {
    calibration.ranges(std::vector<LayerHardware>(2, hardware()));
    calibration.ranges(std::vector<LayerHardware>(2, other));
  }
  EXPECT_EQ(store->asked, 2);
  EXPECT_EQ(store->kept.size(), 2u);
  other.dac.model = other.adc.model = ConverterModel::ideal;
  calibration.ranges(std::vector<LayerHardware>(2, other));
  EXPECT_EQ(store->asked, 2) << "nothing is calibrated";
}

}  // namespace
}  // namespace crossgrid
