#include <algorithm>
#include <cmath>

#include "crossgrid/backend/launch.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "crossgrid/network/tensor_operations.hpp"
#include "crossgrid/network/window_tiles.hpp"

/// A layer's conversions one after the other: input slices, row blocks, weight slices, sides.
namespace crossgrid {

namespace {

CROSSGRID_MULTIVERSION
void limit_currents(float* currents, std::size_t count, float most) {
  for (std::size_t i = 0; i < count; ++i) currents[i] = limited(currents[i], -most, most);
}

CROSSGRID_MULTIVERSION
void subtract(float* currents, const float* minus, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) currents[i] -= minus[i];
}

CROSSGRID_MULTIVERSION
void add_weighted(const float* currents, float weight, float* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sum[i] = fused(currents[i], weight, sum[i]);
}

CROSSGRID_MULTIVERSION
bool has_nan(const float* values, std::size_t count) {
  int found = 0;
  for (std::size_t i = 0; i < count; ++i) found |= values[i] != values[i] ? 1 : 0;
  return found != 0;
}

CROSSGRID_MULTIVERSION
bool has_negative(const float* values, std::size_t count) {
  int found = 0;
  for (std::size_t i = 0; i < count; ++i) found |= values[i] < 0 ? 1 : 0;
  return found != 0;
}

/// Images that go through the chain together.
struct Images {
  int first = 0, count = 1;
  std::uint32_t absolute = 0;      ///< index of the first one in the data set
  bool* clipped = nullptr;         ///< by window of one image: set where a conversion clips
  std::uint32_t first_window = 0;  ///< see MicroBatch
};

/// What becomes of currents on their way to the sums.
class Conversions {
 public:
  Conversions(const MatrixStep& step, const Images& images, Lane& lane, const ConversionObserver& observe, double* sums)
      : step_(step),
        images_(images),
        lane_(lane),
        observe_(observe),
        sums_(sums),
        count_(static_cast<std::size_t>(images.count) * step.matrix->currents_per_image()) {}

  /// inputs: `input_count` driven values. product(block, plane, driven, to) multiplies.
  template <class ProductOf>
  void run(const float* inputs, std::size_t input_count, const ProductOf& product) {
    const int cycles = step_.inputs_apart ? step_.slices.count : 1;
    const int blocks = static_cast<int>(step_.matrix->blocks.size());
    if (sums_ != nullptr) std::fill_n(sums_, count_, 0.0);
    if (step_.matrix->plan.integers) look_at_signs(inputs);
    if (step_.inputs_summed) {
      for (int block = 0; block < blocks; ++block) {
        run_planes(block, 1, [&](int plane, float* to) {
          add_cycles(cycles, to, [&](int cycle, float* current) {
            product(block, plane, inputs_of_cycle(inputs, input_count, cycle), current);
          });
        });
      }
      return;
    }
    for (int cycle = 0; cycle < cycles; ++cycle) {
      const DrivenInputs driven = inputs_of_cycle(inputs, input_count, cycle);
      cycle_ = cycle;
      const double weight = step_.inputs_apart ? step_.slices.weight(cycle) : 1;
      for (int block = 0; block < blocks; ++block) {
        run_planes(block, weight, [&](int plane, float* to) {
          product(block, plane, driven, to);
          limit(to);
        });
      }
    }
  }

 private:
  /// Digits know neither signs nor NaN: images that have one lose all their currents.
  void look_at_signs(const float* inputs) {
    const std::size_t size = step_.matrix->inputs_per_image();
    for (int image = 0; image < images_.count; ++image, inputs += size) {
      negative_ = negative_ || has_negative(inputs, size);
      if (has_nan(inputs, size)) undefined_.push_back(image);
    }
  }

  const std::uint8_t* digits_of(const float* inputs, std::size_t count, int cycle, Lane::DigitScratch which) {
    std::uint8_t* const digits = lane_.scratch(which, count);
    input_digits(inputs, digits, count, input_digit(step_.slices, cycle), which == Lane::minus_digits ? -1.0f : 1.0f);
    return digits;
  }

  DrivenInputs inputs_of_cycle(const float* inputs, std::size_t count, int cycle) {
    DrivenInputs driven{inputs, nullptr, cycle, images_.first_window};
    if (step_.matrix->plan.integers) {
      driven.digits = digits_of(inputs, count, cycle, Lane::plus_digits);
      if (negative_) driven.minus_digits = digits_of(inputs, count, cycle, Lane::minus_digits);
      driven.undefined = undefined_;
      return driven;
    }
    if (step_.inputs_apart && step_.slices.count > 1) {
      float* const slice = lane_.scratch(Lane::input_slice, count);
      slice_inputs(inputs, slice, count, input_digit(step_.slices, cycle));
      driven.values = slice;
    }
    if (step_.matrix->noise == NoisePath::lumped) {
      driven.squares = squared_inputs(step_, driven.values, count, lane_);
    }
    return driven;
  }

