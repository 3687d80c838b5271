#include "crossgrid/engine/database_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/plain_line.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DatabaseFileTest : public testing::Test {
 protected:
  DatabaseFileTest() {
    std::string name = testing::TempDir() + "crossgrid-database-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~DatabaseFileTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) { std::ofstream(folder_ + "/points.jsonl", std::ios::binary) << text; }
  void write_meta(const std::string& text) { std::ofstream(folder_ + "/points.meta.json") << text; }
  DatabaseTable read(const std::vector<std::string>& names) { return DatabaseFile(folder_).read(names); }
  /// What reading everything is refused with; empty where it is not.
  std::string refusal() {
    try {
      const DatabaseFile file(folder_);
      file.read(file.columns().names());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_input);
      return error.what();
    }
    return "";
  }

  std::string folder_;
};

/// Random texts that are often values of JSON, and of Crossgrid's, and as often close to one.
class AlmostValues {
 public:
  std::string next() {
    std::string text = whole();
    if (below(8) == 0) text.insert(below(text.size() + 1), 1, bytes_[below(bytes_.size())]);
    if (below(8) == 0 && !text.empty()) text.erase(below(text.size()), 1 + below(3));
    return text;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::string digits(std::size_t most) {
    std::string text;
    for (std::size_t i = below(most + 1); i > 0; --i) text += static_cast<char>('0' + below(10));
    return text;
  }
  std::string number() {
    std::string text = (below(2) == 0 ? "-" : "") + digits(below(8) == 0 ? 25 : 5);
    if (below(2) == 0) text += '.' + digits(below(8) == 0 ? 110 : 20);
    if (below(3) == 0) text += std::string(below(2) == 0 ? "e" : "E") + std::array{"", "-", "+"}[below(3)] + digits(4);
    return text;
  }
  std::string whole() {
    switch (below(6)) {
      case 0:
        return std::array{"null", "true", "false"}[below(3)];
      case 1:
        return '"' + std::string(below(20), static_cast<char>(below(256))) + '"';
      case 2:
        return '[' + number() + ']';
      default:
        return number();
    }
  }

  std::mt19937 random_{4};
  const std::string bytes_ = "{}[]\",:\\0123eE-+. \xff\x80nul\x7f";
};

TEST_F(DatabaseFileTest, GivesColumnsInTheOrderOfTheFile) {
  write(
      "{\"index\":0,\"a\":\"x\",\"l\":[1,[2.5,\"y\"]],\"n\":18446744073709551615}\n"
      "{\"index\":1,\"a\":null,\"l\":true,\"n\":1e-05}\n");
  const DatabaseTable table = read({"n", "a", "l"});
  EXPECT_THAT(table.names.names(), ElementsAre("n", "a", "l"));
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.column("n")[0].to_json(), "18446744073709551615");
  EXPECT_EQ(table.column("n")[1].to_json(), "1e-05");
  EXPECT_EQ(table.column("a")[0].to_json(), "\"x\"");
  EXPECT_EQ(table.column("a")[1].to_json(), "null");
  EXPECT_EQ(table.column("l")[0].to_json(), "[1,[2.5,\"y\"]]");
  EXPECT_EQ(table.column("l")[1].to_json(), "true");
}

/// Lines of many lengths over several blocks of the reader: none is lost, doubled or reordered.
TEST_F(DatabaseFileTest, LinesMayLieAcrossBlocks) {
  std::mt19937 random(2);
  std::string text;
  std::size_t lines = 0;
  for (; text.size() < (std::size_t{9} << 20); ++lines) {
    const std::size_t size = random() % 50 == 0 ? random() % 300000 : random() % 400;
    text += "{\"index\":" + std::to_string(lines) + ",\"filler\":\"" + std::string(size, 'x') + "\"}\n";
  }
  write(text);
  const DatabaseTable table = read({"index"});
  ASSERT_EQ(table.rows(), lines);
  for (std::size_t i = 0; i < lines; ++i) ASSERT_EQ(table.columns[0][i].number(), static_cast<double>(i));
  const RowCondition condition("index in (7, 1000) or index<2");
  const DatabaseTable some = DatabaseFile(folder_).read(std::vector<std::string>{"index"}, &condition);
  EXPECT_EQ(some.rows(), lines > 1000 ? 4u : 3u);
  // A mistake in a later block is told with its line in the file.
  const std::size_t wrong = text.rfind("{\"index\"");
  text.replace(wrong, 8, "{\"inbex\"");
  write(text);
  EXPECT_THAT(refusal(), HasSubstr("points.jsonl:" + std::to_string(lines) + ": not a line of a database"));
}

