#include "crossgrid/engine/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    std::string name = testing::TempDir() + "crossgrid-query-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    options_.folder = folder_;
    options_.format = TableFormat::csv;
    write(
        R"({"index":0,"adc.bits":4,"rows":64,"mapping":"balanced","status":"done","top1.mean":0.5,"top1.std":0.01})"
        "\n"
        R"({"index":1,"adc.bits":6,"rows":"unlimited","mapping":"unit, \"column\"","status":"done","top1.mean":0.8,"top1.std":0.25})"
        "\n"
        R"({"index":2,"adc.bits":8,"rows":128,"mapping":"balanced","status":"pending","top1.mean":null,"top1.std":null})"
        "\n"
        R"({"index":3,"adc.bits":8,"rows":64,"mapping":"balanced","status":"done","top1.mean":0.1000000000000001,"top1.std":1e-05})"
        "\n");
  }
  ~QueryTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) { std::ofstream(folder_ + "/points.jsonl") << text; }
  std::string ask() {
    std::ostringstream out;
    run_query(options_, out);
    return out.str();
  }
  /// The indices of the rows that match.
  std::string indices() {
    options_.select = {"index"};
    std::string text = ask().substr(6);
    for (char& c : text) c = c == '\n' ? ' ' : c;
    return text;
  }
  std::string refusal(ExitCode code) {
    try {
      ask();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "nothing was thrown";
  }

  std::string folder_;
  QueryOptions options_;
};

TEST_F(QueryTest, ConditionsMustAllHold) {
  options_.where = {"adc.bits>=6", "mapping=balanced"};
  EXPECT_EQ(indices(), "2 3 ");
}

TEST_F(QueryTest, EveryComparisonDoesWhatItSays) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"adc.bits=6", "1 "},      {"adc.bits == 6", "1 "},       {"adc.bits!=6", "0 2 3 "},
      {"adc.bits<6", "0 "},      {"adc.bits<=6", "0 1 "},       {"adc.bits>6", "2 3 "},
      {"adc.bits>=6", "1 2 3 "}, {"rows=unlimited", "1 "},      {"rows<=128", "0 2 3 "},
      {"rows!=64", "1 2 "},      {"top1.mean=null", "2 "},      {"top1.mean!=null", "0 1 3 "},
      {"top1.mean<0.6", "0 3 "}, {"status=\"done\"", "0 1 3 "}, {"mapping=unit, \"column\"", "1 "},
      {"mapping>c", "1 "},       {"adc.bits=6.0", "1 "},        {"rows=\"64\"", ""}};
  for (const auto& [where, expected] : cases) {
    options_.where = {where};
    EXPECT_EQ(indices(), expected) << where;
  }
}

TEST_F(QueryTest, CsvQuotesWhatNeedsItAndKeepsAllDigits) {
  options_.select = {"mapping", "top1.mean", "rows", "top1.std"};
  EXPECT_EQ(ask(),
            "mapping,top1.mean,rows,top1.std\nbalanced,0.5,64,0.01\n\"unit, \"\"column\"\"\",0.8,unlimited,0.25\n"
            "balanced,,128,\nbalanced,0.1000000000000001,64,1e-05\n");
}

TEST_F(QueryTest, JsonLinesReadBack) {
  options_.format = TableFormat::json_lines;
  options_.select = {"mapping", "top1.mean"};
  options_.where = {"index>=1", "index<=2"};
  EXPECT_EQ(
      ask(),
      "{\"mapping\":\"unit, \\\"column\\\"\",\"top1.mean\":0.8}\n{\"mapping\":\"balanced\",\"top1.mean\":null}\n");
}

TEST_F(QueryTest, GroupsAreSelectedSortedAndBeaten) {
  options_.group_by = {"adc.bits"};
  EXPECT_EQ(ask(),
            "adc.bits,count(),mean(top1.mean),min(top1.mean),max(top1.mean)\n4,1,0.5,0.5,0.5\n6,1,0.8,0.8,0.8\n"
            "8,2,0.1000000000000001,0.1000000000000001,0.1000000000000001\n");
  options_.group_by = {"mapping"};
  options_.where = {"top1.mean!=null"};
  options_.select = {"mean(top1.mean)", "mapping", "count()"};
  options_.sort = {"-max(adc.bits)"};
  EXPECT_EQ(ask(), "mean(top1.mean),mapping,count()\n0.30000000000000004,balanced,2\n0.8,\"unit, \"\"column\"\"\",1\n");
  options_.pareto = "max:mean(top1.mean)";
  EXPECT_EQ(ask(), "mean(top1.mean),mapping,count()\n0.8,\"unit, \"\"column\"\"\",1\n");
  options_.group_by = options_.where = options_.sort = {};
  options_.pareto = "";
  options_.select = {"count()", "median(top1.mean)"};
  EXPECT_EQ(ask(), "count(),median(top1.mean)\n4,0.5\n");
  options_.where = {"index>9"};
  EXPECT_EQ(ask(), "count(),median(top1.mean)\n0,\n");
}

