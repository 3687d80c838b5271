#include "crossgrid/engine/aggregate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;

Aggregate aggregate(const std::string& text) {
  return *parse_aggregate(text);
}

DatabaseTable table_of(const std::vector<DatabaseValue>& keys, const std::vector<DatabaseValue>& values) {
  return {ColumnNames({"key", "value"}), {keys, values}, {}};
}

TEST(Aggregate, ReadsFunctionsAndLeavesColumnsAlone) {
  EXPECT_EQ(aggregate("mean(top1.mean)").function, "mean");
  EXPECT_EQ(aggregate("mean(top1.mean)").column, "top1.mean");
  EXPECT_EQ(aggregate("count()").column, "");
  EXPECT_FALSE(parse_aggregate("top1.mean"));
  EXPECT_FALSE(parse_aggregate("(x)"));
  const auto refusal = [](const char* text) {
    try {
      parse_aggregate(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal("meen(a)"), HasSubstr("unknown function 'meen'; did you mean 'mean'?"));
  EXPECT_THAT(refusal("std()"), HasSubstr("expected a column, as in std(top1.mean)"));
}

TEST(Aggregate, AgreesWithItsDefinition) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal(3, 2);
  std::vector<DatabaseValue> keys, values;
  std::map<int, std::vector<double>> expected;
  std::map<int, int> rows;
  for (int i = 0; i < 500; ++i) {
    const int key = static_cast<int>(random() % 7);
    const double value = normal(random);
    const bool none = random() % 10 == 0;
    keys.emplace_back(std::int64_t{key});
    values.push_back(none ? DatabaseValue() : DatabaseValue(value));
    ++rows[key];
    if (!none) expected[key].push_back(value);
  }
  const DatabaseTable found =
      grouped(table_of(keys, values), {"key"},
              {aggregate("count()"), aggregate("count(value)"), aggregate("mean(value)"), aggregate("std(value)"),
               aggregate("min(value)"), aggregate("max(value)"), aggregate("median(value)")});
  ASSERT_EQ(found.rows(), 7u);
  for (std::size_t row = 0; row < found.rows(); ++row) {
    const int key = static_cast<int>(found.column("key")[row].number());
    std::vector<double>& of = expected[key];
    const auto n = static_cast<double>(of.size());
    double sum = 0, squares = 0;
    for (const double value : of) sum += value;
    for (const double value : of) squares += std::pow(value - sum / n, 2);
    std::sort(of.begin(), of.end());
    const std::size_t half = of.size() / 2;
    EXPECT_EQ(found.column("count()")[row].number(), rows[key]);
    EXPECT_EQ(found.column("count(value)")[row].number(), n);
    EXPECT_NEAR(found.column("mean(value)")[row].number(), sum / n, 1e-12);
    EXPECT_NEAR(found.column("std(value)")[row].number(), std::sqrt(squares / (n - 1)), 1e-12);
    EXPECT_EQ(found.column("min(value)")[row].number(), of.front());
    EXPECT_EQ(found.column("max(value)")[row].number(), of.back());
    EXPECT_EQ(found.column("median(value)")[row].number(),
              of.size() % 2 == 1 ? of[half] : (of[half - 1] + of[half]) / 2);
  }
}

TEST(Aggregate, GroupsStandInTheOrderOfTheirFirstRowsAndTellTextsFromNumbers) {
  const DatabaseValue text(DatabaseValue::Kind::text, "4");
  const DatabaseTable found =
      grouped(table_of({DatabaseValue(std::int64_t{4}), text, DatabaseValue(4.0), DatabaseValue()},
                       {DatabaseValue(1.0), DatabaseValue(2.0), DatabaseValue(3.0), DatabaseValue()}),
              {"key"}, {aggregate("mean(value)"), aggregate("std(value)")});
  ASSERT_EQ(found.rows(), 3u) << "4 and 4.0 are one value";
  EXPECT_EQ(found.column("mean(value)")[0].number(), 2);
  EXPECT_EQ(found.column("mean(value)")[1].number(), 2);
  EXPECT_TRUE(found.column("std(value)")[1].is_none()) << "of one value";
  EXPECT_TRUE(found.column("mean(value)")[2].is_none()) << "of nothing";
}

TEST(Aggregate, WithoutKeysAllRowsAreOneGroup) {
  const DatabaseTable found = grouped(table_of({}, {}), {}, {aggregate("count()"), aggregate("max(value)")});
  ASSERT_EQ(found.rows(), 1u);
  EXPECT_EQ(found.column("count()")[0].number(), 0);
  EXPECT_TRUE(found.column("max(value)")[0].is_none());
}

TEST(Aggregate, NumbersOfATextAreRefused) {
  const DatabaseTable table = table_of({DatabaseValue(DatabaseValue::Kind::text, "x")}, {DatabaseValue(1.0)});
  try {
    grouped(table, {}, {aggregate("mean(key)")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("mean(key): found \"x\", expected numbers"));
  }
}

}  // namespace
}  // namespace crossgrid
