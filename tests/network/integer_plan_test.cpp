#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "network_fixture.hpp"

/// Layers whose products are of integers, against the reference and against the same layers in floating point.
namespace crossgrid {
namespace {

struct Case {
  std::string name;
  LayerHardware hardware;
  ConvolutionShape geometry{3, 5, 6, 7, 11, 1, square_window(3, 2, 1)};
  bool signed_inputs = false;
  bool on_thresholds = false;  ///< many currents lie on a threshold of the ADC
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, auto change) {
    Case c;
    c.name = name;
    c.hardware.core.weight_bits = 8, c.hardware.core.slices = 4;
    c.hardware.dac = {ConverterModel::quantizer, 8, DacSign::automatic, RangeRule::fixed, {0, 1}, 1};
    c.hardware.adc.model = ConverterModel::quantizer;
    c.hardware.adc.range = RangeRule::fixed;
    c.hardware.adc.fixed_ranges = {{-7.3193, 8.7737}};
    c.hardware.adc.per_input_slice = true;
    change(c);
    all.push_back(c);
  };
  const auto linear = [](Case& c) { c.geometry = {7, 70, 1, 1, 13, 1, {}}; };
  const auto offset = [](Case& c) {
    c.hardware.core.style = CoreStyle::offset;
    c.hardware.device.on_off_ratio = 10;
    c.hardware.adc.fixed_ranges = {{-0.3171, 26.7193}};
  };
  add("Balanced", [](Case& c) { c.hardware.device.on_off_ratio = 12; });
  add("BalancedLinear", linear);
  add("InputsOfThreeBits", [](Case& c) { c.hardware.dac.slice_bits = 3, c.hardware.device.cell_bits = 4; });
  add("WholeWeights", [&](Case& c) {
    linear(c);
    c.hardware.core.slices = 1;
    c.hardware.dac.slice_bits = 4;
  });
  add("TwoSided", [](Case& c) { c.hardware.core.slices = 1, c.hardware.core.two_sided = true; });
  add("Split", [](Case& c) { c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4; });
  add("SplitLinear", [&](Case& c) {
    linear(c);
    c.hardware.array.rows_max = 30, c.hardware.array.rows_active = 16;
  });
  add("Offset", offset);
  add("OffsetLinearSplit", [&](Case& c) {
    linear(c);
    offset(c);
    c.hardware.array.rows_max = 24, c.hardware.array.cols_max = 5;
  });
  add("OffsetSplit", [&](Case& c) {
    offset(c);
    c.hardware.array.rows_max = 20;
  });
  add("OffsetInfiniteRatio", [&](Case& c) {
    offset(c);
    c.hardware.device.on_off_ratio = std::numeric_limits<double>::infinity();
  });
  add("UnitColumn", [&](Case& c) {
    offset(c);
    c.hardware.core.unit_column = true, c.hardware.array.cols_max = 4;
  });
  add("DigitalSubtraction", [](Case& c) {
    c.hardware.core.subtract = Subtraction::digital;
    c.hardware.device.on_off_ratio = 8;
    c.hardware.adc.fixed_ranges = {{0, 9.1171}};
  });
  const auto signs = [](Case& c) {
    c.signed_inputs = true;
    c.hardware.dac.model = ConverterModel::sign_magnitude;
    c.hardware.dac.fixed_range = {-1, 1};
  };
  add("SignMagnitude", signs);
  add("SignMagnitudeOffset", [&](Case& c) {
    signs(c);
    offset(c);
    c.hardware.array.rows_max = 20;
    c.hardware.adc.fixed_ranges = {{-9.1737, 8.7219}};
  });
  add("SignMagnitudeLinear", [&](Case& c) {
    signs(c);
    linear(c);
    c.hardware.dac.slice_bits = 4;
  });
  add("SignMagnitudeOfUnsignedRange", [&](Case& c) {
    signs(c);
    c.hardware.dac.fixed_range = {0, 1}, c.hardware.dac.sign = DacSign::is_unsigned;
  });
  add("SignMagnitudePositive", [&](Case& c) {
    signs(c);
    c.signed_inputs = false;
  });
  // Steps of 1/3 between currents, of 2/3 between codes.
  add("OnThresholds", [](Case& c) {
    c.on_thresholds = true;
    c.hardware.adc.fixed_ranges = {{-85, 85}};
  });
  return all;
}

/// A layer with random weights and inputs.
class Layer {
 public:
  explicit Layer(const Case& c, bool floating = false) : hardware_(c.hardware) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    weights_.resize(c.geometry.out_channels, c.geometry.rows());
    for (Eigen::Index k = 0; k < weights_.size(); ++k) weights_.data()[k] = uniform(random);
    const LayerRanges ranges{hardware_.dac.fixed_range, hardware_.adc.fixed_ranges, {}};
    step_ = driven_step(c.geometry, hardware_, ranges.dac);
    ProgrammedMatrix cells = program_matrix(weights_, hardware_, 1, 2, 3);
    const MatrixPlan plan = floating ? plan_matrix_as(MatrixExecution::direct, c.geometry, hardware_, cells.noise)
                                     : plan_matrix(c.geometry, hardware_, cells.noise);
    put_arrays(step_, hardware_, ranges, prepare_analog(c.geometry, std::move(cells), plan, lane_), {1, 2, 3});
    inputs_.resize(static_cast<std::size_t>(c.geometry.images) * step_.matrix->inputs_per_image());
    for (float& x : inputs_) x = c.signed_inputs ? uniform(random) : std::abs(uniform(random));
  }

