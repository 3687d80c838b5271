#include "random_circuit.hpp"
#include "slow_sample.hpp"

namespace crossgrid {
namespace {

/// Kirchhoff's and Ohm's laws in arrays of 512 x 512 cells (a sample: 200 x 230) of every topology.
TEST(ArrayCircuitSlow, ObeysKirchhoffAndOhmInLargeArrays) {
  const Eigen::Index rows = slow_sample() ? 200 : 512, cols = slow_sample() ? 230 : 512;
  unsigned seed = 90;
  for (const double resistance : {0.0, 1e-9, 1e-6, 1e-3, 1.0}) {
    for (const double low : {0.0, 0.1, 1.0}) {
      test::for_each_topology(rows, cols, {resistance, 2 * resistance, 0, resistance}, {}, low, seed++,
                              [&](const ArrayCircuit& circuit, const Eigen::VectorXd& inputs) {
                                const CircuitState state = circuit.state(inputs);
                                EXPECT_LT(state.kirchhoff_residual, 1e-11) << resistance << ", " << low;
                                EXPECT_LT(state.ohm_residual, 1e-10) << resistance << ", " << low;
                              });
    }
  }
}

}  // namespace
}  // namespace crossgrid
