#include <gtest/gtest.h>

#include <functional>

#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "network_fixture.hpp"

/// Columns whose weights are divided and whose sums are multiplied by a scale of their own.
namespace crossgrid {
namespace {

using test::converters;
using test::HardwareCase;
using test::MemoryDataset;

Network small_network() {
  test::NetworkBuilder b({2, 7, 6}, 3);
  const int wide = b.relu(b.conv(-1, 4, 3, 1, 1));
  const int grouped = b.relu(b.conv(wide, 6, square_window(3, 1, 1), 2));
  b.linear(b.add(Flatten{}, {b.add(AvgPool2d{square_window(2, 2, 0)}, {grouped})}), 5);
  Network network = b.network();
  for (Layer& layer : network.layers) {
    std::visit(
        [](auto& operation) {
          if constexpr (requires { operation.weights; }) {
            for (Eigen::Index j = 0; j < operation.weights.rows(); ++j) operation.weights.row(j) /= 1 + 2 * (j % 3);
          }
        },
        layer.operation);
  }
  return network;
}

/// A column's largest weight over the matrix's.
std::vector<double> own_scales(const Matrix& weights) {
  std::vector<double> scales;
  for (Eigen::Index j = 0; j < weights.rows(); ++j) {
    scales.push_back(double{weights.row(j).cwiseAbs().maxCoeff()} / double{weights.cwiseAbs().maxCoeff()});
  }
  return scales;
}

const std::vector<HardwareCase>& cases() {
  static const std::vector<HardwareCase> all{
      {"Ideal", [](LayerHardware&) {}},
      {"Converters", converters, 2e-2F},
      {"GroupsApart", [](LayerHardware& h) { h.grouped = GroupedMatrix::per_group, h.array.rows_max = 11; }},
      {"Tiles",
       [](LayerHardware& h) {
         h.window = {2, 2};
       }},
      {"IdleArraysOfAShiftedRange",
       [](LayerHardware& h) {
         converters(h), h.array.rows_max = 9;
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-1.03, 1.41}}, h.adc.bits = 5;
       },
       2e-2F},
      {"UnitColumns",
       [](LayerHardware& h) {
         converters(h), h.core.style = CoreStyle::offset, h.core.unit_column = true, h.adc.bits = 14;
         h.array.cols_max = 4;
       },
       2e-2F},
      {"RowsOfABias", [](LayerHardware& h) { h.core.bias_in_rows = true, h.core.bias_rows = 2; }},
      {"VectorsInScalesOfTheirOwn",
       [](LayerHardware& h) { converters(h), h.adc.bits = 14, h.dac.range = RangeRule::per_vector; }, 1e-2F},
      {"ProgrammingErrors",
       [](LayerHardware& h) {
         h.device.programming_error = {ErrorModel::normal_independent, 0.02};
       }},
  };
  return all;
}

class ScaledColumns : public testing::Test {
 protected:
  Network network = small_network();
  std::shared_ptr<MemoryDataset> data = std::make_shared<MemoryDataset>(network.input, network.classes, 40, 9);
  InferenceEngine engine{network, data, CalibrationPlan{data, 20, 20, RangeFit::maximum, 99.99, {}, {}}, 1};

  std::vector<LayerHardware> hardware(const HardwareCase& c) const {
    std::vector<LayerHardware> layers;
    for (const MatrixLayer& layer : matrix_layers(network)) {
      LayerHardware h;
      h.device.on_off_ratio = 50;
      c.change(h);
      if (!layer.convolution) h.window = {};
      h.core.column_scales = own_scales(layer_weights(network.layers[static_cast<std::size_t>(layer.layer)]));
      layers.push_back(h);
    }
    return layers;
  }
  Matrix run(std::vector<LayerHardware> layers, Precision precision) {
    InferenceRequest request;
    request.seed = 5, request.first = 3, request.count = 3;
    for (LayerHardware& layer : layers) layer.precision = precision;
    request.hardware = std::move(layers);
    return engine.logits(request);
  }
};

class ColumnScales : public ScaledColumns, public testing::WithParamInterface<std::size_t> {};

TEST_P(ColumnScales, RunAsTheReferenceDoes) {
  const HardwareCase& c = cases()[GetParam()];
  const std::vector<LayerHardware> layers = hardware(c);
  const Matrix fast = run(layers, Precision::float32), slow = run(layers, Precision::float64);
  const float largest = slow.cwiseAbs().maxCoeff();
  EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), c.tolerance * largest);
  // The twin: the logits without the last layer's scales, but for its bias.
  const std::vector<float>& bias = layer_bias(network.layers.back());
  float worst = 0;
  for (Eigen::Index j = 0; j < fast.cols(); ++j) {
    const auto k = static_cast<std::size_t>(j);
    const auto scale = static_cast<float>(layers.back().core.column_scales[k]);
    for (Eigen::Index image = 0; image < fast.rows(); ++image) {
      const float without = (fast(image, j) - bias[k]) / scale + bias[k];
      worst = std::max(worst, std::abs(without - slow(image, j)));
    }
  }
  EXPECT_GT(worst, 20 * c.tolerance * largest);
}

INSTANTIATE_TEST_SUITE_P(Hardware, ColumnScales, testing::Range<std::size_t>(0, cases().size()),
                         [](const testing::TestParamInfo<std::size_t>& test) { return cases()[test.param].name; });

/// Where weights are continuous and cells ideal, scales change nothing; where they are few levels, each column has all
/// of them, and the network's error falls.
/// Where weights are continuous and cells ideal, scales change nothing; where levels are few, each column has all of
/// them, and the network's error falls.
TEST_F(ScaledColumns, GiveEveryColumnAllLevels) {
  const Matrix exact = engine.reference_logits(3, 3);
  const auto error = [&](const std::function<void(LayerHardware&)>& change, bool scaled) {
    std::vector<LayerHardware> layers = hardware({"", change});
    for (LayerHardware& layer : layers) {
      if (!scaled) layer.core.column_scales.clear();
    }
    return (run(layers, Precision::float32) - exact).norm();
  };
  EXPECT_LT(error([](LayerHardware&) {}, true), 1e-5F);
  const auto few_levels = [](LayerHardware& h) { h.core.weight_bits = 4; };
  EXPECT_GT(error(few_levels, true), 1e-3F);
  EXPECT_LT(error(few_levels, true), 0.7F * error(few_levels, false));
}

TEST_F(ScaledColumns, OfALayerDivideItsWeightsAndItsBias) {
  LayerHardware hardware;
  hardware.core.column_scales = {1, 0.5, 0.25, 1};
  hardware.core.bias_in_rows = true;
  const Layer& layer = network.layers[0];
  const Matrix held = matrix_weights(layer, hardware);
  for (Eigen::Index j = 0; j < 4; ++j) {
    const auto scale = static_cast<float>(hardware.core.column_scales[static_cast<std::size_t>(j)]);
    EXPECT_EQ(held(j, 5), layer_weights(layer)(j, 5) / scale);
    EXPECT_EQ(held(j, held.cols() - 1), layer_bias(layer)[static_cast<std::size_t>(j)] / scale);
  }
}

}  // namespace
}  // namespace crossgrid