  /// Currents of all conversions, input slices outermost; with codes, what the ADCs say.
  std::vector<float> conversions(bool codes = false) {
    std::vector<float> all;
    const ConvolutionShape& g = step_.matrix->geometry;
    outputs_.resize(static_cast<std::size_t>(g.images) * step_.matrix->outputs_per_image());
    const MicroBatch batch{0, g.images, 0, g.images};
    const auto count = static_cast<std::size_t>(g.images) * step_.matrix->currents_per_image();
    run_chain(
        step_, inputs_.data(), {g.in_channels, g.height, g.width}, false, batch, lane_,
        [&](const ConversionView& view) {
          const auto& levels = step_.adc(view.block, view.converter).converter.levels;
          for (std::size_t k = 0; k < count; ++k)
            all.push_back(codes ? levels.code(view.currents[k]) : view.currents[k]);
        },
        nullptr, outputs_.data());
    return all;
  }

  const MatrixStep& step() const { return step_; }
  const Matrix& weights() const { return weights_; }
  std::vector<float>& inputs() { return inputs_; }
  const std::vector<float>& outputs() const { return outputs_; }

 private:
  LayerHardware hardware_;
  Lane lane_;
  MatrixStep step_;
  Matrix weights_;
  std::vector<float> inputs_, outputs_;
};

class IntegerPlan : public testing::TestWithParam<Case> {};