TEST_F(QueryTest, AColumnBesideGroupsNeedsAFunction) {
  options_.group_by = {"adc.bits"};
  options_.select = {"adc.bits", "top1.mean"};
  EXPECT_THAT(refusal(ExitCode::usage), testing::HasSubstr("'top1.mean' has many values in a group"));
  options_.select = {"adc.bits", "top1.men"};
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("did you mean 'top1.mean'?"));
  options_.select = {"adc.bits", "mean(top1.men)"};
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("did you mean 'top1.mean'?"));
}

TEST_F(QueryTest, MarkdownIsATableWhateverNamesHold) {
  write("{\"a|b\":\"<script>|`*[x](y)\\n\",\"n\":1}\n{\"a|b\":null,\"n\":0.3333333333333333}\n");
  options_.format = TableFormat::markdown;
  EXPECT_EQ(ask(), "| a\\|b | n |\n| --- | --: |\n| &lt;script>\\|\\`\\*\\[x\\](y)\\\\u000a | 1 |\n| - | 0.333333 |\n");
}

TEST_F(QueryTest, TerminalsAreNotCommanded) {
  write("{\"a\":\"\\u001b[2J\\u009b2Jx\\u0000\u00e4\"}\n");
  options_.format = TableFormat::table;
  const std::string shown = ask();
  EXPECT_THAT(shown, testing::HasSubstr("\\u001b[2J\\u009b2Jx\\u0000\xc3\xa4\n"));
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
}

TEST_F(QueryTest, TheTableIsAligned) {
  options_.format = TableFormat::table;
  options_.select = {"adc.bits", "top1.mean"};
  EXPECT_EQ(
      ask(),
      "adc.bits  top1.mean\n       4        0.5\n       6        0.8\n       8          -\n       8        0.1\n");
}

TEST_F(QueryTest, SortsByColumnsWithNullsLast) {
  options_.sort = {"top1.mean"};
  EXPECT_EQ(indices(), "3 0 1 2 ");
  options_.sort = {"-top1.mean"};
  EXPECT_EQ(indices(), "1 0 3 2 ");
  options_.sort = {"mapping", "-index"};
  EXPECT_EQ(indices(), "3 2 0 1 ");
  options_.sort = {"rows", "index"};  // numbers before words
  EXPECT_EQ(indices(), "0 3 2 1 ");
  options_.limit = 2;
  EXPECT_EQ(indices(), "0 3 ");
}

/// Rows that are equal as far as they are sorted stay in their order, whatever is asked of them.
TEST_F(QueryTest, TheFirstOfTheSortedAreTheSameWithALimit) {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 500; ++i) {
    const unsigned a = random() % 12;
    text += "{\"index\":" + std::to_string(i) + ",\"a\":" + (a == 0 ? "null" : std::to_string(a)) +
            ",\"b\":" + std::to_string(random() % 3) + ",\"c\":\"word " + std::to_string(i) + "\"}\n";
  }
  write(text);
  for (const std::vector<std::string>& sort : std::vector<std::vector<std::string>>{{}, {"-a"}, {"b", "-a"}}) {
    options_.sort = sort;
    options_.limit = 0;
    const std::string all = ask();
    for (const std::size_t limit : {1u, 10u, 499u, 500u, 501u}) {
      options_.limit = limit;
      const std::string some = ask();
      EXPECT_EQ(all.substr(0, some.size()), some);
      EXPECT_EQ(static_cast<std::size_t>(std::count(some.begin(), some.end(), '\n')),
                1 + std::min<std::size_t>(limit, 500));
    }
  }
}

