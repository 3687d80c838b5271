#include "crossgrid/engine/database_diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DatabaseDiffTest : public testing::Test {
 protected:
  DatabaseDiffTest() {
    std::string name = testing::TempDir() + "crossgrid-diff-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~DatabaseDiffTest() override { std::filesystem::remove_all(folder_); }

  /// Writes the lines as database `name` with this meta file.
  DatabaseFile database(const std::string& name, const std::vector<std::string>& lines, const std::string& meta = "") {
    std::filesystem::create_directory(folder_ + "/" + name);
    std::string text;
    for (const std::string& one : lines) text += one + '\n';
    std::ofstream(folder_ + "/" + name + "/points.jsonl") << text;
    if (!meta.empty()) std::ofstream(folder_ + "/" + name + "/points.meta.json") << meta;
    return DatabaseFile(folder_ + "/" + name);
  }
  static std::string line(int index, const std::string& axes, const std::string& mean, const std::string& id = "x") {
    return "{\"index\":" + std::to_string(index) + "," + axes + ",\"status\":\"done\",\"top1.mean\":" + mean +
           ",\"top1.std\":0.1,\"point\":\"" + id + "\"}";
  }
  static std::string printed(const DatabaseDiff& diff, std::size_t limit = 0) {
    std::ostringstream out;
    print_diff(diff, limit, out);
    return out.str();
  }

  std::string folder_;
};

TEST_F(DatabaseDiffTest, EqualResultsInAnotherOrderAreEqual) {
  const DatabaseFile a =
      database("a", {line(0, R"("adc.bits":4,"rows":64)", "0.5", "p"), line(1, R"("adc.bits":6,"rows":64)", "0.75")});
  const DatabaseFile b = database(
      "b", {line(0, R"("rows":64,"adc.bits":6)", "0.750", "q"), line(1, R"("rows":64,"adc.bits":4.0)", "5e-1")});
  const DatabaseDiff diff = diff_databases(a, b, 0);
  EXPECT_TRUE(diff.equal()) << printed(diff);
  EXPECT_EQ(diff.common, 2u);
  EXPECT_EQ(printed(diff), "points: 2 in both, 0 of them with results that differ, 0 only in A, 0 only in B\n");
}

TEST_F(DatabaseDiffTest, TellsWhatDiffersAndWhere) {
  const DatabaseFile a = database(
      "a", {line(0, R"("adc.bits":4)", "0.5"), line(1, R"("adc.bits":5)", "0.25"), line(2, R"("adc.bits":6)", "0.75")});
  const DatabaseFile b = database("b", {line(0, R"("adc.bits":4)", "0.625"), line(1, R"("adc.bits":5)", "0.5"),
                                        line(2, R"("adc.bits":7)", "0.75")});
  const DatabaseDiff diff = diff_databases(a, b, 0);
  EXPECT_FALSE(diff.equal());
  EXPECT_THAT(diff.only_a, ElementsAre("adc.bits=6"));
  EXPECT_THAT(diff.only_b, ElementsAre("adc.bits=7"));
  ASSERT_EQ(diff.columns.size(), 1u);
  EXPECT_EQ(diff.columns[0].name, "top1.mean");
  EXPECT_EQ(diff.columns[0].points, 2u);
  EXPECT_EQ(diff.columns[0].largest, 0.25);
  EXPECT_EQ(diff.columns[0].at, "adc.bits=5");
  ASSERT_EQ(diff.points.size(), 2u);
  EXPECT_THAT(diff.points[0].columns, ElementsAre("top1.mean: 0.5, 0.625"));
  EXPECT_THAT(printed(diff, 1), HasSubstr("  adc.bits=4: top1.mean: 0.5, 0.625\n  and 1 more (--limit)\n"));
}

