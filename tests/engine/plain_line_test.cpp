#include "crossgrid/engine/plain_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crossgrid {
namespace {

using testing::ElementsAre;
using Kind = DatabaseValue::Kind;

bool splits(const std::string& line) {
  std::vector<std::string_view> values;
  return PlainLine(ColumnNames({"a"})).split(line, values);
}

/// A line with this value alone.
bool takes(const std::string& value) {
  return splits("{\"a\":" + value + "}");
}

TEST(PlainLine, GivesValuesAsTheyStand) {
  const PlainLine plain(ColumnNames({"index", "b", "c.d"}));
  std::vector<std::string_view> values;
  ASSERT_TRUE(plain.split(R"({"index":12,"b":"word, of: {two}","c.d":-0.5e-05})", values));
  EXPECT_THAT(values, ElementsAre("12", "\"word, of: {two}\"", "-0.5e-05"));
  ASSERT_TRUE(plain.split(R"({"index":null,"b":"","c.d":true})", values));
  EXPECT_THAT(values, ElementsAre("null", "\"\"", "true"));
}

TEST(PlainLine, LeavesWhatHasAnotherForm) {
  const PlainLine plain(ColumnNames({"a", "b"}));
  std::vector<std::string_view> values;
  const std::string good = R"({"a":1,"b":2})";
  EXPECT_TRUE(plain.split(good, values));
  for (const char* line : {"", "{", "{}", R"({"a":1})", R"({"a":1,"b":2,"c":3})", R"({"b":1,"a":2})",
                           R"( {"a":1,"b":2})", R"({"a":1,"b":2} )", R"({"a": 1,"b":2})", R"({"a":1, "b":2})",
                           R"({"a":1,"b":})", R"({"a":,"b":2})", R"({"a":1,"b":2)", R"({"a":1,"b")", R"({"a":1,"b":)",
                           R"({"a":1"b":2})", R"(["a":1,"b":2])", R"({"a":1,"b":2]})"}) {
    EXPECT_FALSE(plain.split(line, values)) << line;
  }
  // What follows the line is none of it.
  EXPECT_FALSE(plain.split(std::string_view(good).substr(0, good.size() - 1), values));
  EXPECT_FALSE(plain.split(std::string_view("{\"a\":1,\"b\":\"x\n\"}").substr(0, 13), values));
}

TEST(PlainLine, TakesNumbersThatAreSurelyInRange) {
  const std::string digits(99, '7');
  for (const char* number : {"0", "-0", "7", "-12", "123456789012345678", "0.0", "-0.5", "1.25e-05", "1E5", "1e+99"}) {
    EXPECT_TRUE(takes(number)) << number;
  }
  EXPECT_TRUE(takes("0." + digits + "e-99"));
  for (const char* number : {"-",     "+1",    "01",    "-01",   ".5",
                             "1.",    "1.e5",  "1e",    "1e+",   "1e100",
                             "1e001", "0x1",   "1-",    "NaN",   "1234567890123456789",
                             "--1",   "1.2.3", "1e5.0", "1e5e5", "Infinity",
                             "1 "}) {
    EXPECT_FALSE(takes(number)) << number;
  }
  EXPECT_FALSE(takes("0." + digits + "7"));
}

TEST(PlainLine, TakesWordsAndTextsThatStandForThemselves) {
  for (const char* value : {"true", "false", "null", "\"\"", "\"~ '/\""}) EXPECT_TRUE(takes(value)) << value;
  for (const char* value : {"tru", "nul", "truefalse", "True", "\"\\n\"", "\"\\\"\"", "\"\t\"", "\"\xc3\xa4\"",
                            "\"\xff\"", "\"\x7f\"", "\"a", "a\"", "[1]", "{}", "\"\"\""}) {
    EXPECT_FALSE(takes(value)) << value;
  }
  EXPECT_FALSE(takes(std::string("\"\0\"", 3)));
}

TEST(PlainLine, LeavesLinesOfNamesThatNeedEscapes) {
  std::vector<std::string_view> values;
  for (const char* name : {"a\"b", "a\\b", "a\nb", "\xc3\xa4"}) {
    const std::string line = "{\"" + std::string(name) + "\":1}";
    EXPECT_FALSE(PlainLine(ColumnNames({name})).split(line, values)) << line;
  }
}

TEST(PlainValue, HasTheKindOfItsText) {
  std::pmr::monotonic_buffer_resource memory;
  const std::vector<std::pair<const char*, Kind>> cases{{"-12", Kind::integer},
                                                        {"999999999999999999", Kind::integer},
                                                        {"0.1000000000000001", Kind::real},
                                                        {"1e-05", Kind::real},
                                                        {"\"12\"", Kind::text},
                                                        {"true", Kind::json},
                                                        {"false", Kind::json},
                                                        {"null", Kind::none}};
  for (const auto& [text, kind] : cases) {
    const DatabaseValue value = plain_value(text, memory);
    EXPECT_EQ(value.kind(), kind) << text;
    EXPECT_EQ(value.to_json(), text);
  }
}

}  // namespace
}  // namespace crossgrid
