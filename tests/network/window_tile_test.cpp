#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crossgrid/network/event_counts.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/reference_network.hpp"
#include "crossgrid/network/window_tiles.hpp"
#include "network_fixture.hpp"

/// Convolutions whose arrays compute several windows per MVM, beside the reference in double and beside single windows.
namespace crossgrid {
namespace {

using test::converters;
using test::MemoryDataset;

/// Windows of 9 x 8, 4 x 8 and 4 x 8 pixels: tiles of 3 x 2 hang over the edge, those of 4 x 1 don't.
Network tiled_network() {
  test::NetworkBuilder b({2, 9, 8}, 3);
  b.preprocess() = {1 / 255.0, {0.5, 0.5}, {}};
  const int wide = b.relu(b.conv(-1, 4, 3, 1, 1));
  const int strided = b.add(Clamp{0, 0.7F}, {b.conv(wide, 6, Window{{3, 2, 1, 0, 0}, {2, 1, 2, 2, 0}}, 2)});
  const int more = b.relu(b.conv(strided, 5, 1, 1, 0));
  b.linear(b.add(Flatten{}, {b.add(AvgPool2d{square_window(2, 2, 0)}, {more})}), 5);
  return b.network();
}

std::vector<LayerHardware> with_tiles(const Network& network, LayerHardware hardware, const WindowTile& tile) {
  std::vector<LayerHardware> layers;
  for (const MatrixLayer& layer : matrix_layers(network)) {
    hardware.window = layer.convolution ? tile : WindowTile{};
    layers.push_back(hardware);
  }
  return layers;
}

struct Case {
  const char* name;
  std::function<void(LayerHardware&)> change;
  float tolerance = 2e-5F;     ///< of the largest logit: more where a code may flip
  bool as_single = false;      ///< whether cells off the blocks carry nothing and no array is cut: as single windows
  bool copies_differ = false;  ///< whether it matters which copy a window meets
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Ideal", [](LayerHardware&) {}, 2e-5F, true},
      {"Converters", converters, 2e-2F, true},
      {"FineConverters", [](LayerHardware& h) { converters(h), h.adc.bits = 14; }, 2e-3F, true},
      // Arrays of whole copies: converters of the other arrays see no current.
      {"IdleArrays", [](LayerHardware& h) { converters(h), h.array.rows_max = 18; }, 2e-2F},
      // A converter that turns no current into something.
      {"IdleArraysOfAShiftedRange",
       [](LayerHardware& h) {
         converters(h), h.array.rows_max = 18;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-1.03, 1.41}}, h.adc.bits = 5;
       },
       2e-2F},
      {"RangesOfTheRows",
       [](LayerHardware& h) {
         converters(h), h.array.rows_max = 25, h.adc.range = RangeRule::maximum, h.adc.bits = 12;
       },
       2e-2F},
      {"CutCopies", [](LayerHardware& h) { converters(h), h.array.rows_max = 7; }, 3e-2F},
      {"RowsDrivenInGroups", [](LayerHardware& h) { converters(h), h.array.rows_active = 10; }, 3e-2F},
      {"WeightAndInputSlices",
       [](LayerHardware& h) {
         converters(h), h.core.slices = 2;
         h.dac.model = ConverterModel::sign_magnitude, h.dac.slice_bits = 2;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-1.03, 1.41}}, h.adc.bits = 10;
       },
       2e-2F, true},
      {"ClippedWeights",
       [](LayerHardware& h) {
         h.core.clip = {WeightClip::Rule::quantile, 0.9};
       },
       2e-5F, true},
      {"ProgrammingErrors",
       [](LayerHardware& h) {
         h.device.programming_error = {ErrorModel::normal_independent, 0.02};
       },
       2e-5F, false, true},
      {"OffsetCells", [](LayerHardware& h) { converters(h), h.core.style = CoreStyle::offset, h.adc.bits = 14; },
       2e-2F},
      {"UnitColumns",
       [](LayerHardware& h) {
         converters(h), h.core.style = CoreStyle::offset, h.core.unit_column = true, h.adc.bits = 14;
         h.array.cols_max = 7;
       },
       2e-2F},
      {"RowsOfABias",
       [](LayerHardware& h) {
         h.core.bias_in_rows = true, h.core.bias_rows = 2, h.array.rows_max = 11;
         h.device.programming_error = {ErrorModel::normal_independent, 0.02};
       },
       2e-5F, false, true},
      {"VectorsInScalesOfTheirOwn",
       [](LayerHardware& h) { converters(h), h.adc.bits = 14, h.dac.range = RangeRule::per_vector; }, 1e-2F},
      {"BoundManagement",
       [](LayerHardware& h) {
         h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.bound_management = 3;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-0.7, 0.7}};
       },
       5e-3F},
      {"CellNoise",
       [](LayerHardware& h) {
         h.device.read_noise = {ErrorModel::normal_independent, 0.02};
         h.device.read_noise_sampling = NoiseSampling::per_cell;
       },
       2e-5F, false, true},
      {"LumpedNoise",
       [](LayerHardware& h) {
         h.device.read_noise = {ErrorModel::normal_independent, 0.02};
         h.device.read_noise_sampling = NoiseSampling::lumped;
       },
       2e-5F, false, true},
      {"Wires", [](LayerHardware& h) { h.array.wires.r_row = h.array.wires.r_col = 20, h.array.rows_max = 20; }, 2e-5F,
       false, true},
  };
  return all;
}