  const CellPlane& plane_at(int plane) const {
    return step_.matrix->programmed.planes[static_cast<std::size_t>(plane)];
  }

  /// The analog sum of a plane's input cycles, each limited by itself.
  template <class CurrentOf>
  void add_cycles(int cycles, float* sum, const CurrentOf& current_of) {
    float* const current = lane_.scratch(Lane::cycle_currents, count_);
    std::fill_n(sum, count_, 0.0f);
    for (int cycle = 0; cycle < cycles; ++cycle) {
      current_of(cycle, current);
      limit(current);
      add_weighted(current, static_cast<float>(step_.slices.weight(cycle)), sum, count_);
    }
  }

  /// All planes of a row block: currents_of(plane, to), subtracted where both sides meet one converter, converted.
  template <class CurrentsOf>
  void run_planes(int block, double weight, const CurrentsOf& currents_of) {
    const ProgrammedMatrix& cells = step_.matrix->programmed;
    float* const currents = lane_.scratch(Lane::currents, count_);
    for (int plane = 0; plane < static_cast<int>(cells.planes.size()); ++plane) {
      currents_of(plane, currents);
      const int first = plane;
      if (cells.scheme.net_converter) {
        float* const minus = lane_.scratch(Lane::minus_currents, count_);
        currents_of(++plane, minus);
        subtract(currents, minus, count_);
      }
      convert(block, first, weight * plane_at(first).scale, currents);
    }
  }

  void limit(float* currents) const {
    if (step_.current_max) limit_currents(currents, count_, *step_.current_max);
  }

  void convert(int block, int plane, double weight, float* currents) {
    const int converter = step_.matrix->programmed.scheme.net_converter ? plane / 2 : plane;
    if (observe_)
      observe_({block, plane_at(plane).slice, converter, images_.first, images_.count, currents,
                step_.matrix->plan.idle_with(block)});
    if (sums_ == nullptr) return;
    const AdcStage& adc = step_.adc(block, converter);
    if (images_.clipped != nullptr) note_clipped(adc, currents);
    if (!adc.banks.empty()) run_banks(adc, block, currents);
    shift_and_add(adc, weight, currents, sums_, count_);
  }

  /// Converters with errors of their circuits, one bank for each array's columns.
  void run_banks(const AdcStage& adc, int block, float* currents) const {
    const PreparedMatrix& matrix = *step_.matrix;
    ConversionPlace place;
    place.matrix_cols = matrix.columns;
    place.cycle = static_cast<std::uint32_t>(block * 64 + cycle_);
    place.first_window = images_.first_window;
    for (int image = images_.first; image < images_.first + images_.count; ++image) {
      place.image = images_.absolute + static_cast<std::uint32_t>(image - images_.first);
      for (std::size_t part = 0; part < adc.banks.size(); ++part) {
        const Crossbar& array = matrix.programmed.array(0, 0, static_cast<int>(part));
        place.col_first = array.col_first;
        adc.banks[part]->convert(currents + array.col_first, matrix.windows(), array.cols, matrix.columns, place);
      }
      currents += matrix.currents_per_image();
    }
  }

  void note_clipped(const AdcStage& adc, const float* currents) const {
    const auto columns = static_cast<std::size_t>(step_.matrix->columns);
    for (int window = 0; window < step_.matrix->windows(); ++window, currents += columns) {
      images_.clipped[window] = images_.clipped[window] || count_clipped(currents, columns, adc.converter) > 0;
    }
  }

