#include "crossgrid/engine/message.hpp"

#include <gtest/gtest.h>

#include <random>

namespace crossgrid {
namespace {

std::vector<Message> one_of_each() {
  Outcome outcome{7, {}};
  outcome.result.unit = {1, 2, 3, 4};
  outcome.result.status = UnitStatus::failed;
  outcome.result.seconds = 0.1;
  outcome.result.attempts = 3;
  outcome.result.reason = "killed by signal 9";
  outcome.result.signal = 9;
  outcome.result.log = "last line";
  outcome.result.metrics["top1"] = {-5, 10, 1, 2};
  outcome.result.metrics[""] = {};
  return {JobMessage{std::string("text\0with zero", 14)},
          WorkMessage{{{1, {9, 8, 7, 6}, 60.5}, {2, {}, 0}}},
          RecallMessage{},
          StopMessage{},
          AliveMessage{},
          HelloMessage{"host", 123, "warning"},
          OutcomesMessage{{outcome, Outcome{}}},
          ReturnedMessage{{5, no_unit}},
          PulseMessage{17},
          BrokenMessage{"text", ExitCode::bad_input, Broken::run},
          ByeMessage{}};
}

TEST(Message, ReadsBackWhatWasWritten) {
  ASSERT_EQ(one_of_each().size(), std::variant_size_v<Message>);
  for (const Message& message : one_of_each()) {
    const std::string bytes = encode_message(message);
    const Message back = decode_message(bytes);
    EXPECT_EQ(back.index(), message.index());
    EXPECT_EQ(encode_message(back), bytes);
  }
  const Message back = decode_message(encode_message(one_of_each()[6]));
  const UnitResult& result = std::get<OutcomesMessage>(back).outcomes.at(0).result;
  EXPECT_EQ(result.unit, (Unit{1, 2, 3, 4}));
  EXPECT_EQ(result.status, UnitStatus::failed);
  EXPECT_EQ(result.reason, "killed by signal 9");
  EXPECT_EQ(result.signal, 9);
  EXPECT_EQ(result.log, "last line");
  EXPECT_TRUE(result.metrics.at("top1").sum == -5);
  EXPECT_EQ(result.metrics.at("top1").not_finite, 2u);
  const Message work = decode_message(encode_message(one_of_each()[1]));
  EXPECT_EQ(std::get<WorkMessage>(work).tasks.at(0), (Task{1, {9, 8, 7, 6}, 60.5}));
}

TEST(Message, RefusesEveryTruncationAndEveryExtension) {
  for (const Message& message : one_of_each()) {
    const std::string bytes = encode_message(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(decode_message(bytes.substr(0, size)), Error);
    EXPECT_THROW(decode_message(bytes + '\0'), Error);
  }
}

TEST(Message, RefusesAnnouncedLengthsThatCanNotBe) {
  std::string bytes = encode_message(JobMessage{"abc"});
  bytes.replace(1, 8, 8, '\xff');
  EXPECT_THROW(decode_message(bytes), Error);
  EXPECT_THROW(decode_message("\x63"), Error);
}

// Any bytes are either a message or an Error: no crash, no other exception, no huge allocation.
TEST(Message, SurvivesRandomDamage) {
  std::mt19937_64 dice(1);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    auto messages = one_of_each();
    std::string bytes = encode_message(messages[dice() % messages.size()]);
    for (std::uint64_t i = 0; i <= dice() % 3; ++i) bytes[dice() % bytes.size()] = static_cast<char>(dice());
    try {
      decode_message(bytes);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace crossgrid