/// Logits and metrics of a few images.
struct Found {
  Matrix logits;
  MatrixD metrics;
};

class Chips {
 public:
  Chips() : network_(tiled_network()) {
    const auto data = std::make_shared<MemoryDataset>(network_.input, network_.classes, 40, 9);
    engine_.emplace(network_, data, CalibrationPlan{data, 20, 20, RangeFit::maximum, 99.99, {}, {}}, 2);
  }
  const Network& network() const { return network_; }
  InferenceEngine& engine() { return *engine_; }
  Found run(const std::vector<LayerHardware>& layers) {
    InferenceRequest request;
    request.seed = 5, request.trial = 1, request.first = 3, request.count = 3;
    request.hardware = layers;
    request.metrics = {"adc_clip_rate", "input_halvings"};
    return {engine_->logits(request), engine_->image_metrics(request)};
  }
  Found in_double(std::vector<LayerHardware> layers) {
    for (LayerHardware& layer : layers) layer.precision = Precision::float64;
    return run(layers);
  }

 private:
  Network network_;
  std::optional<InferenceEngine> engine_;
};

float difference(const Found& a, const Found& b) {
  return (a.logits - b.logits).cwiseAbs().maxCoeff();
}

class TilesOnArrays : public ::testing::TestWithParam<std::tuple<std::size_t, std::pair<int, int>>> {};

TEST_P(TilesOnArrays, RunAsTheReferenceDoes) {
  const Case& c = cases()[std::get<0>(GetParam())];
  const auto [x, y] = std::get<1>(GetParam());
  LayerHardware hardware;
  hardware.device.on_off_ratio = 50;
  c.change(hardware);
  Chips chips;
  const Found fast = chips.run(with_tiles(chips.network(), hardware, {x, y}));
  const Found slow = chips.in_double(with_tiles(chips.network(), hardware, {x, y}));
  const float largest = slow.logits.cwiseAbs().maxCoeff();
  EXPECT_LT(difference(fast, slow), c.tolerance * largest);
  EXPECT_LT((fast.metrics - slow.metrics).cwiseAbs().maxCoeff(), 3e-3) << "conversions that clip, halvings";
  const Found single = chips.run(with_tiles(chips.network(), hardware, {}));
  if (c.as_single) {
    EXPECT_LT(difference(fast, single), c.tolerance * largest);
  }
  // The twins: copies that hold the errors of others, windows exchanged among the copies.
  if (c.copies_differ) {
    EXPECT_GT(difference(single, slow), 20 * c.tolerance * largest);
    EXPECT_GT(difference(chips.run(with_tiles(chips.network(), hardware, {y, x})), slow), 20 * c.tolerance * largest);
  }
}

