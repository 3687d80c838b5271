#include "spice_array.hpp"

namespace crossgrid {
namespace {

TEST(Spice, AgreesOnSmallArrays) {
  if (!test::has_ngspice()) GTEST_SKIP() << "ngspice is not installed (install-deps.sh)";
  unsigned seed = 1;
  for (const Eigen::Index size : {4, 16}) {
    for (const IvModel iv : {IvModel::linear, IvModel::cubic}) {
      test::compare_with_spice(size, {2e-3, 5e-3, 0.01, 0.02}, iv, seed++);
      test::compare_with_spice(size, {0.05, 0.01, 0, 0}, iv, seed++);
      test::compare_with_spice(size, {0, 0.02, 0, 0.01}, iv, seed++);
    }
  }
}

}  // namespace
}  // namespace crossgrid
