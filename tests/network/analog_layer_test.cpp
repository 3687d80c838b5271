#include <gtest/gtest.h>

#include <cmath>

#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/network/inference.hpp"
#include "network_fixture.hpp"

/// One layer through the engine against reference_mvm, which knows cells, double precision and formulas only.
namespace crossgrid {
namespace {

using test::MemoryDataset;
using test::NetworkBuilder;
using test::Values;

struct Case {
  std::string name;
  LayerHardware hardware;
  bool signed_inputs = false;
  int kernel = 3;
};

Network one_layer(const Case& c) {
  const Shape input = c.kernel > 1 ? Shape{5, 6, 7} : Shape{37, 1, 1};
  NetworkBuilder b(input, 11);
  if (c.signed_inputs) {
    b.preprocess() = {1 / 255.0, std::vector<double>(static_cast<std::size_t>(input.channels), 0.5), {}};
  }
  if (c.kernel > 1) {
    b.conv(-1, 11, c.kernel, 2, 1);
  } else {
    b.linear(-1, 11);
  }
  return b.network();
}

/// Distance of a value from the nearest threshold of a converter, in parts of its range; large where ideal.
double threshold_distance(ConverterModel model, int bits, Interval range, double value) {
  if (model == ConverterModel::ideal) return 1;
  const bool symmetric = model == ConverterModel::sign_magnitude;
  const double low = symmetric ? -std::max(std::abs(range.low), std::abs(range.high)) : range.low;
  const double high = symmetric ? -low : range.high;
  const double steps = std::ldexp(1.0, bits) - (symmetric ? 2 : 1);
  const double code = (std::clamp(value, low, high) - low) / (high - low) * steps;
  return std::abs(code - std::floor(code) - 0.5) / steps;
}

class AnalogLayer : public testing::TestWithParam<Case> {};

TEST_P(AnalogLayer, EqualsTheReferenceMvm) {
  const Case& c = GetParam();
  const Network network = one_layer(c);
  const LayerHardware& hardware = c.hardware;
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 80, 3);
  InferenceEngine engine(network, data, {}, 1);
  InferenceRequest request;
  request.hardware = std::span(&hardware, 1);
  request.seed = 77, request.trial = 2, request.first = 60, request.count = 9;  // over the end of a micro-batch
  const Matrix outputs = engine.layer_outputs(request, 0);
  const Matrix& weights = layer_weights(network.layers[0]);
  const ConvolutionShape g = layer_geometry(network, 0);
  const auto parts = partition(g.rows(), hardware.array.rows_max, hardware.array.rows_partition);
  ReferenceMvm mvm;
  mvm.input_range = hardware.dac.fixed_range, mvm.seed = request.seed, mvm.trial = request.trial;
  double size = 0;
  for (Eigen::Index k = 0; k < outputs.size(); ++k) size = std::max<double>(size, std::abs(outputs.data()[k]));
  int compared = 0, near_threshold = 0;
  for (std::uint32_t image = 0; image < request.count; ++image) {
    mvm.image = static_cast<std::uint32_t>(request.first) + image;
    const Values pixels = test::image_values(network, *data, mvm.image);
    for (int window = 0; window < g.out_height() * g.out_width(); ++window) {
      mvm.window = static_cast<std::uint32_t>(window);
      const Values x = test::window_inputs(pixels, g, window);
      const std::vector<double> expected = reference_mvm(weights, hardware, x, mvm);
      const MatrixD currents = reference_currents(weights, hardware, x, mvm);
      for (int j = 0; j < g.out_channels; ++j) {
        bool near = false;
        for (std::size_t block = 0; block < parts.size(); ++block) {
          const bool bipolar = hardware.core.style == CoreStyle::balanced || c.signed_inputs;
          const Interval range = adc_range(hardware.adc, parts[block].count, bipolar);
          near |= threshold_distance(hardware.adc.model, hardware.adc.bits, range,
                                     currents(static_cast<Eigen::Index>(block), j)) < 1e-6;
        }
        near_threshold += near;
        if (near) continue;
        const double bias = layer_bias(network.layers[0])[static_cast<std::size_t>(j)];
        const double found = outputs(image, static_cast<Eigen::Index>(window) * g.out_channels + j);
        ASSERT_NEAR(found, expected[static_cast<std::size_t>(j)] + bias, 4e-6 * size)
            << "image " << image << " window " << window << " output " << j;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 20 * near_threshold);
  EXPECT_GT(compared, 80);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, auto change) {
    Case c;
    c.name = name;
    c.hardware.core.weight_bits = 8;
    c.hardware.dac = {ConverterModel::quantizer, 6, DacSign::automatic, RangeRule::fixed, {0, 1}};
    c.hardware.adc = {ConverterModel::quantizer, 8, RangeRule::fixed, {-2, 2.1}};
    change(c);
    // Limits that put neither a pixel nor, for the quantizer's reference, 0 beside its threshold.
    const double limit = c.hardware.dac.model == ConverterModel::sign_magnitude ? 0.61 : 0.6;
    if (c.signed_inputs) c.hardware.dac.fixed_range = {-limit, limit};
    if (c.hardware.core.style == CoreStyle::offset && c.hardware.adc.range == RangeRule::fixed) {
      c.hardware.adc.fixed_range = {c.signed_inputs ? -9.0 : 0.0, 30};
    }
    all.push_back(c);
  };
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    const std::string s = style == CoreStyle::balanced ? "Balanced" : "Offset";
    const auto styled = [&](const std::string& name, auto change) {
      add(s + name, [&](Case& c) {
        c.hardware.core.style = style;
        change(c);
      });
    };
    styled("Plain", [](Case&) {});
    styled("Linear", [](Case& c) { c.kernel = 1; });
    styled("Signed", [](Case& c) { c.signed_inputs = true; });
    styled("SignMagnitude", [](Case& c) {
      c.signed_inputs = true;
      c.hardware.dac.model = c.hardware.adc.model = ConverterModel::sign_magnitude;
    });
    styled("MaximumRange", [](Case& c) { c.hardware.adc.range = RangeRule::maximum, c.hardware.adc.bits = 10; });
    styled("SplitOnChannels", [](Case& c) { c.hardware.array.rows_max = 18, c.hardware.array.cols_max = 4; });
    styled("SplitInChannels", [](Case& c) {
      c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 5;
      c.hardware.array.rows_partition = PartitionRule::fill;
      c.hardware.adc.range = RangeRule::maximum;
    });
    styled("SplitSmall", [](Case& c) { c.hardware.array.rows_max = 3; });
    styled("SplitLinear", [](Case& c) { c.kernel = 1, c.hardware.array.rows_max = 10; });
    styled("IdealConverters", [](Case& c) {
      c.hardware.dac.model = c.hardware.adc.model = ConverterModel::ideal;
      c.hardware.array.rows_max = 20;
    });
    styled("Programmed", [](Case& c) {
      c.hardware.device.on_off_ratio = 20, c.hardware.device.cell_bits = 4;
      c.hardware.device.programming_error = {ErrorModel::normal_proportional, 0.1};
      c.hardware.array.rows_max = 20;
    });
    styled("LumpedNoise", [](Case& c) {
      c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
      c.hardware.device.programming_error = {ErrorModel::normal_independent, 0.02};
      c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
      c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4;
    });
    styled("LumpedNoiseSmallBlocks", [](Case& c) {
      c.hardware.device.read_noise = {ErrorModel::normal_proportional, 0.05};
      c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
      c.hardware.array.rows_max = 3;
    });
    styled("LumpedNoiseIdealAdc", [](Case& c) {
      c.hardware.device.read_noise = {ErrorModel::normal_proportional, 0.05};
      c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
      c.hardware.adc.model = ConverterModel::ideal;
      c.hardware.array.rows_max = 20;
    });
    styled("CellNoise", [](Case& c) {
      c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.1};
      c.hardware.device.read_noise_sampling = NoiseSampling::per_cell;
      c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4;
    });
    styled("CellNoiseLinear", [](Case& c) {
      c.kernel = 1;
      c.hardware.device.read_noise = {ErrorModel::normal_proportional, 0.1};
      c.hardware.device.read_noise_sampling = NoiseSampling::per_cell;
    });
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, AnalogLayer, testing::ValuesIn(cases()),
                         [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace crossgrid