std::string name_of(const ::testing::TestParamInfo<TilesOnArrays::ParamType>& test) {
  const auto [x, y] = std::get<1>(test.param);
  return cases()[std::get<0>(test.param)].name + std::to_string(x) + "x" + std::to_string(y);
}

INSTANTIATE_TEST_SUITE_P(Hardware, TilesOnArrays,
                         ::testing::Combine(::testing::Range<std::size_t>(0, cases().size()),
                                            ::testing::Values(std::pair(3, 2), std::pair(4, 1))),
                         name_of);

/// A network of one convolution on constant images, whose windows all see the same.
struct ConstantImages {
  ConstantImages() : builder({3, 6, 7}, 4) {
    builder.conv(-1, 4, 1, 1, 0);
    builder.linear(builder.add(Flatten{}, {0}), 2);
  }
  test::NetworkBuilder builder;
};

class OneColour final : public Dataset {
 public:
  std::uint64_t size() const override { return 4; }
  int channels() const override { return 3; }
  int height() const override { return 6; }
  int width() const override { return 7; }
  int classes() const override { return 2; }
  ImageView image(std::uint64_t, ImageBuffer&) const override { return Pixels(pixels_); }
  int label(std::uint64_t) const override { return 0; }
  Id128 content() const override { return {}; }
  std::string description() const override { return "one colour"; }

 private:
  std::vector<std::uint8_t> pixels_ = std::vector<std::uint8_t>(std::size_t{3} * 6 * 7, 200);
};

TEST(WindowTile, EveryCopyHasErrorsOfItsOwnAndMeetsItsOwnWindows) {
  const ConstantImages images;
  const Network& network = images.builder.network();
  InferenceEngine engine(network, std::make_shared<OneColour>(), {}, 1);
  LayerHardware hardware;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.05};
  const WindowTile tile{3, 2};  // 7 windows in a row: the last tile has one
  InferenceRequest request;
  const std::vector<LayerHardware> layers = with_tiles(network, hardware, tile);
  request.hardware = layers;
  request.seed = 2, request.count = 1;
  const Matrix outputs = engine.layer_outputs(request, 0);
  const auto output = [&](int row, int column) { return outputs(0, Eigen::Index{row * 7 + column} * 4); };
  for (int row = 0; row < 6; ++row) {
    for (int column = 0; column < 6; ++column) {
      EXPECT_FLOAT_EQ(output(row, column), output(row % tile.y, column % tile.x)) << row << ", " << column;
    }
    // In the last tile the cells between the blocks see zeros.
    EXPECT_GT(std::abs(output(row, 6) - output(row % tile.y, 0)), 1e-4) << row;
    EXPECT_FLOAT_EQ(output(row, 6), output(row % tile.y, 6)) << row;
  }
  for (int a = 0; a < 6; ++a) {
    for (int b = 0; b < a; ++b) {
      EXPECT_GT(std::abs(output(a / 3, a % 3) - output(b / 3, b % 3)), 1e-4) << "copies " << a << " and " << b;
    }
  }
}

