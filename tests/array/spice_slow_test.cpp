#include "slow_sample.hpp"
#include "spice_array.hpp"

namespace crossgrid {
namespace {

/// ngspice takes seconds at this size and minutes at twice that; CI's sample is a smaller array.
TEST(SpiceSlow, AgreesOnAnArrayOf64Rows) {
  if (!test::has_ngspice()) GTEST_SKIP() << "ngspice is not installed (install-deps.sh)";
  test::compare_with_spice(slow_sample() ? 20 : 64, {2e-3, 1e-3, 0.01, 0.02}, IvModel::linear, 7);
}

}  // namespace
}  // namespace crossgrid