TEST_F(QueryTest, GroupsAreOfEqualValues) {
  write(
      "{\"a\":4,\"b\":1}\n{\"a\":\"4\",\"b\":1}\n{\"a\":4.0,\"b\":1}\n{\"a\":null,\"b\":1}\n{\"a\":\"null\",\"b\":1}\n"
      "{\"a\":true,\"b\":1}\n{\"a\":\"true\",\"b\":1}\n{\"a\":[4],\"b\":1}\n{\"a\":4,\"b\":2}\n{\"a\":null,\"b\":1}\n"
      "{\"a\":9007199254740993,\"b\":1}\n{\"a\":9007199254740992.0,\"b\":1}\n{\"a\":1e300,\"b\":1}\n{\"a\":[4],\"b\":1}"
      "\n"
      "{\"a\":1,\"b\":4}\n{\"a\":18446744073709551615,\"b\":1}\n");
  options_.group_by = {"a", "b"};
  options_.select = {"a", "b", "count()"};
  options_.format = TableFormat::json_lines;
  std::string groups;
  std::istringstream lines(ask());
  for (std::string line; std::getline(lines, line);) groups += line.substr(5, line.size() - 6) + ' ';
  EXPECT_EQ(groups,
            R"x(4,"b":1,"count()":2 "4","b":1,"count()":1 null,"b":1,"count()":2 "null","b":1,"count()":1 )x"
            R"x(true,"b":1,"count()":1 "true","b":1,"count()":1 [4],"b":1,"count()":2 4,"b":2,"count()":1 )x"
            R"x(9007199254740993,"b":1,"count()":1 9007199254740992,"b":1,"count()":1 1e+300,"b":1,"count()":1 )x"
            R"x(1,"b":4,"count()":1 18446744073709551615,"b":1,"count()":1 )x");
}

TEST_F(QueryTest, AnUnknownColumnGetsTheNearestName) {
  options_.where = {"adc.bitz>=6"};
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("unknown column 'adc.bitz'; did you mean 'adc.bits'?"));
  options_.where = {};
  options_.select = {"top1.men"};
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("did you mean 'top1.mean'?"));
  options_.limit = 1;
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("did you mean 'top1.mean'?"));
}

TEST_F(QueryTest, AConditionThatCannotBeReadIsShown) {
  for (const char* where : {"adc.bits", "=6", "adc.bits ! 6"}) {
    options_.where = {where};
    EXPECT_THAT(refusal(ExitCode::usage), testing::HasSubstr(where));
  }
  options_.where = {};
  options_.pareto = "most:top1.mean";
  EXPECT_THAT(refusal(ExitCode::usage), testing::HasSubstr("max:COLUMN"));
}

TEST_F(QueryTest, AMissingOrBrokenDatabaseIsNamed) {
  options_.folder = folder_ + "/nothing";
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("nothing: can't read it: No such file"));
  options_.folder = folder_;
  write("{\"index\":0}\n{\"index\":\n");
  EXPECT_THAT(refusal(ExitCode::bad_input), testing::HasSubstr("points.jsonl:2: not a line of a database"));
}

TEST_F(QueryTest, ParetoKeepsWhatNothingBeats) {
  options_.pareto = "max:top1.mean,min:adc.bits";
  EXPECT_EQ(indices(), "0 1 ");
  options_.pareto = "max:top1.mean";
  EXPECT_EQ(indices(), "1 ");
  options_.pareto = "min:top1.std, min:rows";
  EXPECT_EQ(indices(), "3 ");
}

TEST_F(QueryTest, ParetoAgreesWithTheDefinition) {
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    const int size = round % 4 == 0 ? 500 : 30;
    const unsigned values = round % 8 == 0 ? 100 : 6;
    struct Point {
      int a, b, c;
    };
    std::vector<Point> points;
    std::string text;
    for (int i = 0; i < size; ++i) {
      const Point p{static_cast<int>(random() % values), static_cast<int>(random() % values),
                    static_cast<int>(random() % values)};
      points.push_back(p);
      text += "{\"index\":" + std::to_string(i) + ",\"a\":" + std::to_string(p.a) + ",\"b\":" + std::to_string(p.b) +
              ",\"c\":" + std::to_string(p.c) + "}\n";
    }
    write(text);
    std::string expected;
    for (int i = 0; i < size; ++i) {
      const Point& p = points[static_cast<std::size_t>(i)];
      bool beaten = false;
      for (const Point& q : points) {
        beaten = beaten || (q.a >= p.a && q.b <= p.b && q.c >= p.c && (q.a > p.a || q.b < p.b || q.c > p.c));
      }
      if (!beaten) expected += std::to_string(i) + " ";
    }
    options_.pareto = "max:a,min:b,max:c";
    ASSERT_EQ(indices(), expected);
  }
}

}  // namespace
}  // namespace crossgrid
