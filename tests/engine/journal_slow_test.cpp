#include <gtest/gtest.h>

#include "engine/journal_damage.hpp"
#include "slow_sample.hpp"

namespace crossgrid {
namespace {

/// All of the damage of which journal_reader_test.cpp takes a sample.
class JournalDamageComplete : public testing::Test {
 protected:
  DamagedJournal journal_{sample_journal_lines()};
  SlowCases cases_ = slow_cases(40);
};

TEST_F(JournalDamageComplete, TruncatedAtEveryByte) {
  check_truncations(journal_, cases_.offset, cases_.stride);
}
TEST_F(JournalDamageComplete, OneBitOfEveryByteFlipped) {
  check_flips(journal_, cases_.offset, cases_.stride, 0x01);
}
TEST_F(JournalDamageComplete, EveryByteInverted) {
  check_flips(journal_, cases_.offset, cases_.stride, 0xFF);
}
TEST_F(JournalDamageComplete, EveryBlockZeroed) {
  check_zeroed_blocks(journal_, cases_.offset, cases_.stride);
}
TEST_F(JournalDamageComplete, EveryPairOfLinesSwappedOrRepeated) {
  check_moved_lines(journal_, cases_.offset, cases_.stride);
}

}  // namespace
}  // namespace crossgrid
