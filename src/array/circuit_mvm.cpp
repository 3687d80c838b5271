#include "crossgrid/array/circuit_mvm.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "crossgrid/array/array_circuit.hpp"
#include "crossgrid/base/standard_draws.hpp"
#include "crossgrid/device/measured_cell.hpp"

namespace crossgrid {
namespace {

/// Solved together, where that is faster.
constexpr int windows_at_once = 8;

/// A plane of cells as one MVM reads it.
MatrixD read_cells(const Crossbar& crossbar, const Matrix& cells, const Matrix& sigma, const DrawSequence& draws,
                   std::uint64_t window) {
  MatrixD read(cells.rows(), cells.cols());
  std::vector<float> drawn(static_cast<std::size_t>(cells.cols()));
  for (Eigen::Index i = 0; i < cells.rows(); ++i) {
    const std::uint64_t row = window * static_cast<std::uint64_t>(crossbar.matrix_rows) +
                              static_cast<std::uint64_t>(crossbar.circuits.row_first + i);
    fill_draws(crossbar.read_law, drawn, draws,
               row * static_cast<std::uint64_t>(crossbar.matrix_cols) + static_cast<std::uint64_t>(crossbar.col_first));
    for (Eigen::Index j = 0; j < cells.cols(); ++j) {
      const float z = drawn[static_cast<std::size_t>(j)];
      read(i, j) = static_cast<double>(
          sigma.size() == 0 ? crossbar.read_noise(cells(i, j), z)
                            : ScatteredConductance{crossbar.read_noise.limits}(cells(i, j), sigma(i, j), z));
    }
  }
  return read;
}

}  // namespace

void mvm_by_circuit(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                    int windows, const float* inputs, std::ptrdiff_t inputs_stride, float* currents,
                    std::ptrdiff_t currents_stride) {
  const ArrayCircuits& circuits = crossbar.circuits;
  const auto cycle = static_cast<std::uint32_t>(input_slice);
  const DrawSequence plus_draws{crossbar.plus_key, image, cycle}, minus_draws{crossbar.minus_key, image, cycle};
  const bool noisy = crossbar.noise == NoisePath::per_cell;
  for (int first = 0; first < windows; first += windows_at_once) {
    const int count = std::min(windows_at_once, windows - first);
    MatrixD x = MatrixD::Zero(circuits.rows, count);
    std::vector<CellReads> plus, minus;
    for (int w = 0; w < count; ++w) {
      x.col(w).segment(crossbar.row_first - circuits.row_first, crossbar.rows) =
          Eigen::Map<const Eigen::VectorXf>(inputs + (first + w) * inputs_stride, crossbar.rows).cast<double>();
      if (!noisy) continue;
      const std::uint64_t window = std::uint64_t{first_window} + static_cast<std::uint64_t>(first + w);
      plus.push_back({read_cells(crossbar, crossbar.plus, crossbar.plus_sigma, plus_draws, window), {}});
      if (crossbar.minus.size() == 0) continue;
      MatrixD read = read_cells(crossbar, crossbar.minus, crossbar.minus_sigma, minus_draws, window);
      if (circuits.minus) {
        minus.push_back({std::move(read), {}});
      } else {
        plus.back().minus = std::move(read);
      }
    }
    MatrixD sum = circuits.plus->currents(x, plus);
    if (circuits.minus) sum -= circuits.minus->currents(x, minus);
    for (int w = 0; w < count; ++w) {
      Eigen::Map<Eigen::VectorXf>(currents + (first + w) * currents_stride, crossbar.cols) =
          (static_cast<double>(crossbar.gain) * sum.col(w)).cast<float>();
    }
  }
}

}  // namespace crossgrid
