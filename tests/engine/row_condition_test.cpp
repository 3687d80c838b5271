#include "crossgrid/engine/row_condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

DatabaseValue text(std::string_view value) {
  return {DatabaseValue::Kind::text, value};
}

/// Whether the condition holds where a = 3, b = 0.5, t = "unit column", n is null, l is the list [1,2], f is false.
bool holds(const std::string& condition) {
  const RowCondition parsed(condition);
  std::vector<DatabaseValue> values;
  for (const std::string& name : parsed.columns()) {
    values.push_back(name == "a"   ? DatabaseValue(std::int64_t{3})
                     : name == "b" ? DatabaseValue(0.5)
                     : name == "t" ? text("unit column")
                     : name == "l" ? DatabaseValue(DatabaseValue::Kind::json, "[1,2]")
                     : name == "f" ? DatabaseValue(DatabaseValue::Kind::json, "false")
                                   : DatabaseValue());
  }
  return parsed.holds(values);
}

std::string refusal(const std::string& condition) {
  try {
    RowCondition parsed(condition);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

TEST(RowCondition, AndBindsTighterThanOrAndNotTighterThanBoth) {
  EXPECT_TRUE(holds("a=3 or a=4 and a=5"));
  EXPECT_FALSE(holds("(a=3 or a=4) and a=5"));
  EXPECT_TRUE(holds("not a=4 and b<1"));
  EXPECT_FALSE(holds("not (a=4 or b<1)"));
  EXPECT_TRUE(holds("not not a=3"));
  EXPECT_TRUE(holds("(a=3)and(b=0.5)"));
}

TEST(RowCondition, InTakesAnyOfAList) {
  EXPECT_TRUE(holds("a in (2, 3)"));
  EXPECT_FALSE(holds("a not in (2, 3)"));
  EXPECT_FALSE(holds("a in (\"3\", 4)"));
  EXPECT_TRUE(holds("t in (balanced, unit column)"));
  EXPECT_TRUE(holds("n in (0, null)"));
  EXPECT_TRUE(holds("l in ([1, 2], 3)"));
}

TEST(RowCondition, ValuesAreNumbersWordsTextsListsOrNull) {
  EXPECT_TRUE(holds("a=3.0"));
  EXPECT_TRUE(holds("a = 3e0"));
  EXPECT_FALSE(holds("a=\"3\""));
  EXPECT_TRUE(holds("t=unit column and a=3"));
  EXPECT_TRUE(holds("t=\"unit\\u0020column\""));
  EXPECT_TRUE(holds("l=[1, 2]"));
  EXPECT_TRUE(holds("f=false"));
  EXPECT_TRUE(holds("n=null"));
  EXPECT_FALSE(holds("n<1"));
  EXPECT_FALSE(holds("n>=null"));
  EXPECT_TRUE(holds("a!=null"));
  EXPECT_FALSE(holds("t<5"));
  EXPECT_TRUE(holds("a!=infinity"));
}

TEST(RowCondition, ColumnsMayHaveSpacesPatternsAndQuotes) {
  EXPECT_THAT(RowCondition("adc.bits@/conv1/*>=6 or adc.bits=1").columns(),
              ElementsAre("adc.bits@/conv1/*", "adc.bits"));
  EXPECT_THAT(RowCondition("my setting = x and my setting = y").columns(), ElementsAre("my setting"));
  EXPECT_THAT(RowCondition("\"a>=b\" = 1").columns(), ElementsAre("a>=b"));
  EXPECT_THAT(RowCondition("notes=1 and inner in (2)").columns(), ElementsAre("notes", "inner"));
}

TEST(RowCondition, AMistakeIsShownAtItsColumn) {
  EXPECT_EQ(refusal("adc.bits>=6 and rows"),
            "can't read the condition at column 21: expected one of = != < <= > >= in, as in adc.bits>=6\n"
            "  adc.bits>=6 and rows\n"
            "                      ^");
  EXPECT_THAT(refusal("a>>6"), HasSubstr("at column 3: expected a value"));
  EXPECT_THAT(refusal("a="), HasSubstr("at column 3: expected a value"));
  EXPECT_THAT(refusal("a=1 and "), HasSubstr("at column 9: expected a column"));
  EXPECT_THAT(refusal("(a=1"), HasSubstr("at column 5: expected ')'"));
  EXPECT_THAT(refusal("a=1)"), HasSubstr("at column 4: expected 'and', 'or' or the end"));
  EXPECT_THAT(refusal("a in 4"), HasSubstr("at column 6: expected '('"));
  EXPECT_THAT(refusal("a in (4"), HasSubstr("at column 8: expected ',' or ')'"));
  EXPECT_THAT(refusal("a in (4,)"), HasSubstr("at column 9: expected a value"));
  EXPECT_THAT(refusal("a not 4"), HasSubstr("expected 'in'"));
  EXPECT_THAT(refusal("a=\"x"), HasSubstr("at column 3: expected a closing"));
  EXPECT_THAT(refusal("\xc3\xa4=\"x"), HasSubstr("at column 3: expected a closing")) << "characters, not bytes";
  EXPECT_THAT(refusal("a=\"\\x\""), HasSubstr("at column 3: not a JSON text"));
  EXPECT_THAT(refusal(""), HasSubstr("at column 1: expected a column"));
  std::string deep = "a=1";
  deep.insert(0, 100000, '(');
  EXPECT_THAT(refusal(deep), HasSubstr("more than 64 levels"));
  EXPECT_THAT(refusal("a=[1,"), HasSubstr("not a JSON list"));
}

/// A random condition on a, b and c, as text and as what it means.
struct Sample {
  std::string text;
  std::function<bool(const std::array<int, 3>&)> meaning;
};

Sample random_condition(std::mt19937& random, int depth) {
  const auto pick = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  if (depth == 0 || pick(4) == 0) {
    const auto column = static_cast<std::size_t>(pick(3));
    const int bound = pick(4);
    const std::string name(1, "abc"[column]);
    const std::string value = std::to_string(bound);
    switch (pick(4)) {
      case 0:
        return {name + "=" + value, [=](const auto& v) { return v[column] == bound; }};
      case 1:
        return {name + " < " + value, [=](const auto& v) { return v[column] < bound; }};
      case 2:
        return {name + ">=" + value, [=](const auto& v) { return v[column] >= bound; }};
      default:
        return {name + " in (" + value + ",9)", [=](const auto& v) { return v[column] == bound; }};
    }
  }
  const Sample left = random_condition(random, depth - 1), right = random_condition(random, depth - 1);
  switch (pick(3)) {
    case 0:
      return {"not (" + left.text + ")", [=](const auto& v) { return !left.meaning(v); }};
    case 1:
      return {"(" + left.text + ") and (" + right.text + ")",
              [=](const auto& v) { return left.meaning(v) && right.meaning(v); }};
    default:
      return {"(" + left.text + ") or (" + right.text + ")",
              [=](const auto& v) { return left.meaning(v) || right.meaning(v); }};
  }
}

TEST(RowCondition, AgreesWithWhatItSays) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const Sample sample = random_condition(random, 4);
    const RowCondition parsed(sample.text);
    for (int i = 0; i < 64; ++i) {
      const std::array<int, 3> at{i % 4, i / 4 % 4, i / 16};
      std::vector<DatabaseValue> values;
      for (const std::string& name : parsed.columns()) {
        values.emplace_back(std::int64_t{at[static_cast<std::size_t>(name[0] - 'a')]});
      }
      ASSERT_EQ(parsed.holds(values), sample.meaning(at)) << sample.text;
    }
  }
}

TEST(RowCondition, NoTextBreaksTheParser) {
  std::mt19937 random(11);
  const std::string letters = "ab=<>!() \"\\,[]0.1-nulotinrd\xc3";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (unsigned i = random() % 24; i > 0; --i) text += letters[random() % letters.size()];
    refusal(text);
  }
}

}  // namespace
}  // namespace crossgrid
