#include "crossgrid/core/partition.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

const PartitionRule equal, fill{PartitionRule::Kind::fill, {}};

std::vector<int> counts(int size, std::optional<int> limit, const PartitionRule& rule) {
  std::vector<int> found;
  for (const Part& part : partition(size, limit, rule)) found.push_back(part.count);
  return found;
}

TEST(Partition, EqualSharesAndFill) {
  EXPECT_EQ(counts(150, 64, equal), (std::vector{50, 50, 50}));
  EXPECT_EQ(counts(150, 40, equal), (std::vector{38, 38, 38, 36}));
  EXPECT_EQ(counts(150, 40, fill), (std::vector{40, 40, 40, 30}));
  EXPECT_EQ(counts(150, 150, equal), (std::vector{150}));
  EXPECT_EQ(counts(150, std::nullopt, fill), (std::vector{150}));
  EXPECT_EQ(counts(3, 1, equal), (std::vector{1, 1, 1}));
}

TEST(Partition, CoversEveryLineOnceWithTheFewestArrays) {
  for (const PartitionRule& rule : {equal, fill}) {
    for (int size = 1; size < 80; ++size) {
      for (int limit = 1; limit < 90; ++limit) {
        int next = 0;
        const auto parts = partition(size, limit, rule);
        for (const Part& part : parts) {
          ASSERT_EQ(part.first, next);
          ASSERT_GT(part.count, 0);
          ASSERT_LE(part.count, limit);
          next += part.count;
        }
        ASSERT_EQ(next, size);
        ASSERT_EQ(static_cast<int>(parts.size()), (size + limit - 1) / limit);
      }
    }
  }
}

/// Arrays of 40 rows may hold blocks of 40 / 4 = 10 rows; 150 is a multiple of that, 151 is not.
TEST(Partition, PreferredDivisorsKeepBlocksWhole) {
  const PartitionRule quarters{PartitionRule::Kind::divisors, {3, 4}};
  EXPECT_EQ(counts(150, 40, quarters), (std::vector{40, 40, 40, 30}));
  EXPECT_EQ(counts(151, 40, quarters), counts(151, 40, equal));
}

TEST(Partition, GroupsOfDrivenRowsStayInTheirArray) {
  const auto groups = row_groups(partition(150, 64, equal), 20);
  ASSERT_EQ(groups.size(), 9u);
  EXPECT_EQ(groups[2], (RowGroup{{40, 10}, 0}));
  EXPECT_EQ(groups[3], (RowGroup{{50, 20}, 1}));
  EXPECT_EQ(groups[8], (RowGroup{{140, 10}, 2}));
  EXPECT_EQ(row_groups(partition(150, 64, equal), std::nullopt).size(), 3u);
}

}  // namespace
}  // namespace crossgrid