TEST_F(DatabaseDiffTest, TheToleranceItselfIsNotADifference) {
  const DatabaseFile a = database("a", {line(0, R"("adc.bits":4)", "0.5")});
  const DatabaseFile b = database("b", {line(0, R"("adc.bits":4)", "0.75")});
  EXPECT_TRUE(diff_databases(a, b, 0.25).equal());
  EXPECT_FALSE(diff_databases(a, b, 0.2499).equal());
  // One unit in the last place is a difference unless a tolerance is said.
  const DatabaseFile c = database("c", {line(0, R"("adc.bits":4)", "0.5000000000000001")});
  EXPECT_FALSE(diff_databases(a, c, 0).equal());
  EXPECT_TRUE(diff_databases(a, c, 1e-15).equal());
}

TEST_F(DatabaseDiffTest, ANumberIsNeverNullOrAWord) {
  const DatabaseFile a = database("a", {line(0, R"("adc.bits":4)", "0.5")});
  const DatabaseFile b = database("b", {line(0, R"("adc.bits":4)", "null")});
  const DatabaseDiff diff = diff_databases(a, b, 1e9);
  EXPECT_FALSE(diff.equal());
  EXPECT_THAT(printed(diff), HasSubstr("top1.mean: at 1 points, not a number at adc.bits=4"));
  const DatabaseFile c = database("c", {line(0, R"("adc.bits":"4")", "0.5")});
  EXPECT_THAT(diff_databases(a, c, 0).only_b, ElementsAre("adc.bits=4"));
}

TEST_F(DatabaseDiffTest, AnAxisOfOneValueMayBeMissing) {
  const DatabaseFile a = database("a", {line(0, R"("adc.bits":4,"rows":64)", "0.5")});
  const DatabaseFile b = database("b", {line(0, R"("adc.bits":4)", "0.5")});
  const DatabaseDiff diff = diff_databases(a, b, 0);
  EXPECT_TRUE(diff.equal());
  EXPECT_THAT(diff.set_aside, ElementsAre("rows=64 (only in A)"));
  const DatabaseFile c =
      database("c", {line(0, R"("adc.bits":4,"rows":64)", "0.5"), line(1, R"("adc.bits":4,"rows":32)", "0.5")});
  try {
    diff_databases(c, b, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr("the other database has no axis 'rows', which takes 2 values here"));
  }
}

TEST_F(DatabaseDiffTest, OtherMetricsAreADifferenceAndOtherOriginsAreTold) {
  const std::string meta = R"({"schema":2,"axes":[{"name":"adc.bits","unit":"bit"}],"metrics":["top1"],"seed":)";
  const DatabaseFile a = database("a", {line(0, R"("adc.bits":4)", "0.5")}, meta + R"(1,"content":{"network":"n"}})");
  const DatabaseFile b = database("b", {line(0, R"("adc.bits":4)", "0.5")}, meta + R"(2,"content":{"network":"m"}})");
  const DatabaseDiff diff = diff_databases(a, b, 0);
  EXPECT_TRUE(diff.equal());
  EXPECT_THAT(diff.origins, ElementsAre("seed (A 1, B 2)", "network's content (A \"n\", B \"m\")"));
  const DatabaseFile c =
      database("c", {R"({"index":0,"adc.bits":4,"status":"done","top1.mean":0.5,"top1.std":0.1,"loss.mean":1})"});
  const DatabaseDiff other = diff_databases(a, c, 0);
  EXPECT_FALSE(other.equal());
  EXPECT_THAT(other.columns_only_a, IsEmpty());
  EXPECT_THAT(other.columns_only_b, ElementsAre("loss.mean"));
}

TEST_F(DatabaseDiffTest, TwoPointsOfOneNameAreRefused) {
  const DatabaseFile a = database("a", {line(0, R"("adc.bits":4)", "0.5"), line(1, R"("adc.bits":4)", "0.5")});
  EXPECT_THROW(diff_databases(a, a, 0), Error);
}

}  // namespace
}  // namespace crossgrid