  const MatrixStep& step_;
  const Images& images_;
  Lane& lane_;
  const ConversionObserver& observe_;
  double* sums_;
  std::size_t count_;
  int cycle_ = 0;               ///< input slice that is converted
  std::vector<int> undefined_;  ///< images with a NaN
  bool negative_ = false;       ///< whether any input is
};

/// From sums (windows x analog columns, weight units) to outputs in layer units: unit columns and offsets taken off,
/// columns scaled, the bias added. input_sums: by window and group. units: layer units per normalised input, by window,
/// or one for all.
void finish_sums(const MatrixStep& step, const double* sums, const double* input_sums, const double* units,
                 std::size_t windows, float* outputs) {
  const ProgrammedMatrix& cells = step.matrix->programmed;
  const int unit_columns = cells.scheme.unit_columns ? 1 : 0;
  const auto groups = static_cast<std::size_t>(step.matrix->geometry.groups);
  const std::size_t columns_of_group = static_cast<std::size_t>(cells.cols) / groups;
  for (std::size_t w = 0; w < windows; ++w) {
    const double unit = units != nullptr ? units[w] : step.input.unit;
    for (const Part& cols : cells.col_parts) {
      const std::size_t group = static_cast<std::size_t>(cols.first) / columns_of_group;
      const double offset = input_sums != nullptr ? cells.offset_coefficient * input_sums[w * groups + group] : 0;
      const double taken_off = offset + (unit_columns > 0 ? *sums : 0);
      sums += unit_columns;
      const float* const bias = step.bias.empty() ? nullptr : step.bias.data() + cols.first;
      const double* const scales = step.scales.empty() ? nullptr : step.scales.data() + cols.first;
      for (int j = 0; j < cols.count; ++j) {
        const double scale = scales != nullptr ? unit * scales[j] : unit;
        *outputs++ =
            static_cast<float>(scale * (*sums++ - taken_off) + (bias != nullptr ? static_cast<double>(bias[j]) : 0));
      }
    }
  }
}

void run_direct(const MatrixStep& step, const float* driven, const MicroBatch& batch, Lane& lane,
                const ConversionObserver& observe, float* outputs) {
  const PreparedMatrix& matrix = *step.matrix;
  const Images images{0, batch.size, batch.absolute(0), nullptr, batch.first_window};
  const auto count = static_cast<std::size_t>(batch.size);
  double* const sums = outputs != nullptr ? lane.scratch(Lane::sums, count * matrix.currents_per_image()) : nullptr;
  Conversions conversions(step, images, lane, observe, sums);
  conversions.run(driven, count * matrix.inputs_per_image(),
                  [&](int block, int plane, const DrivenInputs& inputs, float* to) {
                    direct_currents(matrix, matrix.bands, block, plane, inputs, batch, lane, to);
                  });
  if (outputs == nullptr) return;
  const std::size_t windows = count * static_cast<std::size_t>(matrix.windows());
  double* input_sums = nullptr;
  if (matrix.programmed.offset_coefficient != 0) {
    const ConvolutionShape& g = matrix.geometry;
    input_sums = lane.scratch(Lane::input_sums, windows * static_cast<std::size_t>(g.groups));
    window_sums(driven, input_sums, lane.scratch(Lane::pixel_sums, static_cast<std::size_t>(g.height) * g.width), g);
  }
  finish_sums(step, sums, input_sums, nullptr, windows, outputs);
}

/// One image whose windows lie in memory as rows.
class GatheredImage {
 public:
  GatheredImage(const MatrixStep& step, std::uint32_t first_window, Lane& lane)
      : step_(step), matrix_(*step.matrix), first_window_(first_window), lane_(lane) {}

  /// Driven inputs (or, where windows are driven by themselves, inputs in layer units) of one image.
  std::uint64_t run(const float* image, int index, std::uint32_t absolute, const ConversionObserver& observe,
                    float* outputs) {
    const auto windows = static_cast<std::size_t>(matrix_.windows());
    const auto rows = static_cast<std::size_t>(matrix_.window_inputs());
    float* const gathered = lane_.scratch(Lane::windows, windows * rows);
    gather_windows(image, gathered, matrix_.geometry, matrix_.rows());
    add_bias_inputs(gathered);
    if (!step_.per_window) {
      run_once(gathered, nullptr, index, absolute, observe, nullptr, outputs);
      return 0;
    }
    std::vector<float> driven(windows * rows), found(windows * static_cast<std::size_t>(matrix_.cols()));
    std::vector<double> units(windows);
    std::vector<int> halvings(windows, 0);
    const auto clipped = std::make_unique<bool[]>(windows);
    std::vector<bool> open(windows, true);
    std::uint64_t repeats = 0;
    for (int round = 0; round <= step_.bound_management; ++round) {
      for (std::size_t w = 0; w < windows; ++w) {
        units[w] = drive_window(gathered + w * rows, driven.data() + w * rows, rows, halvings[w]);
      }
      std::fill_n(clipped.get(), windows, false);
      run_once(driven.data(), units.data(), index, absolute, round == 0 ? observe : ConversionObserver{}, clipped.get(),
               outputs != nullptr ? found.data() : nullptr);
      if (outputs == nullptr) return 0;
      bool again = false;
      for (std::size_t w = 0; w < windows; ++w) {
        if (!open[w]) continue;
        const auto cols = static_cast<std::size_t>(matrix_.cols());
        std::copy_n(found.data() + w * cols, cols, outputs + w * cols);
        open[w] = clipped[w] && round < step_.bound_management;
        if (!open[w]) continue;
        again = true;
        ++halvings[w], ++repeats;
      }
      if (!again) break;
    }
    return repeats;
  }

