#include <gtest/gtest.h>

#include "crossgrid/kernels/functor_check.hpp"

namespace crossgrid {
namespace {

/// One physics, two backends: the same bits from every element.
TEST(Functors, GiveTheSameBitsOnTheDevice) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device";
  for (const FunctorCheck& check : compare_functors(1 << 20)) {
    EXPECT_GE(check.values, std::size_t{1} << 20) << check.element;
    EXPECT_EQ(check.different, 0u) << check.element;
  }
}

}  // namespace
}  // namespace crossgrid
