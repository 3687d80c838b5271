#pragma once

#include <algorithm>
#include <random>

#include "crossgrid/array/array_netlist.hpp"
#include "crossgrid/base/matrix.hpp"

/// Random arrays and what drives them.
namespace crossgrid::test {

class RandomArrays {
 public:
  explicit RandomArrays(unsigned seed) : random_(seed) {}

  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  /// Conductances between 0 and 1, a quarter of them at `low`.
  MatrixD cells(Eigen::Index rows, Eigen::Index cols, double low = 0) {
    MatrixD cells(rows, cols);
    for (double& g : cells.reshaped()) g = std::max(low, uniform(-0.3, 1));
    return cells;
  }
  Eigen::VectorXd voltages(Eigen::Index count) {
    Eigen::VectorXd voltages(count);
    for (double& v : voltages) v = uniform(-1, 1);
    return voltages;
  }
  /// 0, 1 and, where inputs are signed, -1.
  Eigen::VectorXd gates(Eigen::Index count, bool is_signed) {
    Eigen::VectorXd gates(count);
    for (double& gate : gates) gate = uniform(0, 1) < 0.4 ? 0 : is_signed && uniform(0, 1) < 0.4 ? -1 : 1;
    return gates;
  }

 private:
  std::mt19937 random_;
};

/// Relative to the largest expected.
template <class Found, class Expected>
double distance(const Found& found, const Expected& expected) {
  return (found - expected).cwiseAbs().maxCoeff() / std::max(expected.cwiseAbs().maxCoeff(), 1e-300);
}

}  // namespace crossgrid::test
