#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/network/analog_matrix.hpp"

/// Every combination of a generated table (cores x DACs x ADCs x signs x slices): with ideal analog parts the chain is
/// the digital product of integers, whatever the plan; and where converters lose something, the planner's path meets
/// them with the values that brute force does.
namespace crossgrid {
namespace {

constexpr int outputs = 4, inputs = 33, vectors = 2;
constexpr int input_steps = 15;                                 ///< inputs are integers up to this
constexpr double input_unit = 0.0625, weight_unit = 0.0078125;  // exact in float
constexpr double float_tolerance = 2e-6, double_tolerance = 1e-10, value_tolerance = 1e-6;

/// Of outputs with noise or losses: offset cells leave a small difference of large numbers, as in analog_layer_test.
constexpr double path_tolerance = 4e-6;

enum class Adc { ideal, lossless, coarse };

struct Combination {
  LayerHardware hardware;
  Adc adc = Adc::ideal;
  bool noisy = false;
  bool is_signed() const { return hardware.dac.model != ConverterModel::quantizer; }
  bool exact() const { return adc != Adc::coarse && !noisy; }
  bool sign_magnitude() const { return hardware.adc.model == ConverterModel::sign_magnitude; }
  /// Of the ADC, between its outermost levels.
  double steps() const { return std::ldexp(1.0, hardware.adc.bits) - (sign_magnitude() ? 2 : 1); }
  /// Whether brute force draws the same normals: collapsed slices have one normal of the summed variance, which
  /// output_statistics_test compares as a distribution.
  bool same_draws() const { return !noisy || hardware.core.slices == 1 || scheme().slices; }
  NoisePath noise() const { return noisy ? NoisePath::lumped : NoisePath::none; }
  ConversionScheme scheme() const { return conversion_scheme(hardware, noise()); }
  MatrixPlan plan() const {
    ConvolutionShape geometry;
    geometry.in_channels = inputs, geometry.out_channels = outputs;
    return plan_matrix(geometry, hardware, noise());
  }
};

/// Weights and inputs as integers.
struct Integers {
  std::vector<std::int64_t> weights;  ///< outputs x inputs
  std::vector<std::int64_t> inputs;   ///< vectors x inputs
};

Integers draw_integers(const Combination& c) {
  std::mt19937 random(5);
  const std::int64_t steps = (1 << (*c.hardware.core.weight_bits - 1)) - 1;
  Integers drawn;
  for (int k = 0; k < outputs * inputs; ++k) {
    drawn.weights.push_back(std::uniform_int_distribution<std::int64_t>(-steps, steps)(random));
  }
  drawn.weights[7] = -steps, drawn.weights[20] = steps, drawn.weights[21] = 0;
  for (int k = 0; k < vectors * inputs; ++k) {
    drawn.inputs.push_back(
        std::uniform_int_distribution<std::int64_t>(c.is_signed() ? -input_steps : 0, input_steps)(random));
  }
  return drawn;
}

/// The exact quantised digital result, vectors x outputs.
std::vector<double> digital_result(const Integers& of) {
  std::vector<double> result;
  for (int v = 0; v < vectors; ++v) {
    for (int j = 0; j < outputs; ++j) {
      std::int64_t sum = 0;
      for (int i = 0; i < inputs; ++i) {
        sum +=
            of.weights[static_cast<std::size_t>(j * inputs + i)] * of.inputs[static_cast<std::size_t>(v * inputs + i)];
      }
      result.push_back(static_cast<double>(sum) * weight_unit * input_unit);
    }
  }
  return result;
}

Matrix weight_matrix(const Integers& of) {
  Matrix weights(outputs, inputs);
  for (std::size_t k = 0; k < of.weights.size(); ++k) {
    weights.data()[k] = static_cast<float>(of.weights[k]) * static_cast<float>(weight_unit);
  }
  return weights;
}

/// Off the DAC's levels, where there are any: rounding must find them again.
Matrix input_matrix(const Integers& of, const Combination& c) {
  std::mt19937 random(6);
  std::uniform_real_distribution<double> beside(-0.4, 0.4);
  Matrix x(vectors, inputs);
  for (std::size_t k = 0; k < of.inputs.size(); ++k) {
    const double off = c.hardware.dac.model == ConverterModel::ideal ? 0 : beside(random);
    x.data()[k] = static_cast<float>((static_cast<double>(of.inputs[k]) + off) * input_unit);
  }
  return x;
}

/// Largest difference in parts of the largest result.
double relative_difference(const std::vector<double>& found, const std::vector<double>& expected) {
  double difference = 0, largest = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    difference = std::max(difference, std::abs(found[k] - expected[k]));
    largest = std::max(largest, std::abs(expected[k]));
  }
  return difference / largest;
}

std::vector<double> values_of(const Matrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// Values that met the converters, [vector][row block][converter][input slice][column].
using Observed = std::map<std::tuple<int, int, int>, std::vector<std::vector<float>>>;

struct FastRun {
  std::vector<double> outputs;
  Observed observed;
};

FastRun run_fast(const Combination& c, const Integers& of) {
  AnalogMatrix arrays(weight_matrix(of), c.hardware, {c.hardware.dac.fixed_range, {}, {}}, {3, 0, 0});
  const int units = c.hardware.core.unit_column ? 1 : 0;
  FastRun run;
  const Matrix found = arrays.multiply(input_matrix(of, c), 0, [&](const ConversionView& view) {
    const float* currents = view.currents;
    for (int image = view.first_image; image < view.first_image + view.images; ++image, currents += outputs + units) {
      if (image >= vectors) continue;
      run.observed[{image, view.block, view.converter}].emplace_back(currents, currents + outputs + units);
    }
  });
  run.outputs = values_of(found);
  return run;
}

/// By brute force: one result per vector.
std::vector<ReferenceResult> run_reference(const Combination& c, const Integers& of, int count = vectors) {
  const Matrix weights = weight_matrix(of), x = input_matrix(of, c);
  std::vector<ReferenceResult> results;
  for (int v = 0; v < count; ++v) {
    ReferenceMvm mvm;
    mvm.input_range = c.hardware.dac.fixed_range;
    mvm.seed = 3, mvm.image = static_cast<std::uint32_t>(v);
    const std::vector<double> vector(x.row(v).data(), x.row(v).data() + inputs);
    results.push_back(reference_chain(weights, c.hardware, vector, mvm));
  }
  return results;
}

std::vector<double> outputs_of(const std::vector<ReferenceResult>& results) {
  std::vector<double> all;
  for (const ReferenceResult& result : results) all.insert(all.end(), result.outputs.begin(), result.outputs.end());
  return all;
}

struct Comparison {
  double worst_value = 0;  ///< difference before the ADC, in parts of its range
  std::uint64_t codes = 0, at_threshold = 0;
  std::uint64_t wrong = 0;  ///< other codes away from thresholds, or values that are missing
  std::uint64_t clipped = 0;
};

/// Values and codes of one vector's conversions against brute force. `shift`: added to every value, in parts of the
/// range: a fault that must be seen.
Comparison compare_conversions(const Combination& c, int vector, const Observed& observed,
                               const ReferenceResult& reference, double shift = 0) {
  const ConversionScheme scheme = c.scheme();
  const bool two = scheme.sides && !scheme.net_converter;
  const double steps = c.steps();
  Comparison found;
  for (const ReferenceConversion& conversion : reference.conversions) {
    const int converter = two ? 2 * conversion.slice + conversion.side : conversion.slice;
    const auto place = observed.find({vector, conversion.group, converter});
    if (place == observed.end() || static_cast<std::size_t>(conversion.input_slice) >= place->second.size()) {
      ++found.wrong;
      continue;
    }
    Interval range = conversion.range;
    if (c.sign_magnitude()) {
      range.high = std::max(std::abs(range.low), std::abs(range.high));
      range.low = -range.high;
    }
    const double width = range.high - range.low;
    const auto& columns = place->second[static_cast<std::size_t>(conversion.input_slice)];
    const float value = columns[static_cast<std::size_t>(conversion.column)] + static_cast<float>(shift * width);
    found.worst_value = std::max(found.worst_value, std::abs(static_cast<double>(value) - conversion.value) / width);
    const double exact = std::clamp((conversion.value - range.low) / width, 0.0, 1.0) * steps;
    const bool near = std::abs(exact - std::floor(exact) - 0.5) / steps < value_tolerance;
    const double code = static_cast<double>(make_adc<float>(c.hardware.adc, range).levels.code(value)) +
                        (c.sign_magnitude() ? steps / 2 : 0);
    ++found.codes;
    found.clipped +=
        conversion.value < range.low - 0.5 * width / steps || conversion.value > range.high + 0.5 * width / steps;
    found.at_threshold += near;
    found.wrong += !near && code != std::nearbyint(exact);
  }
  return found;
}

std::string describe(const Combination& c) {
  const CoreConfig& core = c.hardware.core;
  const DacConfig& dac = c.hardware.dac;
  const char* const dacs[] = {"ideal", "quantizer", "sign_magnitude"};
  const char* const adcs[] = {"ideal", "lossless", "coarse"};
  return fmt::format("{}{}{}, {} bits in {} slices, DAC {} in slices of {}, ADC {}{}{}, rows_max {}{}",
                     core.style == CoreStyle::balanced ? "balanced" : "offset", core.two_sided ? " two-sided" : "",
                     core.subtract == Subtraction::digital ? " digital"
                     : core.unit_column                    ? " unit column"
                                                           : "",
                     *core.weight_bits, core.slices, dacs[static_cast<int>(dac.model)], dac.slice_bits.value_or(0),
                     adcs[static_cast<int>(c.adc)], c.sign_magnitude() ? " sign_magnitude" : "",
                     c.hardware.adc.per_input_slice ? " per input slice" : "", c.hardware.array.rows_max.value_or(0),
                     c.noisy ? ", noisy" : "");
}

std::string plan_name(const Combination& c) {
  const MatrixPlan plan = c.plan();
  std::string name = scheme_text(c.hardware, c.scheme());
  if (name.empty()) name = "one product";
  if (plan.merged) name += ", row blocks merged";
  if (plan.blocks.size() > 1) name += fmt::format(", {} row blocks", plan.blocks.size());
  if (c.noisy) name += ", noise as a variance product";
  return name;
}

int row_arrays(const Combination& c) {
  const ArrayConfig& array = c.hardware.array;
  return static_cast<int>(partition(inputs, array.rows_max, array.rows_partition).size());
}

int products(const Combination& c) {
  return scheme_count(c.hardware, c.scheme()).total() * static_cast<int>(c.plan().blocks.size()) * (c.noisy ? 2 : 1);
}

int brute_force_products(const Combination& c) {
  return brute_force_count(c.hardware).total() * row_arrays(c);
}

/// A range whose levels are the sums that digits can make: the chain loses nothing. The rule "granular" where it holds.
/// False where unsigned currents leave half of a sign-magnitude ADC's codes unused and 16 bits are too few.
bool make_lossless(Combination& c) {
  const CoreConfig& core = c.hardware.core;
  const DacConfig& dac = c.hardware.dac;
  AdcConfig& adc = c.hardware.adc;
  const int bits = *core.weight_bits, held = core.style == CoreStyle::balanced ? bits - 1 : bits;
  const int slice_bits = bits % core.slices == 0 ? bits / core.slices : (held + core.slices - 1) / core.slices;
  const bool halves = core.style == CoreStyle::offset || (core.two_sided && core.subtract == Subtraction::digital);
  const double digit =
      core.slices > 1 ? std::ldexp(1.0, slice_bits) - 1 : (std::ldexp(1.0, bits - 1) - 1) * (halves ? 2 : 1);
  const double input = adc.per_input_slice ? std::ldexp(1.0, *dac.slice_bits) - 1 : input_steps;
  const bool bipolar = c.is_signed() || (core.style == CoreStyle::balanced && core.subtract == Subtraction::analog);
  const bool halved = bipolar || c.sign_magnitude();
  const int needed = static_cast<int>(std::ceil(std::log2(inputs * digit * input + 1))) + (halved ? 1 : 0);
  if (c.sign_magnitude() && needed > 16) return false;
  adc.bits = std::min(needed, 16);
  const double codes = std::ldexp(1.0, adc.bits), step = 1 / (digit * input);
  // The rule knows the pair's difference, not the steps of a two-sided pair's single cells.
  const bool rule = adc.per_input_slice && !(core.two_sided && core.subtract == Subtraction::digital);
  adc.range = rule ? RangeRule::granular : RangeRule::fixed;
  const double high = step * (halved ? codes / 2 - 1 : codes - 1);
  adc.fixed_ranges = {{c.sign_magnitude() ? -high : bipolar ? -step * codes / 2 : 0, high}};
  return true;
}

/// Few levels, none of whose thresholds lies on a sum of digits.
void make_coarse(Combination& c) {
  const CoreConfig& core = c.hardware.core;
  const bool bipolar = c.is_signed() || (core.style == CoreStyle::balanced && core.subtract == Subtraction::analog);
  c.hardware.adc.bits = 5;
  c.hardware.adc.range = RangeRule::fixed;
  c.hardware.adc.fixed_ranges = {bipolar ? Interval{-4.3193, 5.7737} : Interval{-0.3171, 8.7193}};
}

std::vector<CoreConfig> cores() {
  std::vector<CoreConfig> all;
  const std::pair<int, std::vector<int>> widths[] = {{8, {1, 2, 3, 4}}, {5, {2, 3}}, {16, {8}}};
  for (const auto& [bits, slices] : widths) {
    for (const int count : slices) {
      CoreConfig core;
      core.weight_bits = bits, core.slices = count;
      for (const Subtraction subtract : {Subtraction::analog, Subtraction::digital}) {
        core.subtract = subtract;
        all.push_back(core);
        if (count > 1) continue;  // digits have one side
        all.push_back(core);
        all.back().two_sided = true;
      }
      core.style = CoreStyle::offset, core.subtract = Subtraction::analog;
      all.push_back(core);
      all.push_back(core);
      all.back().unit_column = true;
    }
  }
  return all;
}

std::vector<DacConfig> dacs() {
  std::vector<DacConfig> all;
  for (const ConverterModel model :
       {ConverterModel::ideal, ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
    for (const int slice_bits : {0, 1, 2, 3}) {
      if (slice_bits > 0 && model == ConverterModel::ideal) continue;  // has no digits
      DacConfig dac;
      dac.model = model;
      dac.bits = model == ConverterModel::sign_magnitude ? 5 : 4;
      dac.range = RangeRule::fixed;
      const double limit = input_steps * input_unit;
      dac.fixed_range = {model == ConverterModel::quantizer ? 0 : -limit, limit};
      if (slice_bits > 0) dac.slice_bits = slice_bits;
      all.push_back(dac);
    }
  }
  return all;
}

/// Those of a core and a DAC.
void add_converters(std::vector<Combination>& all, const Combination& parts) {
  for (const Adc adc : {Adc::ideal, Adc::lossless, Adc::coarse}) {
    for (const bool per_input_slice : {false, true}) {
      // Without digits or without a converter there is nothing per input slice.
      if (per_input_slice && (!parts.hardware.dac.slice_bits || adc == Adc::ideal)) continue;
      for (const bool noisy : {false, true}) {
        if (noisy && (adc == Adc::lossless || parts.hardware.dac.slice_bits.value_or(2) != 2)) continue;
        for (const ConverterModel model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
          if (model == ConverterModel::sign_magnitude && (noisy || adc == Adc::ideal)) continue;
          Combination c = parts;
          c.adc = adc, c.noisy = noisy;
          c.hardware.adc.per_input_slice = per_input_slice;
          if (adc != Adc::ideal) c.hardware.adc.model = model;
          if (adc == Adc::lossless && !make_lossless(c)) continue;
          if (adc == Adc::coarse) make_coarse(c);
          if (noisy) {
            c.hardware.device.read_noise = {ErrorModel::normal_independent, 0.02};
            c.hardware.device.read_noise_sampling = NoiseSampling::lumped;
          }
          all.push_back(c);
        }
      }
    }
  }
}

const std::vector<Combination>& table() {
  static const std::vector<Combination> all = [] {
    std::vector<Combination> made;
    for (const CoreConfig& core : cores()) {
      for (const DacConfig& dac : dacs()) {
        for (const int rows_max : {0, 20}) {
          Combination c;
          c.hardware.core = core, c.hardware.dac = dac;
          if (rows_max > 0) c.hardware.array.rows_max = rows_max;
          add_converters(made, c);
        }
      }
    }
    return made;
  }();
  return all;
}

struct PlanSummary {
  int products = 0, brute_force = 0, combinations = 0;
  std::uint64_t codes = 0, at_threshold = 0;
};

TEST(ChainTable, IsExactForIdealPartsAndMeetsConvertersAsBruteForceDoes) {
  std::map<std::string, PlanSummary> plans;
  double worst_float = 0, worst_double = 0, worst_value = 0, worst_path = 0;
  int exact = 0;
  for (const Combination& c : table()) {
    const Integers integers = draw_integers(c);
    const FastRun fast = run_fast(c, integers);
    const std::vector<ReferenceResult> reference = run_reference(c, integers);
    PlanSummary& plan = plans[plan_name(c)];
    plan.products = products(c), plan.brute_force = brute_force_products(c);
    ++plan.combinations;
    std::uint64_t at_threshold = 0;
    for (int v = 0; v < vectors; ++v) {
      const Comparison found = compare_conversions(c, v, fast.observed, reference[static_cast<std::size_t>(v)]);
      ASSERT_EQ(found.wrong, 0u) << describe(c);
      ASSERT_LT(found.worst_value, value_tolerance) << describe(c);
      ASSERT_EQ(found.codes > 0, c.adc != Adc::ideal) << describe(c);
      ASSERT_TRUE(c.adc != Adc::lossless || found.clipped == 0) << describe(c);
      worst_value = std::max(worst_value, found.worst_value);
      plan.codes += found.codes, at_threshold += found.at_threshold;
    }
    plan.at_threshold += at_threshold;
    if (at_threshold == 0 && c.same_draws()) {
      const double path = relative_difference(fast.outputs, outputs_of(reference));
      ASSERT_LT(path, path_tolerance) << describe(c);
      worst_path = std::max(worst_path, path);
    }
    if (!c.exact()) continue;
    const std::vector<double> expected = digital_result(integers);
    const double in_float = relative_difference(fast.outputs, expected);
    const double in_double = relative_difference(outputs_of(reference), expected);
    ASSERT_LT(in_float, float_tolerance) << describe(c);
    ASSERT_LT(in_double, double_tolerance) << describe(c);
    worst_float = std::max(worst_float, in_float), worst_double = std::max(worst_double, in_double);
    ++exact;
  }
  std::uint64_t codes = 0, at_threshold = 0;
  for (const auto& [name, plan] : plans) {
    fmt::print("{:>4} of {:<4} products, {:>3} combinations, {:>6} codes, {} at a threshold: {}\n", plan.products,
               plan.brute_force, plan.combinations, plan.codes, plan.at_threshold, name);
    codes += plan.codes, at_threshold += plan.at_threshold;
  }
  fmt::print(
      "{} combinations, {} plans; {} equal the digital result to {:.1e} (float32) and {:.1e} (float64) of the "
      "largest; {} codes, {} at a threshold; values before ADCs to {:.1e} of the range, outputs to {:.1e}\n",
      table().size(), plans.size(), exact, worst_float, worst_double, codes, at_threshold, worst_value, worst_path);
  EXPECT_GE(exact, 300);
  EXPECT_LT(100 * at_threshold, codes);
}

/// A weight that is one step of its lowest bit off.
Integers with_fault(Integers of, std::size_t place) {
  of.weights[place] ^= 1;
  return of;
}

TEST(ChainTable, RejectsATwinWhoseOneWeightIsOffByItsLowestBit) {
  double weakest = HUGE_VAL;
  int checked = 0;
  for (const Combination& c : table()) {
    // Of 16 bits the lowest is below what float32 must keep: 1/32767 of one weight of 33.
    if (!c.exact() || *c.hardware.core.weight_bits == 16) continue;
    const Integers integers = draw_integers(c);
    const std::vector<double> expected = digital_result(integers);
    const double seen = relative_difference(run_fast(c, with_fault(integers, 40)).outputs, expected);
    ASSERT_GT(seen, float_tolerance) << describe(c);
    weakest = std::min(weakest, seen);
    ++checked;
  }
  fmt::print("{} twins with one bit of one weight wrong, the least visible differs by {:.1e}\n", checked, weakest);
}

TEST(ChainTable, BruteForceRejectsTheSameTwin) {
  int checked = 0;
  for (std::size_t k = 0; k < table().size(); k += 11) {
    const Combination& c = table()[k];
    if (!c.exact()) continue;
    const Integers integers = draw_integers(c);
    const double seen =
        relative_difference(outputs_of(run_reference(c, with_fault(integers, 40))), digital_result(integers));
    ASSERT_GT(seen, 100 * double_tolerance) << describe(c);
    ++checked;
  }
  EXPECT_GT(checked, 20);
}

TEST(ChainTable, RejectsValuesThatAreOffByTwoMillionthsOfTheRange) {
  int checked = 0;
  for (std::size_t k = 0; k < table().size(); k += 7) {
    const Combination& c = table()[k];
    if (c.adc == Adc::ideal) continue;
    const Integers integers = draw_integers(c);
    const auto reference = run_reference(c, integers, 1);
    const FastRun fast = run_fast(c, integers);
    EXPECT_GT(compare_conversions(c, 0, fast.observed, reference[0], 2e-6).worst_value, value_tolerance) << describe(c);
    EXPECT_GT(compare_conversions(c, 0, fast.observed, reference[0], 1 / c.steps()).wrong, 0u) << describe(c);
    ++checked;
  }
  EXPECT_GT(checked, 20);
}

TEST(ChainTable, ShowsEveryCollapse) {
  int slices = 0, input_slices = 0, sides = 0, partitions = 0, noise = 0, all = 0;
  for (const Combination& c : table()) {
    const ConversionScheme scheme = c.scheme();
    const ConversionCount count = brute_force_count(c.hardware);
    const int slices_here = count.slices > 1 && !scheme.slices, inputs_here = count.inputs > 1 && !scheme.inputs;
    const int sides_here = count.sides > 1 && !scheme.sides, partitions_here = c.plan().merged;
    slices += slices_here, input_slices += inputs_here, sides += sides_here, partitions += partitions_here;
    noise += c.noisy && products(c) < brute_force_products(c);
    all += slices_here && inputs_here && sides_here && partitions_here && products(c) == 1;
    EXPECT_LE(products(c), brute_force_products(c) * (c.noisy ? 2 : 1)) << describe(c);
  }
  fmt::print(
      "combinations that collapse: weight slices {}, input slices {}, sides {}, row arrays {}, all of these to "
      "one product {}; noise in one more product {}\n",
      slices, input_slices, sides, partitions, all, noise);
  for (const int collapses : {slices, input_slices, sides, partitions, noise, all}) EXPECT_GT(collapses, 0);
}

}  // namespace
}  // namespace crossgrid
