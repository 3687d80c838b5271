#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "crossgrid/core/programmed_cells.hpp"
#include "crossgrid/core/wired_conductance.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/reference_network.hpp"
#include "network_fixture.hpp"

/// Networks on arrays with wires: transfer matrices beside every product solved as a whole circuit.
namespace crossgrid {
namespace {

using test::MemoryDataset;
using test::Values;

LayerHardware wired_chip() {
  LayerHardware chip;
  chip.dac.range = RangeRule::fixed, chip.dac.fixed_range = {-2, 2}, chip.dac.sign = DacSign::is_signed;
  chip.device.r_min = 2e3, chip.device.on_off_ratio = 50;
  chip.device.programming_error = {ErrorModel::normal_proportional, 0.05};
  chip.array.wires = {4, 7, 30, 20};
  return chip;
}

/// Weights (outputs x inputs, in double) that a layer's transfer matrices make.
MatrixD weights_by_transfer(const Matrix& weights, const LayerHardware& chip, const LayerStreams& streams) {
  const ProgrammedCells cells = program_cells(weights, chip, streams);
  const WireResistance wires = wire_resistance(chip);
  const SliceCells& pair = cells.slices.front();
  return cells.mapping.output_scale() * (transfer_matrix(wired_cells(pair.plus.cast<double>(), wires)) -
                                         transfer_matrix(wired_cells(pair.minus.cast<double>(), wires)));
}

Values product(const MatrixD& weights, const std::vector<float>& bias, const Values& x) {
  const Eigen::Map<const Eigen::VectorXd> inputs(x.data(), static_cast<Eigen::Index>(x.size()));
  const Eigen::VectorXd y = weights * inputs;
  Values sums(y.begin(), y.end());
  for (std::size_t j = 0; j < bias.size(); ++j) sums[j] += bias[j];
  return sums;
}

Network small_network() {
  test::NetworkBuilder b({2, 6, 6}, 11);
  b.preprocess() = {1 / 255.0, {0.5, 0.5}, {}};
  b.linear(b.add(Flatten{}, {b.relu(b.conv(-1, 5, 3, 1, 1))}), 7);
  return b.network();
}

/// 50 images in double: the logits of transfer matrices and of circuits, to 1e-9 of the largest.
TEST(WiredNetwork, EqualsEveryProductAsAWholeCircuit) {
  const Network network = small_network();
  const MemoryDataset data(network.input, network.classes, 50, 21);
  LayerHardware chip = wired_chip();
  // Conductances that float holds exactly: the circuits have theirs in double.
  chip.device.programming_error = {}, chip.device.on_off_ratio = std::numeric_limits<double>::infinity();
  chip.device.levels = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1};
  const std::vector<LayerHardware> hardware(2, chip);
  ReferenceNetwork circuits(network, hardware, std::vector<LayerRanges>(2, {{-2, 2}, {}, {}}), 3, 1);
  circuits.program(0), circuits.program(1);
  const Layer &conv = network.layers[0], &linear = network.layers[3];
  const MatrixD first = weights_by_transfer(layer_weights(conv), chip, {3, 1, 0});
  const MatrixD second = weights_by_transfer(layer_weights(linear), chip, {3, 1, 3});
  LayerHardware ideal = chip;
  ideal.array.wires = {};
  const MatrixD unwired = weights_by_transfer(layer_weights(linear), ideal, {3, 1, 3});
  const ConvolutionShape g = layer_geometry(network, 0);
  for (std::uint64_t image = 0; image < 50; ++image) {
    const Values pixels = test::image_values(network, data, image);
    const int windows = g.out_height() * g.out_width();
    Values flat(static_cast<std::size_t>(5 * windows));  // (c, y, x)
    for (int w = 0; w < windows; ++w) {
      const Values sums = product(first, layer_bias(conv), test::window_inputs(pixels, g, w));
      for (int c = 0; c < 5; ++c) {
        flat[static_cast<std::size_t>(c * windows + w)] = std::max(sums[static_cast<std::size_t>(c)], 0.0);
      }
    }
    const Values logits = product(second, layer_bias(linear), flat);
    const std::vector<double> expected = circuits.run(data, image).logits;
    const double largest =
        std::abs(*std::ranges::max_element(expected, {}, [](double logit) { return std::abs(logit); }));
    double worst = 0, without = 0;
    const Values other = product(unwired, layer_bias(linear), flat);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      worst = std::max(worst, std::abs(logits[k] - expected[k]));
      without = std::max(without, std::abs(other[k] - expected[k]));
    }
    EXPECT_LT(worst, 1e-9 * largest);
    EXPECT_GT(without, 1e-2 * largest) << "the last layer without its wires";
  }
}

