#include "crossgrid/engine/shard.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

TEST(Shard, EachChipIsInOneAndAllAreOfOneSize) {
  for (const std::uint32_t count : {1u, 2u, 3u, 7u, 16u}) {
    for (const std::uint64_t chips : {1u, 5u, 48u, 1000u}) {
      std::map<std::uint32_t, std::uint64_t> sizes;
      for (std::uint64_t chip = 0; chip < chips; ++chip) {
        int owners = 0;
        for (std::uint32_t number = 1; number <= count; ++number) {
          if (!Shard{number, count}.has(chip)) continue;
          ++owners;
          ++sizes[number];
        }
        ASSERT_EQ(owners, 1) << chip;
      }
      for (const auto& [number, size] : sizes) {
        EXPECT_GE(size, chips / count);
        EXPECT_LE(size, chips / count + 1);
      }
    }
  }
}

// A fast axis as long as the number of shards must not give each shard one of its values.
TEST(Shard, SharesEachValueOfAFastAxis) {
  std::set<std::uint64_t> values;
  for (std::uint64_t chip = 0; chip < 16; ++chip) {
    if (Shard{2, 4}.has(chip)) values.insert(chip % 4);
  }
  EXPECT_EQ(values, (std::set<std::uint64_t>{0, 1, 2, 3}));
}

TEST(Shard, IsReadAndNamed) {
  EXPECT_EQ(shard_from_text("2/4"), (Shard{2, 4}));
  EXPECT_EQ((Shard{2, 4}.name()), "2of4");
  EXPECT_EQ((Shard{2, 4}.text()), "2/4");
  EXPECT_EQ(Shard().name(), "");
  EXPECT_EQ(shard_from_name("2of4"), (Shard{2, 4}));
  for (const char* name : {"", "gather", "of", "2of", "of4", "0of4", "5of4", "2of4x", "-1of4"}) {
    EXPECT_EQ(shard_from_name(name), std::nullopt) << name;
  }
  for (const char* text : {"", "/", "2", "0/4", "5/4", "2/4/", " 2/4", "2/10000"}) {
    EXPECT_THROW(shard_from_text(text), Error) << text;
  }
}

}  // namespace
}  // namespace crossgrid
