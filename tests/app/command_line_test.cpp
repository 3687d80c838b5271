#include "crossgrid/app/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

namespace po = boost::program_options;
using ::testing::HasSubstr;

constexpr CommandHelp help{"try", "WORD [options]", "About it.", "  crossgrid try x"};

po::options_description options() {
  po::options_description options("options");
  options.add_options()("word", po::value<std::string>())("threads", po::value<int>()->default_value(1));
  return options;
}

std::string message_of(const std::vector<std::string>& arguments) {
  try {
    const auto values = parse_arguments(help, options(), "word", arguments);
    required_argument(help, *values, "word", "the word");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(ParseArguments, TakesTheBareWordAndFlags) {
  const auto values = parse_arguments(help, options(), "word", {"x", "--threads", "3"});
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)["word"].as<std::string>(), "x");
  EXPECT_EQ((*values)["threads"].as<int>(), 3);
}

TEST(ParseArguments, NamesTheNearestFlag) {
  EXPECT_THAT(message_of({"x", "--treads", "3"}), HasSubstr("unknown flag '--treads'; did you mean '--threads'?"));
}

TEST(ParseArguments, DoesNotGuessShortenedFlags) {
  EXPECT_THAT(message_of({"x", "--thr", "3"}), HasSubstr("--thr"));
}

TEST(ParseArguments, RefusesASecondBareWord) {
  EXPECT_THAT(message_of({"x", "y"}), HasSubstr("usage: crossgrid try"));
}

TEST(ParseArguments, RefusesAValueOfTheWrongType) {
  EXPECT_THAT(message_of({"x", "--threads", "many"}), HasSubstr("many"));
}

TEST(ParseArguments, SaysWhatIsMissing) {
  EXPECT_THAT(message_of({}), HasSubstr("the word is missing"));
}

TEST(ShellWord, IsInQuotesWhereAShellNeedsThem) {
  EXPECT_EQ(shell_word("results/a-1_b.json"), "results/a-1_b.json");
  EXPECT_EQ(shell_word("adc.bits=4,6"), "adc.bits=4,6");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$HOME/*"), "'$HOME/*'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("~"), "'~'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace crossgrid
