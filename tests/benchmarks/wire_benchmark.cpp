#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bare_double_product.hpp"
#include "crossgrid/array/gated_array.hpp"
#include "crossgrid/array/nodal_circuit.hpp"
#include "crossgrid/array/transfer_matrix.hpp"
#include "crossgrid/array/wired_circuit.hpp"
#include "crossgrid/backend/thread_team.hpp"

/// The transfer matrix of arrays with wires, by size: beside a double product of the same size on the same threads,
/// beside ONE solve of the circuit by sparse Cholesky, and its growth beside the theory; then what else can be asked of
/// such arrays, beside their transfer matrix. Arguments: sizes (64 to 1024).
namespace crossgrid::benchmarks {
namespace {

/// The best of some rounds, in seconds; fewer where one takes long.
template <class Body>
double seconds(const Body& body) {
  double best = 1e300, all = 0;
  for (int round = 0; round < 7 && all < 4; ++round) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, taken), all += taken;
  }
  return best;
}

void run(const std::vector<int>& sizes) {
  ThreadTeam team(static_cast<int>(std::thread::hardware_concurrency()));
  const ParallelLoop loop = [&](std::size_t count, const std::function<void(std::size_t)>& body) {
    team.parallel_for(count, [&](std::size_t k, int) { body(k); });
  };
  constexpr int largest_circuit = 256;
  fmt::print(
      "transfer matrix of n x n cells, wires of 1/1000 and 2/1000 of a cell's resistance; {} threads, best of 7\n",
      team.threads());
  fmt::print("{:>6}{:>12}{:>16}{:>22}{:>26}\n", "n", "T [ms]", "T / product", "T / one sparse solve",
             "growth to the power of n");
  double before = 0, smaller = 0;
  for (const int size : sizes) {
    std::mt19937 random(1);
    MatrixD cells(size, size), other(size, size), product(size, size);
    for (double& g : cells.reshaped()) g = std::uniform_real_distribution<double>(0, 1)(random);
    other = cells.transpose();
    const WiredCells array = wired_cells(cells, {1e-3, 2e-3, 0, 0});
    const double transfer = seconds([&] { transfer_matrix(array, loop); });
    const double bare = seconds([&] {
      const int parts = std::max(1, size / 128), rows = size / parts;
      loop(static_cast<std::size_t>(parts), [&](std::size_t part) {
        const int first = static_cast<int>(part) * rows;
        multiply_rows(cells.data(), other.data(), product.data(), size, first,
                      static_cast<int>(part) + 1 == parts ? size - first : rows);
      });
    });
    std::string solve = "-";
    if (size <= largest_circuit) {
      const Eigen::VectorXd voltages = Eigen::VectorXd::Ones(size);
      const ArrayNetlist netlist = netlist_of(array, voltages);
      solve = fmt::format("{:.2f}", transfer / seconds([&] { NodalCircuit(netlist).currents(voltages); }));
    }
    const std::string growth =
        before > 0 ? fmt::format("{:.2f} (theory: 3)", std::log(transfer / before) / std::log(size / smaller)) : "-";
    fmt::print("{:>6}{:>12.2f}{:>16.1f}{:>22}{:>26}\n", size, transfer * 1e3, transfer / bare, solve, growth);
    before = transfer, smaller = size;
  }
  fmt::print("limits: T / product at 1024 at most 80; T / one sparse solve at 64, 128 and 256 at most 1\n");
}

/// All beside T on one thread; the tree is kept once.
void run_inside(const std::vector<int>& sizes) {
  fmt::print("\nthe same arrays on 1 thread: times over that of T\n");
  fmt::print("{:>6}{:>12}{:>14}{:>22}{:>24}{:>26}\n", "n", "T [ms]", "tree kept", "all voltages, 1 input",
             "n / 32 cells changed", "gated, a random pattern");
  for (const int size : sizes) {
    std::mt19937 random(1);
    MatrixD cells(size, size);
    for (double& g : cells.reshaped()) g = std::uniform_real_distribution<double>(0, 1)(random);
    const WireResistance wires{1e-3, 2e-3, 0, 0};
    const WiredCells array = wired_cells(cells, wires);
    const double transfer = seconds([&] { transfer_matrix(array); });
    const double kept = seconds([&] { WiredCircuit{array}; });
    const WiredCircuit circuit(array);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(size);
    const double state = seconds([&] { circuit.solve({ones, {}, {}}); });
    std::vector<CellChange> changes;
    for (int k = 0; k < std::max(1, size / 32); ++k) changes.push_back({(k * 37) % size, (k * 101) % size, 0.5});
    const double changed = seconds([&] { circuit.changed_transfer(changes); });
    const GatedCells gated = gated_cells(cells, {}, wires);
    Eigen::VectorXd gates(size);
    for (double& gate : gates) gate = std::uniform_real_distribution<double>(0, 1)(random) < 0.5 ? 0 : 1;
    const double pattern = seconds([&] { gated_currents(gated, gates); });
    fmt::print("{:>6}{:>12.2f}{:>14.2f}{:>22.3f}{:>24.3f}{:>26.4f}\n", size, transfer * 1e3, kept / transfer,
               state / transfer, changed / transfer, pattern / transfer);
  }
}

}  // namespace
}  // namespace crossgrid::benchmarks

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int k = 1; k < argc; ++k) sizes.push_back(std::stoi(argv[k]));
  if (sizes.empty()) sizes = {64, 128, 256, 512, 1024};
  crossgrid::benchmarks::run(sizes);
  crossgrid::benchmarks::run_inside(sizes);
  return 0;
}