TEST_F(DatabaseFileTest, ALineOfABlocksLengthIsFoundWhereverItBegins) {
  for (const std::size_t shift : {0u, 1u, 2u}) {
    std::string text;
    const std::string line = "{\"a\":1" + std::string(200, ' ') + "}\n";
    while (text.size() + 500 < (std::size_t{4} << 20)) text += line;
    // A line that ends `shift` bytes before or at the block's end.
    text +=
        "{\"a\":1" + std::string((std::size_t{4} << 20) - text.size() - 8 - shift + 1, ' ') + "}\n{\"a\":2}\n{\"a\":3}";
    write(text);
    const DatabaseTable table = read({"a"});
    ASSERT_EQ(table.rows(), static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    EXPECT_EQ(table.columns[0][table.rows() - 2].number(), 2);
    EXPECT_EQ(table.columns[0].back().number(), 3);
  }
}

/// Lines that are split without a parser mean what a parser reads, which a space before a line makes sure of: each of
/// them is a line of a database, with the same values.
TEST_F(DatabaseFileTest, PlainLinesMeanWhatTheParserReads) {
  const std::string first = R"({"index":0,"a b":"x","c":1.5})";
  const PlainLine plain(ColumnNames({"index", "a b", "c"}));
  AlmostValues random;
  std::string text = first + '\n', spaced = first + '\n';
  std::size_t taken = 0, left = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string line = R"({"index":)" + random.next() + R"(,"a b":)" + random.next() + R"(,"c":)" + random.next() + '}';
    if (random.below(10) == 0) line.erase(random.below(line.size()), 1);
    std::vector<std::string_view> values;
    if (line.find('\n') == std::string::npos && plain.split(line, values)) {
      ++taken;
      text += line + '\n';
      spaced += ' ' + line + '\n';
    } else {
      ++left;
    }
  }
  EXPECT_GT(taken, 5'000u);
  EXPECT_GT(left, 10'000u);
  const std::vector<std::string> names{"index", "a b", "c"};
  write(text);
  const DatabaseTable found = read(names);
  write(spaced);
  const DatabaseTable parsed = read(names);
  ASSERT_EQ(found.rows(), taken + 1);
  ASSERT_EQ(parsed.rows(), taken + 1);
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t row = 0; row <= taken; ++row) {
      const DatabaseValue& value = found.columns[i][row];
      ASSERT_EQ(value.kind(), parsed.columns[i][row].kind()) << value.to_json();
      ASSERT_EQ(value.to_json(), parsed.columns[i][row].to_json());
    }
  }
}

TEST_F(DatabaseFileTest, LinesAreReadAgainFromWhereTheyBegin) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += "{\"index\":" + std::to_string(i) + ",\"a\":\"" + std::string(i % 500 == 7 ? 40000 : 5000, 'x') + "\"}\n";
  }
  text.pop_back();
  write(text);
  const DatabaseFile file(folder_);
  const RowCondition condition("index>=7");
  std::vector<std::uint64_t> begins;
  const std::vector<std::string> names{"index"};
  const DatabaseTable some = file.read(std::vector<std::string>{"index"}, &condition, &begins);
  ASSERT_EQ(begins.size(), some.rows());
  const std::vector<std::uint64_t> picked{begins[2992], begins[0], begins[1500], begins[1], begins[3], begins[2]};
  const DatabaseTable again = file.read_lines(std::vector<std::string>{"a", "index"}, picked);
  ASSERT_EQ(again.rows(), 6u);
  const std::vector<std::pair<int, std::size_t>> expected{{2999, 5000}, {7, 40000}, {1507, 40000},
                                                          {8, 5000},    {10, 5000}, {9, 5000}};
  for (std::size_t row = 0; row < 6; ++row) {
    EXPECT_EQ(again.column("index")[row].number(), expected[row].first);
    EXPECT_EQ(again.column("a")[row].text().size(), expected[row].second);
  }
  EXPECT_EQ(file.read_lines(names, {}).rows(), 0u);
  EXPECT_EQ(file.read_lines(names, std::vector<std::uint64_t>{0}).columns[0][0].number(), 0);
}