TEST_P(IntegerPlan, HasTheReferencesCurrentsExactly) {
  Layer layer(GetParam());
  const PreparedMatrix& matrix = *layer.step().matrix;
  ASSERT_TRUE(matrix.plan.integers);
  const std::vector<float> found = layer.conversions();
  const ConvolutionShape& g = matrix.geometry;
  const auto columns = static_cast<std::size_t>(matrix.columns), blocks = matrix.blocks.size();
  const std::size_t planes = matrix.programmed.planes.size(), sides = matrix.programmed.scheme.sides ? 2 : 1;
  const auto windows = static_cast<std::size_t>(matrix.windows());
  std::size_t compared = 0;
  for (std::size_t image = 0; image < static_cast<std::size_t>(g.images); ++image) {
    const float* const first = layer.inputs().data() + image * matrix.inputs_per_image();
    const test::Values pixels(first, first + matrix.inputs_per_image());
    for (std::size_t window = 0; window < windows; ++window) {
      ReferenceMvm mvm;
      mvm.input_range = GetParam().hardware.dac.fixed_range;
      const auto x = test::window_inputs(pixels, g, static_cast<int>(window));
      for (const ReferenceConversion& c : reference_chain(layer.weights(), GetParam().hardware, x, mvm).conversions) {
        const auto plane = static_cast<std::size_t>(c.slice) * sides + static_cast<std::size_t>(c.side);
        const std::size_t conversion =
            (static_cast<std::size_t>(c.input_slice) * blocks + static_cast<std::size_t>(c.group)) * planes + plane;
        const std::size_t place = (conversion * static_cast<std::size_t>(g.images) + image) * windows + window;
        const float current = found[place * columns + static_cast<std::size_t>(c.column)];
        const double close = 1e-12 * std::max(1.0, std::abs(c.value));
        ASSERT_GE(current, static_cast<float>(c.value - close)) << "plane " << plane << " column " << c.column;
        ASSERT_LE(current, static_cast<float>(c.value + close)) << "plane " << plane << " column " << c.column;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, found.size());
}

/// Only where a current lies on a threshold may the rounding of sums decide the code.
TEST_P(IntegerPlan, HasTheCodesOfTheFloatingPlan) {
  Layer integers(GetParam()), floating(GetParam(), true);
  ASSERT_TRUE(integers.step().matrix->plan.integers);
  ASSERT_FALSE(floating.step().matrix->plan.integers);
  const auto codes = integers.conversions(true), expected = floating.conversions(true);
  const auto currents = integers.conversions(), rounded = floating.conversions();
  ASSERT_EQ(codes.size(), expected.size());
  const auto& levels = integers.step().adcs.front().converter.levels;
  std::size_t ties = 0, on_threshold = 0;
  for (std::size_t k = 0; k < codes.size(); ++k) {
    ASSERT_NEAR(currents[k], rounded[k], 1e-4);
    const double code = static_cast<double>(currents[k]) * static_cast<double>(levels.to_code) +
                        static_cast<double>(levels.code_offset);
    const bool tie = std::abs(code - std::nearbyint(code)) > 0.4999;
    on_threshold += tie ? 1 : 0;
    if (codes[k] == expected[k]) continue;
    ++ties;
    EXPECT_TRUE(tie) << code;
    EXPECT_EQ(std::abs(codes[k] - expected[k]), 1);
  }
  RecordProperty("ties", std::to_string(ties) + " of " + std::to_string(on_threshold));
  if (GetParam().on_thresholds) {
    EXPECT_GT(on_threshold, codes.size() / 10);
    EXPECT_LT(ties, on_threshold);
  } else {
    EXPECT_LE(ties, codes.size() / 1000);
  }
  if (ties > 0) return;
  for (std::size_t k = 0; k < integers.outputs().size(); ++k) {
    ASSERT_NEAR(integers.outputs()[k], floating.outputs()[k], 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(All, IntegerPlan, testing::ValuesIn(cases()),
                         [](const auto& named) { return named.param.name; });

TEST(IntegerPlans, LimitCurrentsAndAddThemAsFloatingOnesDo) {
  for (const bool per_input_slice : {true, false}) {
    Case c = cases().front();
    c.hardware.array.column_current_max = 1.5;
    c.hardware.adc.per_input_slice = per_input_slice;
    c.hardware.adc.bits = 14;
    Layer integers(c), floating(c, true);
    ASSERT_TRUE(integers.step().matrix->plan.integers);
    const auto found = integers.conversions(), expected = floating.conversions();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) ASSERT_NEAR(found[k], expected[k], 1e-4);
  }
}

TEST(IntegerPlans, KeepNaN) {
  Layer layer(cases().front());
  layer.inputs()[3] = std::numeric_limits<float>::quiet_NaN();
  layer.conversions();
  const std::size_t outputs = layer.step().matrix->outputs_per_image();
  for (std::size_t k = 0; k < layer.outputs().size(); ++k) EXPECT_EQ(std::isnan(layer.outputs()[k]), k < outputs);
}

bool takes_integers(auto change) {
  LayerHardware hardware = cases().front().hardware;
  change(hardware);
  return plan_matrix(cases().front().geometry, hardware, NoisePath::none).integers.has_value();
}

TEST(IntegerPlans, AreTakenOnlyWhereTheyAreExact) {
  EXPECT_TRUE(takes_integers([](LayerHardware&) {}));
  EXPECT_TRUE(takes_integers([](LayerHardware& h) { h.device.cell_bits = 2; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.device.cell_bits = 3; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.device.levels = {0, 0.4, 1}; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) {
    h.device.programming_error = {ErrorModel::normal_independent, 0.01};
  }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.device.faults.stuck_off = 0.01; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.device.faults.dead_rows = 0.01; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.device.iv = IvModel::cubic; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.dac.slice_bits.reset(); }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.adc.per_input_slice = false; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.dac.range = RangeRule::per_vector; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.core.bias_in_rows = true; }));
  EXPECT_FALSE(takes_integers([](LayerHardware& h) { h.core.slices = 1, h.core.style = CoreStyle::offset; }));
  // Two products of 255 * 63 fit 16 bits with a sign, two of 255 * 127 need instructions that add in 32 bits at once.
  const auto wide = [](int weight_bits) {
    return [=](LayerHardware& h) {
      h.core.weight_bits = weight_bits, h.core.slices = 1;
      h.dac.bits = 16, h.dac.slice_bits = 8;
    };
  };
  EXPECT_TRUE(takes_integers(wide(7)));
  EXPECT_EQ(takes_integers(wide(8)), host_numeric_class().isa == "avx512_vnni");
}

TEST(IntegerPlans, AreNamedByExplain) {
  test::NetworkBuilder b({5, 6, 7}, 1);
  b.conv(-1, 11, 3, 2, 1);
  LayerHardware hardware = cases().front().hardware;
  EXPECT_EQ(plan_layers(b.network(), std::span(&hardware, 1))[0].execution,
            "direct convolution; 4 weight slices x 8 input slices apart, exact int8 products, ADC fused");
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.01};
  EXPECT_EQ(plan_layers(b.network(), std::span(&hardware, 1))[0].execution.find("int8"), std::string::npos);
}

}  // namespace
}  // namespace crossgrid
