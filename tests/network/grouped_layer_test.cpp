#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/matrix_plan.hpp"
#include "network_fixture.hpp"

/// Convolutions of any windows and groups, digital and on arrays, beside plain loops and the reference in double.
namespace crossgrid {
namespace {

using test::converters;
using test::HardwareCase;
using test::MemoryDataset;
using test::Values;

/// Groups of several channels, single channels (depthwise) and all together; strides, dilations and paddings that
/// differ.
Network grouped_network() {
  test::NetworkBuilder b({4, 9, 8}, 3);
  b.preprocess() = {1 / 255.0, {0.5, 0.5, 0.5, 0.5}, {}};
  const int wide = b.relu(b.conv(-1, 8, Window{{3, 1, 2, 1, 2}, {2, 1, 1, 0, 1}}, 2));
  const int depthwise = b.add(Clamp{0, 0.7F}, {b.conv(wide, 8, square_window(3, 2, 1), 8)});
  const int more = b.relu(b.conv(depthwise, 16, Window{{1, 1, 1, 0, 0}, {3, 1, 1, 2, 0}}, 4));
  b.linear(b.add(Flatten{}, {b.add(AvgPool2d{square_window(2, 2, 1), true}, {more})}), 5);
  return b.network();
}

TEST(GroupedLayer, RunsDigitallyAsPlainLoopsDo) {
  test::NetworkBuilder b({4, 9, 8}, 3);
  const int wide = b.relu(b.conv(-1, 8, Window{{3, 1, 2, 1, 2}, {2, 1, 1, 0, 1}}, 2));
  const int depthwise = b.add(Clamp{0, 0.7F}, {b.conv(wide, 8, square_window(3, 2, 1), 8)});
  b.linear(b.add(Flatten{}, {b.conv(depthwise, 16, Window{{1, 1, 1, 0, 0}, {3, 1, 1, 2, 0}}, 4)}), 5);
  const Network& network = b.network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 20, 9);
  InferenceEngine engine(network, data, {}, 1);
  const Matrix found = engine.reference_logits(0, 20);
  for (std::uint64_t image = 0; image < 20; ++image) {
    const Values expected = test::plain_network(network, *data, image).back();
    for (std::size_t c = 0; c < expected.size(); ++c) {
      EXPECT_NEAR(found(static_cast<Eigen::Index>(image), static_cast<Eigen::Index>(c)), expected[c], 1e-5);
    }
  }
}

const std::vector<HardwareCase>& cases() {
  static const std::vector<HardwareCase> all{
      {"Ideal", [](LayerHardware&) {}},
      {"Converters", converters, 2e-2F},
      // Row arrays of whole groups: converters of other groups' arrays see no current.
      {"IdleArrays", [](LayerHardware& h) { converters(h), h.array.rows_max = 36; }, 2e-2F},
      // A converter that turns no current into something.
      {"IdleArraysOfAShiftedRange",
       [](LayerHardware& h) {
         converters(h), h.array.rows_max = 36;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-1.03, 1.41}}, h.adc.bits = 5;
       },
       2e-2F},
      {"CutGroups", [](LayerHardware& h) { converters(h), h.array.rows_max = 7; }, 3e-2F},
      {"FewCutGroups", [](LayerHardware& h) { converters(h), h.array.rows_max = 50; }, 2e-2F},
      {"WeightAndInputSlices",
       [](LayerHardware& h) {
         converters(h), h.array.rows_max = 36, h.core.slices = 2;
         h.dac.model = ConverterModel::sign_magnitude, h.dac.slice_bits = 2;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-1.03, 1.41}}, h.adc.bits = 10;
       },
       2e-2F},
      {"ProgrammingErrors",
       [](LayerHardware& h) {
         h.device.programming_error = {ErrorModel::normal_independent, 0.02};
       }},
      {"OffsetCells",
       [](LayerHardware& h) {
         converters(h);
         h.core.style = CoreStyle::offset, h.adc.bits = 14;
       },
       2e-2F},
      {"UnitColumns",
       [](LayerHardware& h) {
         converters(h);
         h.core.style = CoreStyle::offset, h.core.unit_column = true, h.adc.bits = 14;
       },
       2e-2F},
      {"RowsOfABias",
       [](LayerHardware& h) { h.core.bias_in_rows = true, h.core.bias_rows = 2, h.array.rows_max = 11; }},
      {"CellNoise",
       [](LayerHardware& h) {
         h.device.read_noise = {ErrorModel::normal_independent, 0.02};
         h.device.read_noise_sampling = NoiseSampling::per_cell;
       }},
      {"LumpedNoise",
       [](LayerHardware& h) {
         h.device.read_noise = {ErrorModel::normal_independent, 0.02};
         h.device.read_noise_sampling = NoiseSampling::lumped;
       }},
      {"LumpedNoiseInParts",
       [](LayerHardware& h) {
         converters(h), h.adc.bits = 14, h.array.rows_max = 5, h.array.cols_max = 3;
         h.device.read_noise = {ErrorModel::normal_independent, 0.02};
         h.device.read_noise_sampling = NoiseSampling::lumped;
       },
       1e-2F},
      {"Wires", [](LayerHardware& h) { h.array.wires.r_row = h.array.wires.r_col = 20, h.array.rows_max = 20; }},
  };
  return all;
}