TEST_F(DatabaseFileTest, LinesThatAreNoLongerThereAreRefused) {
  const std::string text = "{\"index\":0}\n{\"index\":1}\n{\"index\":2}\n";
  write(text);
  const DatabaseFile file(folder_);
  const std::vector<std::string> names{"index"};
  std::vector<std::uint64_t> begins;
  file.read(names, nullptr, &begins);
  const std::vector<std::uint64_t> picked{begins[0], begins[2]};
  EXPECT_EQ(file.read_lines(names, picked).rows(), 2u);
  for (const std::string& changed :
       {text.substr(0, 24), text.substr(0, 30), "{\"index\":10}\n" + text, std::string(text).replace(23, 1, " ")}) {
    write(changed);
    try {
      file.read_lines(names, picked);
      ADD_FAILURE() << "nothing was thrown: " << changed;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("points.jsonl: changed while it was read"));
    }
  }
}

TEST_F(DatabaseFileTest, WhatIsNoDatabaseIsRefusedWithItsLine) {
  const std::string good = "{\"index\":0,\"a\":1}\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[1]\n", ":1: not a line"},
      {"{}\n", ":1: not a line of a database: no columns"},
      {"\n", ":1: not a line"},
      {"{\"a\":1,\"a\":2}\n", ":1: not a line of a database: column 'a' is there twice"},
      {good + "\n" + good, ":2: not a line"},
      {good + "{\"index\":1,\"a\":", ":2: not a line"},
      {good + "{\"index\":1}\n",
       ":2: not a line of a database: expected the columns of line 1 (2), in their order; column 2"},
      {good + "{\"index\":1,\"a\":1,\"b\":1}\n", ":2: not a line of a database: expected the columns of line 1"},
      {good + "{\"a\":1,\"index\":1}\n", ":2: not a line of a database: expected the columns of line 1"},
      {good + "{\"index\":1,\"a\":{\"b\":1}}\n", ":2: not a line of a database: column 'a' is an object"},
      {good + "{\"index\":1,\"a\":1e999}\n", ":2: not a line"},
      {good + "{\"index\":1,\"a\":123456789012345678901234567890}\n", ":2: not a line"},
      {good + "{\"index\":1,\"a\":NaN}\n", ":2: not a line"},
      {good + "{\"index\":1,\"a\":\"\xff\"}\n", ":2: not a line"},
      {good + std::string("{\"index\":1,\"a\":\"\0\"}\n", 20), ":2: not a line"},
      {good + "{\"index\":1,\"a\":" + std::string(17, '[') + std::string(17, ']') + "}\n", ":2: not a line"},
      {good + "{\"index\":1,\"a\":" + std::string(500000, '[') + "\n", ":2: not a line"},
      {good + "{\"index\":1,\"a\":\"" + std::string(std::size_t{1} << 20, 'x') + "\"}\n",
       ":2: not a line of a database: more than 1048576 bytes"},
      {std::string(std::size_t{6} << 20, 'x'), ":1: not a line of a database: more than 1048576 bytes"},
      {std::string(1000, '\0'), ":1: not a line"},
  };
  for (const auto& [text, expected] : cases) {
    write(text);
    EXPECT_THAT(refusal(), HasSubstr(expected)) << text.substr(0, 100);
  }
  write(good);
  EXPECT_EQ(refusal(), "");
  write("");
  EXPECT_EQ(refusal(), "");
}

TEST_F(DatabaseFileTest, ACutOffFileIsToldByItsMetaFile) {
  write("{\"index\":0,\"a\":1,\"status\":\"done\",\"top1.mean\":1}\n");
  write_meta(R"({"schema":2,"points":1,"axes":[{"name":"a","unit":""}],"metrics":["top1"]})");
  EXPECT_EQ(refusal(), "");
  write_meta(R"({"schema":2,"points":2,"axes":[{"name":"a","unit":""}],"metrics":["top1"]})");
  EXPECT_THAT(refusal(), HasSubstr("found 1 points, but points.meta.json tells of 2: cut off"));
}

