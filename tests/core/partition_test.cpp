#include "crossgrid/core/partition.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

std::vector<int> counts(int size, std::optional<int> limit, PartitionRule rule) {
  std::vector<int> found;
  for (const Part& part : partition(size, limit, rule)) found.push_back(part.count);
  return found;
}

TEST(Partition, EqualSharesAndFill) {
  EXPECT_EQ(counts(150, 64, PartitionRule::equal), (std::vector{50, 50, 50}));
  EXPECT_EQ(counts(150, 40, PartitionRule::equal), (std::vector{38, 38, 38, 36}));
  EXPECT_EQ(counts(150, 40, PartitionRule::fill), (std::vector{40, 40, 40, 30}));
  EXPECT_EQ(counts(150, 150, PartitionRule::equal), (std::vector{150}));
  EXPECT_EQ(counts(150, std::nullopt, PartitionRule::fill), (std::vector{150}));
  EXPECT_EQ(counts(3, 1, PartitionRule::equal), (std::vector{1, 1, 1}));
}

TEST(Partition, CoversEveryLineOnceWithTheFewestArrays) {
  for (const PartitionRule rule : {PartitionRule::equal, PartitionRule::fill}) {
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

}  // namespace
}  // namespace crossgrid