/// The float path through the engine beside the one in double: pairs apart and interleaved, offset cells with and
/// without a unit column, slices, split arrays, rows driven in turn, a converter; gated cells, pulses, read noise,
/// nonlinear cells.
TEST(WiredNetwork, RunsEveryMappingAsTheReferenceDoes) {
  const Network network = small_network();
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 6, 21);
  const auto logits = [&](LayerHardware chip, Precision precision) {
    chip.precision = precision;
    const std::vector<LayerHardware> hardware(2, chip);
    InferenceEngine engine(network, data, {}, 2);
    InferenceRequest request;
    request.hardware = hardware;
    request.seed = 3, request.trial = 1, request.count = 3;
    return engine.logits(request);
  };
  std::vector<std::pair<const char*, LayerHardware>> chips;
  const auto add = [&](const char* name, auto change) {
    chips.emplace_back(name, wired_chip());
    change(chips.back().second);
  };
  add("pairs", [](LayerHardware&) {});
  add("interleaved", [](LayerHardware& h) { h.core.interleaved = true; });
  add("two-sided, digital", [](LayerHardware& h) {
    h.core.two_sided = true, h.core.subtract = Subtraction::digital;
    h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.range = RangeRule::maximum;
  });
  add("offset", [](LayerHardware& h) { h.core.style = CoreStyle::offset; });
  add("unit column, split", [](LayerHardware& h) {
    h.core.style = CoreStyle::offset, h.core.unit_column = true;
    h.array.rows_max = 50, h.array.cols_max = 4;
    h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.range = RangeRule::maximum;
  });
  add("slices", [](LayerHardware& h) { h.core.weight_bits = 7, h.core.slices = 3; });
  const auto gated = [](LayerHardware& h) {
    h.array.wires.source = WireSource::separate;
    h.dac.model = ConverterModel::sign_magnitude, h.dac.bits = 4, h.dac.slice_bits = 1;
  };
  add("gated", gated);
  add("gated pairs, partly filled", [&](LayerHardware& h) {
    gated(h);
    h.core.interleaved = true;
    h.array.rows_max = 50, h.array.wires.used_rows = UsedRows::bottom;
  });
  add("gated, unit column, rows in turn, a converter per bit", [&](LayerHardware& h) {
    gated(h);
    h.core.style = CoreStyle::offset, h.core.unit_column = true;
    h.array.rows_max = 60, h.array.rows_active = 16;
    h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.range = RangeRule::maximum;
    h.adc.per_input_slice = true;
  });
  add("gated, slices, digital", [&](LayerHardware& h) {
    gated(h);
    h.core.weight_bits = 5, h.core.slices = 2, h.core.subtract = Subtraction::digital;
    h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.range = RangeRule::maximum;
  });
  add("gated by pulses, with read noise", [&](LayerHardware& h) {
    gated(h);
    h.dac.model = ConverterModel::pulse_width, h.dac.slice_bits.reset();
    h.device.read_noise = {ErrorModel::normal_independent, 0.02};
  });
  const auto noisy = [](LayerHardware& h) { h.device.read_noise = {ErrorModel::normal_proportional, 0.05}; };
  add("read noise to first order", noisy);
  add("read noise of interleaved pairs, exactly, rows in turn", [&](LayerHardware& h) {
    noisy(h);
    h.core.interleaved = true, h.array.wires.read_noise = WireNoise::exact;
    h.array.rows_active = 60;
  });
  add("nonlinear cells", [](LayerHardware& h) { h.device.iv = IvModel::cubic, h.device.read_voltage = 0.8; });
  add("nonlinear pairs with read noise, sliced inputs", [&](LayerHardware& h) {
    noisy(h);
    h.core.interleaved = true, h.device.iv = IvModel::cubic, h.device.read_voltage = 0.8;
    h.dac.model = ConverterModel::sign_magnitude, h.dac.bits = 5, h.dac.slice_bits = 2;
    h.array.rows_max = 50;
  });
  add("gated nonlinear cells", [&](LayerHardware& h) {
    gated(h);
    h.dac.bits = 3, h.device.iv = IvModel::cubic, h.device.read_voltage = 0.8;
  });
  add("rows in turn", [](LayerHardware& h) {
    h.array.rows_max = 60, h.array.rows_active = 16;
    h.adc.model = ConverterModel::quantizer, h.adc.bits = 14, h.adc.range = RangeRule::maximum;
  });
  for (const auto& [name, chip] : chips) {
    SCOPED_TRACE(name);
    const Matrix fast = logits(chip, Precision::float32), exact = logits(chip, Precision::float64);
    const float largest = exact.cwiseAbs().maxCoeff();
    const bool rounds = chip.adc.model != ConverterModel::ideal;
    EXPECT_LT((fast - exact).cwiseAbs().maxCoeff(), (rounds ? 2e-3F : 2e-5F) * largest);
    LayerHardware ideal = chip;
    ideal.array.wires = {};
    EXPECT_GT((logits(ideal, Precision::float32) - exact).cwiseAbs().maxCoeff(), 1e-2F * largest) << "without wires";
  }
}

}  // namespace
}  // namespace crossgrid
