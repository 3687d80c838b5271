#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/random_matrix.hpp"
#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/network/analog_matrix.hpp"

/// Converters with errors of their own and with draws, where a layer puts them: which mismatch and which draw belong to
/// which slice, side, array, column and vector. Against the reference, which converts one value at a time.
namespace crossgrid {
namespace {

using Change = void (*)(LayerHardware&);
using Named = std::pair<std::string, Change>;

constexpr int outputs = 20, inputs = 33, vectors = 19;
constexpr LayerStreams chip{3, 1, 2};
constexpr std::uint32_t first_image = 5;

/// Several arrays in both directions, errors of every kind, columns that share converters.
LayerHardware mismatched() {
  LayerHardware h;
  h.core.weight_bits = 6, h.core.slices = 3;
  h.array.rows_max = 12, h.array.cols_max = 7;
  h.device.on_off_ratio = 20;
  h.device.programming_error = {ErrorModel::normal_independent, 0.05};
  h.dac = {ConverterModel::sign_magnitude, 5, DacSign::is_signed, RangeRule::fixed, {-1, 1}, 2};
  h.adc.bits = 6, h.adc.group = 3;
  h.adc.per_input_slice = true;
  h.adc.range = RangeRule::fixed;
  h.adc.fixed_ranges = {{-5.1, 6.3}};
  h.adc.errors = {0.04, 0.004, 0.003, 0.1, 0.01, 60};
  return h;
}

const std::vector<Named>& converters() {
  static const std::vector<Named> all{
      {"ramp", [](LayerHardware& h) { h.adc.model = ConverterModel::ramp; }},
      {"sar", [](LayerHardware& h) { h.adc.model = ConverterModel::sar; }},
      {"pipeline", [](LayerHardware& h) { h.adc.model = ConverterModel::pipeline; }},
      {"cyclic", [](LayerHardware& h) { h.adc.model = ConverterModel::cyclic; }},
      {"levels",
       [](LayerHardware& h) {
         h.adc.model = ConverterModel::levels;
         h.adc.levels.levels = {0, 0.02, 0.3, 0.31, 0.5, 0.8, 1};
       }},
      {"measured table",
       [](LayerHardware& h) {
         h.adc.model = ConverterModel::table;
         h.adc.table = {{-1.5, -0.5, 0, 2.5}, {0.1, -0.1, 0, 0.3}, {0.2, 0.05, 0.01, 0.4}};
       }},
      {"stochastic rounding",
       [](LayerHardware& h) { h.adc.model = ConverterModel::quantizer, h.adc.rounding = Rounding::stochastic; }},
      {"stochastic rounding, sign-magnitude",
       [](LayerHardware& h) { h.adc.model = ConverterModel::sign_magnitude, h.adc.rounding = Rounding::stochastic; }}};
  return all;
}

const std::vector<Named>& cores() {
  static const std::vector<Named> all{
      {"balanced", [](LayerHardware&) {}},
      {"offset, one conversion of all input slices",
       [](LayerHardware& h) { h.core.style = CoreStyle::offset, h.adc.per_input_slice = false; }},
      {"groups of rows", [](LayerHardware& h) { h.array.rows_active = 5; }},
      {"unit column", [](LayerHardware& h) { h.core.style = CoreStyle::offset, h.core.unit_column = true; }},
      {"digital subtraction", [](LayerHardware& h) { h.core.subtract = Subtraction::digital; }},
      {"one weight slice", [](LayerHardware& h) { h.core.slices = 1; }}};
  return all;
}

struct Compared {
  Matrix found, expected;
  /// Outputs that differ by more than rounding.
  Eigen::Index different() const {
    return ((found - expected).array().abs() > 1e-5F * expected.cwiseAbs().maxCoeff()).count();
  }
};

/// Some of the vectors, from both of the batches that the fast path makes.
Compared run(const LayerHardware& hardware) {
  const Matrix weights = random_matrix(outputs, inputs, 1), all = random_matrix(vectors, inputs, 2);
  AnalogMatrix matrix(weights, hardware, {hardware.dac.fixed_range, {}, {}}, chip);
  const Matrix found = matrix.multiply(all, first_image);
  const ReferenceMatrix reference(weights, hardware, chip);
  ReferenceMvm mvm;
  mvm.input_range = hardware.dac.fixed_range;
  Compared compared{Matrix(3, outputs), Matrix(3, outputs)};
  Eigen::Index row = 0;
  for (const int vector : {0, 6, 18}) {
    mvm.image = first_image + static_cast<std::uint32_t>(vector);
    const std::vector<double> x(all.row(vector).begin(), all.row(vector).end());
    const std::vector<double> y = reference.multiply(x, mvm).outputs;
    for (Eigen::Index j = 0; j < outputs; ++j) {
      compared.expected(row, j) = static_cast<float>(y[static_cast<std::size_t>(j)]);
    }
    compared.found.row(row++) = found.row(vector);
  }
  return compared;
}

/// A value within the rounding of a float from a threshold may get another code: rare.
TEST(CircuitLayer, ConvertsAsTheReferenceDoes) {
  for (const auto& [converter, set_converter] : converters()) {
    for (const auto& [core, set_core] : cores()) {
      LayerHardware hardware = mismatched();
      set_converter(hardware);
      set_core(hardware);
      EXPECT_LE(run(hardware).different(), 1) << converter << ", " << core;
    }
  }
}

/// Mismatch and draws that matter: a converter without them is told apart.
TEST(CircuitLayer, SeesMismatchAndDraws) {
  for (const auto& [converter, set_converter] : converters()) {
    LayerHardware hardware = mismatched(), perfect = mismatched();
    set_converter(hardware);
    if (hardware.adc.model == ConverterModel::levels) continue;  // has neither
    set_converter(perfect);
    perfect.adc.errors = {}, perfect.adc.table = {{0}, {0}, {0}}, perfect.adc.rounding = Rounding::nearest;
    const Compared compared{run(hardware).found, run(perfect).found};
    EXPECT_GT(compared.different(), compared.found.size() / 6) << converter;
  }
}

}  // namespace
}  // namespace crossgrid
