#include "crossgrid/array/crossbar.hpp"

#include <algorithm>
#include <vector>

#include "crossgrid/array/noisy_current.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/normal.hpp"
#include "crossgrid/base/standard_draws.hpp"

namespace crossgrid {
namespace {

constexpr int draws_at_once = 4096;  ///< stays in the L1 cache

CROSSGRID_MULTIVERSION
void run(std::size_t count, const AddLumpedNoise& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const AddNoisyCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const AddScatteredCell& element) {
  for_each_index(count, element);
}

/// One plane of cells: currents += sign * inputs * noisy cells, for one MVM.
void add_noisy_plane(const Crossbar& crossbar, const Matrix& cells, const Matrix& sigma, float sign,
                     const DrawSequence& draws, std::uint64_t window, const float* inputs, float* currents,
                     std::vector<float>& values) {
  const int cols = crossbar.cols;
  // Where the array is as wide as the matrix, the draws of its rows follow each other and are made together.
  const int rows_at_once = cols == crossbar.matrix_cols ? std::max(1, draws_at_once / cols) : 1;
  for (int first = 0; first < crossbar.rows; first += rows_at_once) {
    const int rows = std::min(rows_at_once, crossbar.rows - first);
    const float* const driven = inputs + first;
    if (std::all_of(driven, driven + rows, [](float x) { return x == 0; })) continue;
    const std::uint64_t row = window * static_cast<std::uint64_t>(crossbar.matrix_rows) +
                              static_cast<std::uint64_t>(crossbar.row_first + first);
    values.resize(static_cast<std::size_t>(rows) * cols);
    fill_draws(crossbar.read_law, values, draws,
               row * static_cast<std::uint64_t>(crossbar.matrix_cols) + static_cast<std::uint64_t>(crossbar.col_first));
    for (int i = 0; i < rows; ++i) {
      if (driven[i] == 0) continue;
      const float* const cell = cells.row(first + i).data();
      const float* const drawn = values.data() + static_cast<std::ptrdiff_t>(i) * cols;
      const auto count = static_cast<std::size_t>(cols);
      if (sigma.size() == 0) {
        run(count, AddNoisyCell{currents, sign * driven[i], cell, drawn, crossbar.read_noise});
      } else {
        run(count,
            AddScatteredCell{
                currents, sign * driven[i], cell, sigma.row(first + i).data(), drawn, {crossbar.read_noise.limits}});
      }
    }
  }
}

}  // namespace

void add_lumped_noise(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                      int windows, const float* variance, std::ptrdiff_t variance_stride, float* currents,
                      std::ptrdiff_t currents_stride) {
  const DrawSequence draws{crossbar.lumped_key, image, crossbar.cycle + static_cast<std::uint32_t>(input_slice)};
  const int cols = crossbar.cols;
  const int windows_at_once = cols == crossbar.matrix_cols ? std::max(1, draws_at_once / cols) : 1;
  std::vector<float> normals(static_cast<std::size_t>(windows_at_once) * cols);
  for (int first = 0; first < windows; first += windows_at_once) {
    const int count = std::min(windows_at_once, windows - first);
    const std::uint64_t window = std::uint64_t{first_window} + static_cast<std::uint64_t>(first);
    fill_normals(
        std::span(normals).first(static_cast<std::size_t>(count) * cols), draws,
        window * static_cast<std::uint64_t>(crossbar.matrix_cols) + static_cast<std::uint64_t>(crossbar.col_first));
    for (int w = 0; w < count; ++w) {
      run(static_cast<std::size_t>(cols),
          AddLumpedNoise{currents + (first + w) * currents_stride, variance + (first + w) * variance_stride,
                         normals.data() + static_cast<std::ptrdiff_t>(w) * cols});
    }
  }
}

void mvm_with_cell_noise(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                         int windows, const float* inputs, std::ptrdiff_t inputs_stride, float* currents,
                         std::ptrdiff_t currents_stride) {
  const auto cycle = static_cast<std::uint32_t>(input_slice);
  const DrawSequence plus_draws{crossbar.plus_key, image, cycle}, minus_draws{crossbar.minus_key, image, cycle};
  std::vector<float> values;
  for (int w = 0; w < windows; ++w) {
    const std::uint64_t window = std::uint64_t{first_window} + static_cast<std::uint64_t>(w);
    const float* const x = inputs + w * inputs_stride;
    float* const to = currents + w * currents_stride;
    std::fill_n(to, crossbar.cols, 0.0f);
    add_noisy_plane(crossbar, crossbar.plus, crossbar.plus_sigma, crossbar.gain, plus_draws, window, x, to, values);
    if (crossbar.minus.size() > 0) {
      add_noisy_plane(crossbar, crossbar.minus, crossbar.minus_sigma, -crossbar.gain, minus_draws, window, x, to,
                      values);
    }
  }
}

}  // namespace crossgrid