 private:
  /// The value 1 in layer units drives the rows of a bias.
  void add_bias_inputs(float* gathered) const {
    const int inputs = matrix_.geometry.rows();
    const float one = step_.per_window ? 1 : step_.dac(1.0f);
    for (int vector = 0; vector < matrix_.windows() * matrix_.geometry.groups; ++vector) {
      float* const row = gathered + static_cast<std::ptrdiff_t>(vector) * matrix_.rows();
      std::fill(row + inputs, row + matrix_.rows(), one);
    }
  }

  /// Drives one window in its own scale; returns layer units per unit of its (unhalved) normalised inputs.
  double drive_window(const float* from, float* to, std::size_t rows, int halvings) const {
    const float factor = std::ldexp(1.0f, -halvings);
    InputScale scale = step_.input;
    if (step_.dac_config.range == RangeRule::per_vector) {
      float largest = 0;
      for (std::size_t i = 0; i < rows; ++i) largest = std::max(largest, std::abs(from[i]));
      scale = input_scale(step_.dac_config, {step_.input.is_signed ? -static_cast<double>(largest) : 0, largest});
    }
    const Converter<float> dac = make_dac<float>(step_.dac_config, scale);
    for (std::size_t i = 0; i < rows; ++i) to[i] = from[i] * factor;
    convert(to, rows, dac);
    return scale.unit / static_cast<double>(factor);
  }

  void run_once(const float* driven, const double* units, int index, std::uint32_t absolute,
                const ConversionObserver& observe, bool* clipped, float* outputs) {
    const auto windows = static_cast<std::size_t>(matrix_.windows());
    const auto rows = static_cast<std::size_t>(matrix_.rows());
    const auto groups = static_cast<std::size_t>(matrix_.geometry.groups);
    const Images images{index, 1, absolute, clipped, first_window_};
    double* const sums = outputs != nullptr ? lane_.scratch(Lane::sums, matrix_.currents_per_image()) : nullptr;
    Conversions conversions(step_, images, lane_, observe, sums);
    conversions.run(driven, windows * groups * rows, [&](int block, int plane, const DrivenInputs& inputs, float* to) {
      gathered_currents(matrix_, block, plane, inputs, absolute, lane_, to);
    });
    if (outputs == nullptr) return;
    double* input_sums = nullptr;
    if (matrix_.programmed.offset_coefficient != 0) {
      input_sums = lane_.scratch(Lane::input_sums, windows * groups);
      for (std::size_t w = 0; w < windows * groups; ++w) {
        input_sums[w] = 0;
        for (std::size_t i = 0; i < rows; ++i) input_sums[w] += static_cast<double>(driven[w * rows + i]);
      }
    }
    finish_sums(step_, sums, input_sums, units, windows, outputs);
  }

  const MatrixStep& step_;
  const PreparedMatrix& matrix_;
  std::uint32_t first_window_;
  Lane& lane_;
};

void run_images(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, const MicroBatch& batch,
                Lane& lane, const ConversionObserver& observe, std::uint64_t* halvings, float* outputs) {
  const PreparedMatrix& matrix = *step.matrix;
  const float* const driven = drive(step, inputs, in, encoded, lane);
  if (matrix.plan.execution == MatrixExecution::direct) {
    return run_direct(step, driven, batch, lane, observe, outputs);
  }
  GatheredImage gathered(step, batch.first_window, lane);
  for (int image = 0; image < batch.size; ++image) {
    const auto place = static_cast<std::size_t>(image);
    float* const to = outputs != nullptr ? outputs + place * matrix.outputs_per_image() : nullptr;
    if (image < batch.begin || image >= batch.end) {
      if (to != nullptr) std::fill_n(to, matrix.outputs_per_image(), 0.0f);
      continue;
    }
    const std::uint64_t repeats =
        gathered.run(driven + place * matrix.inputs_per_image(), image, batch.absolute(image), observe, to);
    if (halvings != nullptr) halvings[image] += repeats;
  }
}

}  // namespace

void run_chain(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, const MicroBatch& batch,
               Lane& lane, const ConversionObserver& observe, std::uint64_t* halvings, float* outputs) {
  if (!step.tiles) return run_images(step, inputs, in, encoded, batch, lane, observe, halvings, outputs);
  const std::size_t count = static_cast<std::size_t>(batch.size) * step.matrix->outputs_per_image();
  float* const tiles = lane.scratch(Lane::tiled_outputs, count);
  run_images(step, inputs, in, encoded, batch, lane, observe, halvings, tiles);
  scatter_tiles(tiles, outputs, step.tiles->layer, step.tiles->tile);
}

void observe_currents(const MatrixStep& step, const float* inputs, const Shape& in, const MicroBatch& batch, Lane& lane,
                      const ConversionObserver& observe) {
  run_images(step, inputs, in, false, batch, lane, observe, nullptr, nullptr);
}

}  // namespace crossgrid
