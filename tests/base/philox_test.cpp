#include "crossgrid/base/philox.hpp"

#include <gtest/gtest.h>

#include <set>

#include "crossgrid/base/random_stream.hpp"

namespace crossgrid {
namespace {

/// The known-answer vectors of Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({{0, 0, 0, 0}}, {{0, 0}}), (PhiloxBlock{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  EXPECT_EQ(philox4x32({{~0u, ~0u, ~0u, ~0u}}, {{~0u, ~0u}}),
            (PhiloxBlock{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  EXPECT_EQ(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}),
            (PhiloxBlock{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

TEST(StreamKey, DiffersWithEveryPart) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> keys;
  std::size_t made = 0;
  for (std::uint64_t seed : {0ull, 1ull, 2ull, 1ull << 32, (1ull << 53) - 1}) {
    for (std::uint32_t trial = 0; trial < 10; ++trial) {
      for (const DrawPurpose purpose :
           {DrawPurpose::programming_error, DrawPurpose::cell_read_noise, DrawPurpose::lumped_read_noise}) {
        for (std::uint32_t layer = 0; layer < 10; ++layer) {
          for (std::uint32_t array = 0; array < 10; ++array, ++made) {
            const PhiloxKey key = stream_key(seed, trial, purpose, layer, array);
            keys.insert({key.word[0], key.word[1]});
          }
        }
      }
    }
  }
  EXPECT_EQ(keys.size(), made);
}

/// Every chip that was ever simulated hangs on these bits.
TEST(StreamKey, StaysAsItIs) {
  EXPECT_EQ(stream_key(7, 1, DrawPurpose::programming_error, 2, 3), (PhiloxKey{{0x988e62af, 0xe22ec509}}));
}

}  // namespace
}  // namespace crossgrid
