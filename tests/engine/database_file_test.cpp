#include "crossgrid/engine/database_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "crossgrid/base/error.hpp"

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
