#include "crossgrid/base/id_set.hpp"

#include <gtest/gtest.h>

#include <set>

namespace crossgrid {
namespace {

TEST(IdSet, TakesEachIdOnce) {
  for (const std::uint64_t expected : {0, 5000}) {
    IdSet found(expected);
    std::set<Id128> reference;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      // Few different ids, many with equal low words: all meet in the same places of the table.
      const Id128 id{(i * 7919) % 1009, i % 5};
      EXPECT_EQ(found.insert(id), reference.insert(id).second) << i;
    }
  }
}

TEST(IdSet, KnowsTheIdOfZeros) {
  IdSet found;
  EXPECT_TRUE(found.insert(Id128{}));
  EXPECT_FALSE(found.insert(Id128{}));
  EXPECT_TRUE(found.insert(Id128{0, 1}));
}

}  // namespace
}  // namespace crossgrid
