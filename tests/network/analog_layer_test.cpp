#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/matrix_step.hpp"
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

/// Whether an input that is scaled by its vector lies between two codes of its DAC.
bool input_at_threshold(const DacConfig& dac, const Values& x) {
  if (dac.range != RangeRule::per_vector) return false;
  double largest = 0;
  for (const double value : x) largest = std::max(largest, std::abs(value));
  const double steps = std::ldexp(1.0, dac.bits) - 1;
  return std::ranges::any_of(x, [&](double value) {
    const double code = value / largest * steps;
    return std::abs(code - std::floor(code) - 0.5) < 1e-4;
  });
}

/// Analog columns that decide an output: its own and its array's unit column.
bool decides(const LayerHardware& hardware, int outputs, int output, int column) {
  if (hardware.core.style != CoreStyle::offset || !hardware.core.unit_column) return column == output;
  int first = 0;
  for (const Part& part : partition(outputs, hardware.array.cols_max, hardware.array.cols_partition)) {
    const int unit = first;
    first += part.count + 1;
    if (output < part.first + part.count) return column == unit || column == unit + 1 + output - part.first;
  }
  return false;
}

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
  const Matrix weights = matrix_weights(network.layers[0], hardware);
  const ConvolutionShape g = layer_geometry(network, 0);
  ReferenceMvm mvm;
  mvm.input_range =
      hardware.dac.range == RangeRule::fixed ? hardware.dac.fixed_range : Interval{c.signed_inputs ? -1.0 : 0.0, 1};
  mvm.seed = request.seed, mvm.trial = request.trial;
  double size = 0;
  for (Eigen::Index k = 0; k < outputs.size(); ++k) size = std::max<double>(size, std::abs(outputs.data()[k]));
  int compared = 0, near_threshold = 0;
  for (std::uint32_t image = 0; image < request.count; ++image) {
    mvm.image = static_cast<std::uint32_t>(request.first) + image;
    const Values pixels = test::image_values(network, *data, mvm.image);
    for (int window = 0; window < g.out_height() * g.out_width(); ++window) {
      mvm.window = static_cast<std::uint32_t>(window);
      Values x = test::window_inputs(pixels, g, window);
      x.resize(static_cast<std::size_t>(weights.cols()), 1);
      if (input_at_threshold(hardware.dac, x)) continue;
      const ReferenceResult expected = reference_chain(weights, hardware, x, mvm);
      for (int j = 0; j < g.out_channels; ++j) {
        bool near = false;
        for (const ReferenceConversion& conversion : expected.conversions) {
          near |= decides(hardware, g.out_channels, j, conversion.column) &&
                  threshold_distance(hardware.adc.model, hardware.adc.bits, conversion.range, conversion.value) < 1e-6;
        }
        near_threshold += near;
        if (near) continue;
        const bool digital_bias = !hardware.core.bias_in_rows;
        const double bias = digital_bias ? layer_bias(network.layers[0])[static_cast<std::size_t>(j)] : 0;
        const double found = outputs(image, static_cast<Eigen::Index>(window) * g.out_channels + j);
        ASSERT_NEAR(found, expected.outputs[static_cast<std::size_t>(j)] + bias, 4e-6 * size)
            << "image " << image << " window " << window << " output " << j;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 10 * near_threshold);
  EXPECT_GT(compared, 80);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, auto change) {
    Case c;
    c.name = name;
    c.hardware.core.weight_bits = 8;
    c.hardware.dac = {ConverterModel::quantizer, 6, DacSign::automatic, RangeRule::fixed, {0, 1}, {}};
    c.hardware.adc.model = ConverterModel::quantizer;
    c.hardware.adc.range = RangeRule::fixed;
    c.hardware.adc.fixed_ranges = {{-2, 2.1}};
    change(c);
    // Limits that put neither a pixel nor, for the quantizer's reference, 0 beside its threshold.
    const double limit = c.hardware.dac.model == ConverterModel::sign_magnitude ? 0.61 : 0.6;
    if (c.signed_inputs) c.hardware.dac.fixed_range = {-limit, limit};
    const bool own_range = c.hardware.adc.fixed_ranges.front() != Interval{-2, 2.1};
    if (c.hardware.core.style == CoreStyle::offset && c.hardware.adc.range == RangeRule::fixed && !own_range) {
      c.hardware.adc.fixed_ranges = {{c.signed_inputs ? -9.0 : 0.0, 30}};
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
      c.hardware.array.rows_partition.kind = PartitionRule::Kind::fill;
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
    // Sums of digits lie on a lattice: ranges whose thresholds do not.
    const auto odd_range = [](Case& c) {
      const bool offset = c.hardware.core.style == CoreStyle::offset;
      c.hardware.adc.range = RangeRule::fixed;
      c.hardware.adc.fixed_ranges = {offset ? Interval{-9.1737, 27.7219} : Interval{-7.3193, 8.7737}};
    };
    const auto add_slices = [&](Case& c) {
      c.hardware.core.slices = 3;
      odd_range(c);
    };
    const auto add_input_slices = [&](Case& c) {
      c.hardware.dac.model = ConverterModel::sign_magnitude;
      c.hardware.dac.slice_bits = 2;
      c.signed_inputs = true;
      odd_range(c);
    };
    styled("Sliced", add_slices);
    styled("SlicedSplit", [&](Case& c) {
      add_slices(c);
      c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4;
      c.hardware.device.on_off_ratio = 12, c.hardware.device.cell_bits = 3;
      c.hardware.device.programming_error = {ErrorModel::normal_independent, 0.05};
    });
    styled("SlicedIdealAdc", [&](Case& c) {
      add_slices(c);
      c.hardware.adc.model = ConverterModel::ideal;
      c.hardware.device.on_off_ratio = 7;
    });
    styled("InputSlices", add_input_slices);
    styled("InputSlicesUnsigned", [](Case& c) {
      c.hardware.dac.slice_bits = 4;
      c.hardware.adc.per_input_slice = true;
    });
    styled("InputSlicesEachConverted", [&](Case& c) {
      add_input_slices(c);
      c.hardware.adc.per_input_slice = true;
    });
    styled("BothSliced", [&](Case& c) {
      add_slices(c);
      add_input_slices(c);
      c.hardware.adc.per_input_slice = true;
      c.hardware.array.rows_max = 20;
    });
    styled("BothSlicedCellNoise", [&](Case& c) {
      add_slices(c);
      add_input_slices(c);
      c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
      c.hardware.device.read_noise_sampling = NoiseSampling::per_cell;
      c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4;
    });
    styled("InputSlicesLumpedNoise", [&](Case& c) {
      add_input_slices(c);
      c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
      c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
    });
    styled("InputSlicesEachLumpedNoise", [&](Case& c) {
      add_input_slices(c);
      add_slices(c);
      c.hardware.adc.per_input_slice = true;
      c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
      c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
    });
    styled("RowsActive", [](Case& c) {
      c.hardware.array.rows_max = 30, c.hardware.array.rows_active = 8;
      c.hardware.adc.range = RangeRule::maximum;
    });
    styled("ColumnCurrentLimit", [](Case& c) { c.hardware.array.column_current_max = 1.5; });
    styled("ColumnCurrentLimitSliced", [&](Case& c) {
      add_slices(c);
      add_input_slices(c);
      c.hardware.array.column_current_max = 1.5;
    });
    styled("ColumnCurrentLimitIdealAdc", [](Case& c) {
      c.hardware.adc.model = ConverterModel::ideal;
      c.hardware.array.column_current_max = 1.5;
    });
    styled("BiasRows", [](Case& c) {
      c.hardware.core.bias_in_rows = true, c.hardware.core.bias_rows = 2;
      c.hardware.array.rows_max = 30;
    });
    styled("BiasRowsLinear", [&](Case& c) {
      c.kernel = 1;
      add_slices(c);
      c.hardware.core.bias_in_rows = true;
    });
    styled("PerVector",
           [](Case& c) { c.hardware.dac.range = RangeRule::per_vector, c.hardware.dac.sign = DacSign::is_unsigned; });
    styled("PerVectorSigned", [&](Case& c) {
      add_input_slices(c);
      c.hardware.dac.range = RangeRule::per_vector, c.hardware.dac.sign = DacSign::is_signed;
    });
    styled("BoundManagement", [](Case& c) {
      c.hardware.adc.bound_management = 3;
      c.hardware.adc.bits = 10;
    });
    styled("Granular", [&](Case& c) {
      add_input_slices(c);
      add_slices(c);
      c.hardware.adc.range = RangeRule::granular;
      c.hardware.adc.per_input_slice = true;
    });
  }
  const auto balanced = [&](const std::string& name, auto change) { add("Balanced" + name, change); };
  balanced("TwoSided", [](Case& c) { c.hardware.core.two_sided = true; });
  balanced("DigitalSubtraction", [](Case& c) {
    c.hardware.core.subtract = Subtraction::digital;
    c.hardware.adc.fixed_ranges = {{0, 6}};
    c.hardware.array.rows_max = 20;
  });
  balanced("DigitalSubtractionSliced", [](Case& c) {
    c.hardware.core.subtract = Subtraction::digital;
    c.hardware.core.slices = 2, c.hardware.dac.slice_bits = 3;
    c.hardware.adc.per_input_slice = true, c.hardware.adc.fixed_ranges = {{0, 6}, {0, 3}};
    c.hardware.array.column_current_max = 2;
    c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.02};
    c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
  });
  balanced("Interleaved", [](Case& c) {
    c.hardware.core.interleaved = true;
    c.hardware.array.column_current_max = 0.7;
  });
  const auto unit = [&](const std::string& name, auto change) {
    add("UnitColumn" + name, [&](Case& c) {
      c.hardware.core.style = CoreStyle::offset;
      c.hardware.core.unit_column = true;
      change(c);
    });
  };
  unit("Plain", [](Case&) {});
  unit("IdealAdc", [](Case& c) { c.hardware.adc.model = ConverterModel::ideal; });
  unit("Split", [](Case& c) {
    c.hardware.array.rows_max = 20, c.hardware.array.cols_max = 4;
    c.hardware.device.programming_error = {ErrorModel::normal_independent, 0.05};
    c.hardware.device.on_off_ratio = 20;
  });
  unit("Sliced", [](Case& c) {
    c.hardware.core.slices = 3, c.hardware.dac.slice_bits = 2, c.hardware.adc.per_input_slice = true;
    c.hardware.adc.fixed_ranges = {{-0.3171, 26.7193}};
    c.hardware.array.cols_max = 5, c.hardware.device.on_off_ratio = 20;
  });
  unit("LumpedNoise", [](Case& c) {
    c.hardware.array.cols_max = 4;
    c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
    c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
  });
  unit("CellNoiseIdealAdc", [](Case& c) {
    c.hardware.adc.model = ConverterModel::ideal;
    c.hardware.array.cols_max = 4, c.hardware.array.rows_max = 20;
    c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
    c.hardware.device.read_noise_sampling = NoiseSampling::per_cell;
  });
  return all;
}

/// The rows together add the bias, whatever their number: y = W x + b.
TEST(AnalogLayerBias, OfRowsIsTheLayersBias) {
  Case c;
  const Network network = one_layer(c);
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 3, 3);
  c.hardware.core.bias_in_rows = true;
  for (const int rows : {1, 2, 5}) {
    c.hardware.core.bias_rows = rows;
    InferenceEngine engine(network, data, {}, 1);
    InferenceRequest request;
    request.hardware = std::span(&c.hardware, 1);
    request.count = 3;
    const Matrix found = engine.layer_outputs(request, 0);
    for (std::uint64_t image = 0; image < 3; ++image) {
      const Values expected = test::plain_network(network, *data, image).front();
      for (std::size_t k = 0; k < expected.size(); ++k) {
        EXPECT_NEAR(found(static_cast<Eigen::Index>(image), static_cast<Eigen::Index>(k)), expected[k], 1e-4);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AnalogLayer, testing::ValuesIn(cases()),
                         [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace crossgrid
