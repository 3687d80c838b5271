#include "crossgrid/base/memory.hpp"

#include <gtest/gtest.h>
#include <sys/sysinfo.h>

namespace crossgrid {
namespace {

TEST(AvailableMemory, IsPartOfWhatTheMachineHas) {
  struct sysinfo machine {};
  ASSERT_EQ(sysinfo(&machine), 0);
  const std::uint64_t all = std::uint64_t{machine.totalram} * machine.mem_unit;
  const auto available = available_memory();
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, all / 1000);
  EXPECT_LE(*available, all);
}

}  // namespace
}  // namespace crossgrid
