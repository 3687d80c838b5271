#include "crossgrid/array/circuit_mvm.hpp"

#include <span>
#include <vector>

#include "crossgrid/base/standard_draws.hpp"
#include "crossgrid/device/measured_cell.hpp"

namespace crossgrid {
namespace {

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
  Eigen::VectorXd x = Eigen::VectorXd::Zero(circuits.rows);
  for (int w = 0; w < windows; ++w) {
    const std::uint64_t window = std::uint64_t{first_window} + static_cast<std::uint64_t>(w);
    x.segment(crossbar.row_first - circuits.row_first, crossbar.rows) =
        Eigen::Map<const Eigen::VectorXf>(inputs + w * inputs_stride, crossbar.rows).cast<double>();
    CellReads plus, minus;
    if (noisy) plus.plus = read_cells(crossbar, crossbar.plus, crossbar.plus_sigma, plus_draws, window);
    if (noisy && crossbar.minus.size() > 0) {
      MatrixD& to = circuits.minus ? minus.plus : plus.minus;
      to = read_cells(crossbar, crossbar.minus, crossbar.minus_sigma, minus_draws, window);
    }
    Eigen::VectorXd sum = circuits.plus->currents(x, noisy ? &plus : nullptr);
    if (circuits.minus) sum -= circuits.minus->currents(x, noisy ? &minus : nullptr);
    Eigen::Map<Eigen::VectorXf>(currents + w * currents_stride, crossbar.cols) =
        (static_cast<double>(crossbar.gain) * sum).cast<float>();
  }
}

}  // namespace crossgrid