class GroupedOnArrays : public ::testing::TestWithParam<std::tuple<std::size_t, GroupedMatrix>> {};

TEST_P(GroupedOnArrays, RunsAsTheReferenceDoes) {
  const HardwareCase& c = cases()[std::get<0>(GetParam())];
  LayerHardware hardware;
  hardware.device.on_off_ratio = 50;
  hardware.grouped = std::get<1>(GetParam());
  c.change(hardware);
  const Network network = grouped_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 40, 9);
  InferenceEngine engine(network, data, {data, 20, 20, RangeFit::maximum, 99.99, {}, {}}, 2);
  std::vector<LayerHardware> layers(matrix_layers(network).size(), hardware);
  InferenceRequest request;
  request.seed = 5, request.trial = 1, request.first = 3, request.count = 4;
  request.hardware = layers;
  request.metrics = {"adc_clip_rate"};
  const Matrix fast = engine.logits(request);
  const MatrixD fast_clips = engine.image_metrics(request);
  for (LayerHardware& layer : layers) layer.precision = Precision::float64;
  const Matrix slow = engine.logits(request);
  const MatrixD slow_clips = engine.image_metrics(request);
  const float largest = slow.cwiseAbs().maxCoeff();
  EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), c.tolerance * largest);
  EXPECT_LT((fast_clips - slow_clips).cwiseAbs().maxCoeff(), 2e-3) << "shares of conversions that clip";
  // The twin: what the same chip makes of other images differs.
  EXPECT_GT((fast - engine.reference_logits(7, 4)).cwiseAbs().maxCoeff(), 5 * c.tolerance * largest);
}

std::string name_of(const ::testing::TestParamInfo<GroupedOnArrays::ParamType>& test) {
  const bool shared = std::get<1>(test.param) == GroupedMatrix::shared;
  return std::string(cases()[std::get<0>(test.param)].name) + (shared ? "Shared" : "PerGroup");
}

INSTANTIATE_TEST_SUITE_P(Hardware, GroupedOnArrays,
                         ::testing::Combine(::testing::Range<std::size_t>(0, 15),
                                            ::testing::Values(GroupedMatrix::shared, GroupedMatrix::per_group)),
                         name_of);

MatrixPlan plan_of(const ConvolutionShape& geometry, const LayerHardware& hardware) {
  return plan_matrix(geometry, hardware, NoisePath::none);
}

/// Blocks are multiplied by themselves only where all other cells carry exactly nothing.
TEST(GroupedPlan, MultipliesBlocksApartWhereZerosCancel) {
  ConvolutionShape depthwise;
  depthwise.in_channels = depthwise.out_channels = depthwise.groups = 64;
  depthwise.height = depthwise.width = 8;
  depthwise.window = square_window(3, 1, 1);
  LayerHardware hardware;
  converters(hardware);
  hardware.array.rows_max = 144;
  EXPECT_EQ(plan_of(depthwise, hardware).groups, 64);
  EXPECT_EQ(plan_of(depthwise, hardware).idle, 3);
  EXPECT_EQ(plan_of(depthwise, hardware).blocks.size(), 1u);
  LayerHardware cut = hardware;
  cut.array.rows_max = 100;  // 6 arrays of 96 rows: most hold a part of a group
  EXPECT_EQ(plan_of(depthwise, cut).groups, 64);
  EXPECT_EQ(plan_of(depthwise, cut).idle, 4);
  EXPECT_EQ(plan_of(depthwise, cut).blocks.size(), 2u);
  const auto whole = [&](const std::function<void(LayerHardware&)>& change) {
    LayerHardware changed = hardware;
    change(changed);
    const MatrixPlan plan = plan_of(depthwise, changed);
    EXPECT_NE(plan.reason.find("the whole matrix is computed"), std::string::npos) << plan.reason;
    return plan.groups == 1;
  };
  EXPECT_TRUE(whole([](LayerHardware& h) { h.core.style = CoreStyle::offset; }));
  EXPECT_TRUE(whole([](LayerHardware& h) { h.core.subtract = Subtraction::digital; }));
  EXPECT_TRUE(whole([](LayerHardware& h) { h.array.wires.r_row = 1; }));
  EXPECT_TRUE(whole([](LayerHardware& h) { h.adc.bound_management = 2; }));
  EXPECT_TRUE(whole([](LayerHardware& h) { h.device.programming_error = {ErrorModel::normal_independent, 0.02}; }));
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.02};
  hardware.grouped = GroupedMatrix::per_group;
  EXPECT_EQ(plan_of(depthwise, hardware).groups, 64);
  EXPECT_EQ(plan_of(depthwise, hardware).idle, 0);
}

}  // namespace
}  // namespace crossgrid