TEST(WindowTile, CountsTheMvmsOfItsTiles) {
  Chips chips;
  LayerHardware hardware;
  converters(hardware);
  hardware.core.subtract = Subtraction::digital;
  hardware.array.rows_max = 40, hardware.array.cols_max = 9;
  const auto layers = with_tiles(chips.network(), hardware, {3, 2});
  const auto plans = plan_layers(chips.network(), layers);
  EXPECT_EQ(plans[0].rows, 6 * 18);
  EXPECT_EQ(plans[0].cols, 6 * 4);
  EXPECT_EQ(plans[0].mvms_per_image, 5 * 3);  // 9 x 8 windows
  EXPECT_EQ(plans[0].row_arrays, 3);
  EXPECT_EQ(plans[0].col_arrays, 3);
  EXPECT_EQ(plans[0].cells, 2 * 108 * 24);
  EXPECT_NEAR(plans[0].utilisation, 6.0 * 18 * 4 / (9 * 40 * 9), 1e-12);
  EXPECT_EQ(plans[2].mvms_per_image, 2 * 3);  // 4 x 8
  EXPECT_EQ(plans[3].mvms_per_image, 1);
  // The reference makes as many conversions as the closed form says.
  ReferenceNetwork reference(chips.network(), layers, chips.engine().ranges(layers), 1, 0);
  for (std::size_t m = 0; m < reference.matrices(); ++m) reference.program(m);
  std::uint64_t conversions = 0;
  const std::vector<MatrixLayer> shapes = matrix_layers(chips.network());
  for (std::size_t m = 0; m < layers.size(); ++m) {
    const LayerEvents events = count_events(shapes[m], layers[m], conversion_counts(layers[m]));
    EXPECT_EQ(events.mvms, static_cast<std::uint64_t>(plans[m].mvms_per_image));
    conversions += events.adc_conversions;
  }
  const MemoryDataset data(chips.network().input, chips.network().classes, 40, 9);
  EXPECT_EQ(reference.run(data, 7).conversions, conversions);
}

/// A depthwise product of single pixels sees every input once, however windows share arrays.
TEST(WindowTile, MeasuresWhatDrivesItsRows) {
  test::NetworkBuilder b({4, 6, 8}, 3);
  b.linear(b.add(Flatten{}, {b.conv(-1, 4, square_window(1, 1, 0), 4)}), 3);
  const auto data = std::make_shared<MemoryDataset>(b.network().input, b.network().classes, 8, 9);
  InferenceEngine engine(b.network(), data, {}, 1);
  const auto mean = [&](const WindowTile& tile) {
    const auto layers = with_tiles(b.network(), {}, tile);
    InferenceRequest request;
    request.hardware = layers;
    request.count = 5;
    return engine.layer_measures(request)[0].input_mean;
  };
  double sum = 0;
  for (std::uint64_t image = 0; image < 5; ++image) {
    for (const std::uint8_t pixel : data->pixels(image)) sum += pixel / 255.0;
  }
  EXPECT_NEAR(mean({}), sum / (5 * 4 * 6 * 8), 1e-6);
  EXPECT_NEAR(mean({2, 3}), mean({}), 1e-6);
  EXPECT_NEAR(mean({5, 1}), mean({}) * 8 / 10, 1e-6) << "two windows of zeros in every second tile";
}

TEST(WindowTile, RefusesArraysOfEachGroup) {
  Chips chips;
  LayerHardware hardware;
  hardware.grouped = GroupedMatrix::per_group;
  EXPECT_THROW(chips.run(with_tiles(chips.network(), hardware, {2, 1})), Error);
}

/// A matrix of blocks is computed by them only where its converters allow it: chips kept for others must not be taken.
TEST(WindowTile, DoesNotTakeChipsOfOtherTilesOrConverters) {
  Chips chips;
  LayerHardware hardware;
  converters(hardware);
  hardware.array.rows_max = 25;
  std::vector<std::vector<LayerHardware>> points{with_tiles(chips.network(), hardware, {}),
                                                 with_tiles(chips.network(), hardware, {3, 2}),
                                                 with_tiles(chips.network(), hardware, {2, 3})};
  hardware.adc.range = RangeRule::maximum;
  points.push_back(with_tiles(chips.network(), hardware, {3, 2}));
  hardware.adc.model = ConverterModel::sar, hardware.adc.errors.sigma_capacitor = 0.05;
  points.push_back(with_tiles(chips.network(), hardware, {3, 2}));
  hardware.grouped = GroupedMatrix::per_group;
  points.push_back(with_tiles(chips.network(), hardware, {}));
  for (const auto& point : points) {
    const Found kept = chips.run(point);
    Chips fresh;
    EXPECT_EQ(kept.logits, fresh.run(point).logits);
  }
}

}  // namespace
}  // namespace crossgrid
