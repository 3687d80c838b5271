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

TEST(IdSet, NumbersIdsInTheOrderInWhichTheyCame) {
  for (const std::uint64_t expected : {0, 1000}) {
    IdSet found(expected);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const Id128 id{i, i % 3};  // all in three places of the table
      EXPECT_EQ(found.number(id), std::nullopt);
      EXPECT_FALSE(found.contains(id));
      found.insert(id);
      found.insert(Id128{0, 0});  // again, which takes no number
      EXPECT_EQ(found.size(), i + 1);
    }
    for (std::uint32_t i = 0; i < 1000; ++i) {
      EXPECT_EQ(found.number({i, i % 3}), i);
      EXPECT_EQ(found.number({i, i % 3}, {i}), i);
      EXPECT_EQ(found.number({i, i % 3}, {i + 1, i / 2, 5000}), i);
    }
    EXPECT_EQ(found.number({1, 0}), std::nullopt);
    EXPECT_EQ(found.number({1, 0}, {0, 1, 1000}), std::nullopt);
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