TEST_F(DatabaseFileTest, AnOlderSchemaIsReadAndANewerOneRefused) {
  write("{\"index\":0,\"adc.bits\":4,\"mapping\":\"x\",\"status\":\"done\",\"top1.mean\":1}\n");
  const std::vector<AxisColumn> axes{{"adc.bits", "bit"}, {"mapping", ""}};
  EXPECT_EQ(DatabaseFile(folder_).axes(), axes) << "without a meta file";
  EXPECT_THAT(DatabaseFile(folder_).metrics(), ElementsAre("top1"));
  write_meta(R"({"schema":1,"sweep":"old","points":1,"metrics":["top1"]})");
  EXPECT_EQ(DatabaseFile(folder_).axes(), axes) << "schema 1 did not name them";
  EXPECT_EQ(DatabaseFile(folder_).meta().at("schema"), 2);
  EXPECT_EQ(DatabaseFile(folder_).meta().at("sweep"), "old");
  write_meta(R"({"schema":2,"points":1,"axes":[{"name":"mapping","unit":"of my own"}],"metrics":["top1"]})");
  EXPECT_EQ(DatabaseFile(folder_).axes(), (std::vector<AxisColumn>{{"mapping", "of my own"}}));
  write_meta(R"({"schema":3,"points":1})");
  EXPECT_THAT(refusal(), HasSubstr("points.meta.json: /schema: found 3, but this program reads databases up to 2"));
}

TEST_F(DatabaseFileTest, ABadMetaFileIsRefused) {
  write("{\"index\":0,\"a\":4,\"status\":\"done\"}\n");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{", "points.meta.json:1:"},
      {"[]", "/schema: missing"},
      {"{\"schema\":\"1\"}", "/schema: missing"},
      {"{\"schema\":0}", "/schema: found 0, expected 1 to 2"},
      {"{\"schema\":1}", "/metrics: missing"},
      {"{\"schema\":2,\"metrics\":[]}", "/axes: missing"},
      {"{\"schema\":2,\"metrics\":[1],\"axes\":[]}", "/metrics: missing, or not as"},
      {"{\"schema\":2,\"metrics\":[],\"axes\":[{\"name\":\"b\",\"unit\":\"\"}]}", "/axes: missing, or not as"},
      {"{\"schema\":2,\"metrics\":[],\"axes\":[{\"name\":\"a\"}]}", "/axes: missing, or not as"},
      {std::string(10000, '['), "levels"},
  };
  for (const auto& [text, expected] : cases) {
    write_meta(text);
    EXPECT_THAT(refusal(), HasSubstr(expected)) << text.substr(0, 100);
  }
}

/// Random damage gives rows or one clear error, never a crash: run under AddressSanitizer too.
TEST_F(DatabaseFileTest, NoDamageBreaksTheReader) {
  std::string whole;
  for (int i = 0; i < 20; ++i) {
    whole += "{\"index\":" + std::to_string(i) +
             ",\"adc.bits\":4,\"mapping\":\"u\\u00e4 \\\"x\\\"\",\"range\":[-1,2.5e-3]," +
             "\"status\":\"done\",\"top1.mean\":0.123456789,\"top1.std\":null,\"deterministic\":false}\n";
  }
  std::mt19937 random(9);
  const auto place = [&](const std::string& text) { return random() % std::max<std::size_t>(text.size(), 1); };
  const std::string bytes = "{}[]\",:\\0eE-+.\n \xff\x80nul";
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = whole;
    for (unsigned i = 1 + random() % 3; i > 0; --i) {
      switch (random() % 4) {
        case 0:
          text[place(text)] = static_cast<char>(random());
          break;
        case 1:
          text[place(text)] = bytes[random() % bytes.size()];
          break;
        case 2:
          text.erase(place(text), random() % 40);
          break;
        default:
          text.insert(place(text), text.substr(place(text), random() % 60));
      }
    }
    if (random() % 8 == 0) text.resize(place(text));
    write(text);
    refused += refusal().empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 200);
}

TEST_F(DatabaseFileTest, AMissingFileIsNamed) {
  EXPECT_THAT(refusal(),
              HasSubstr("points.jsonl: can't read it: No such file or directory; `crossgrid run` writes it"));
}

}  // namespace
}  // namespace crossgrid
