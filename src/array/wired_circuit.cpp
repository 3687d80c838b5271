#include "crossgrid/array/wired_circuit.hpp"

#include <Eigen/LU>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/memory.hpp"
#include "solver_loop.hpp"

namespace crossgrid {
namespace {

const double* data_or_null(const MatrixD& matrix) {
  return matrix.size() > 0 ? matrix.data() : nullptr;
}

Eigen::Index circuits_of(const WiredCircuit::Sources& sources) {
  Eigen::Index count = 0;
  for (const MatrixD* matrix : {&sources.drivers, &sources.adcs, &sources.injected}) {
    if (matrix->size() == 0) continue;
    if (count > 0 && matrix->cols() != count)
      throw Error(ExitCode::internal, "sources of different numbers of circuits");
    count = matrix->cols();
  }
  if (count == 0) throw Error(ExitCode::internal, "a circuit without sources");
  return count;
}

avx2::Sources plain_sources(const WiredCircuit::Sources& sources) {
  return {circuits_of(sources), data_or_null(sources.drivers), data_or_null(sources.adcs),
          data_or_null(sources.injected)};
}

}  // namespace

struct WiredCircuit::Kept {
  Kept(const WiredCells& array, const ParallelLoop& loop)
      : tree(avx2::keep_array(plain_array(array), plain_loop(loop))) {}
  ~Kept() { avx2::drop_array(tree); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  avx2::KeptArray* tree;
};

ArrayState array_state(const WiredCells& array, const Eigen::VectorXd& drivers, const MatrixD& cell_currents) {
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  ArrayState state;
  state.cell_currents = cell_currents;
  state.word_voltages.resize(rows, cols), state.bit_voltages.resize(rows, cols);
  state.row_currents = cell_currents, state.col_currents = cell_currents;
  for (Eigen::Index j = cols - 1; j-- > 0;) state.row_currents.col(j) += state.row_currents.col(j + 1);
  for (Eigen::Index i = 1; i < rows; ++i) state.col_currents.row(i) += state.col_currents.row(i - 1);
  Eigen::VectorXd word = drivers;
  for (Eigen::Index j = 0; j < cols; ++j) {
    word -= array.row_segments[static_cast<std::size_t>(j)] * state.row_currents.col(j);
    state.word_voltages.col(j) = word;
  }
  Eigen::RowVectorXd bit = Eigen::RowVectorXd::Zero(cols);
  for (Eigen::Index i = rows; i-- > 0;) {
    bit += array.col_segments[static_cast<std::size_t>(i)] * state.col_currents.row(i);
    state.bit_voltages.row(i) = bit;
  }
  return state;
}

WiredCircuit::WiredCircuit(WiredCells array, const ParallelLoop& loop) : array_(std::move(array)) {
  check_kept_memory(array_.cells.rows(), array_.cells.cols());
  kept_ = std::make_unique<const Kept>(array_, loop);
}
WiredCircuit::~WiredCircuit() = default;
WiredCircuit::WiredCircuit(WiredCircuit&&) noexcept = default;

MatrixD WiredCircuit::transfer() const {
  MatrixD transfer(array_.cells.cols(), array_.cells.rows());
  avx2::kept_transfer(*kept_->tree, transfer.data());
  return transfer;
}

WiredCircuit::Response WiredCircuit::solve(const Sources& sources) const {
  const avx2::Sources plain = plain_sources(sources);
  Response response;
  response.driver_currents.resize(array_.cells.rows(), plain.count);
  response.adc_currents.resize(array_.cells.cols(), plain.count);
  response.cell_voltages.resize(array_.cells.size(), plain.count);
  response.cell_currents.resize(array_.cells.size(), plain.count);
  avx2::solve_kept(*kept_->tree, {}, plain,
                   {response.driver_currents.data(), response.adc_currents.data(), response.cell_voltages.data(),
                    response.cell_currents.data()});
  return response;
}

MatrixD WiredCircuit::adc_currents(const Sources& sources) const {
  const avx2::Sources plain = plain_sources(sources);
  MatrixD currents(array_.cells.cols(), plain.count);
  avx2::solve_kept(*kept_->tree, {}, plain, {nullptr, currents.data(), nullptr, nullptr});
  return currents;
}

ArrayState WiredCircuit::state(const Eigen::VectorXd& drivers) const {
  const Response response = solve({drivers, {}, {}});
  return array_state(array_, drivers,
                     response.cell_currents.reshaped<Eigen::RowMajor>(array_.cells.rows(), array_.cells.cols()));
}

MatrixD WiredCircuit::sensitivities(Eigen::Index output, const Eigen::VectorXd& drivers) const {
  Sources sources;
  sources.drivers = MatrixD::Zero(array_.cells.rows(), 2);
  sources.drivers.col(0) = drivers;
  sources.adcs = MatrixD::Zero(array_.cells.cols(), 2);
  sources.adcs(output, 1) = 1;
  const MatrixD voltages = solve(sources).cell_voltages;
  return (-voltages.col(0).cwiseProduct(voltages.col(1)))
      .reshaped<Eigen::RowMajor>(array_.cells.rows(), array_.cells.cols());
}

MatrixD WiredCircuit::changed_transfer(const std::vector<CellChange>& changes) const {
  const auto count = static_cast<Eigen::Index>(changes.size());
  MatrixD changed = transfer();
  if (count == 0) return changed;
  std::vector<std::ptrdiff_t> places;
  Eigen::VectorXd difference(count);
  for (const CellChange& change : changes) {
    difference[static_cast<Eigen::Index>(places.size())] = change.conductance - array_.cells(change.row, change.col);
    places.push_back(change.row * array_.cells.cols() + change.col);
  }
  // A unit current beside each changed cell: what it does to the outputs, to the changed cells' voltages and, which by
  // reciprocity is what the drivers do to its cell, to the drivers' currents.
  const MatrixD unit = MatrixD::Identity(count, count);
  MatrixD to_drivers(array_.cells.rows(), count), to_adcs(array_.cells.cols(), count), voltages(count, count);
  avx2::solve_kept(*kept_->tree, {places.data(), count}, {count, nullptr, nullptr, unit.data()},
                   {to_drivers.data(), to_adcs.data(), voltages.data(), nullptr});
  // Each changed cell carries its change times its voltage besides: s = difference (from drivers + voltages s).
  const MatrixD system = MatrixD::Identity(count, count) - difference.asDiagonal() * voltages;
  const MatrixD carried = system.partialPivLu().solve(MatrixD(difference.asDiagonal() * to_drivers.transpose()));
  changed.noalias() += to_adcs * carried;
  return changed;
}

}  // namespace crossgrid
