#include "crossgrid/base/json.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstring>
#include <limits>
#include <locale>
#include <random>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

std::string problem(std::string_view text) {
  try {
    parse_json(text, "a.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "";
}

/// A locale that writes numbers as Germans do, whether or not de_DE.UTF-8 is installed.
struct GermanNumbers : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

class InGermany {
 public:
  InGermany() : before_(std::locale::global(std::locale(std::locale(), new GermanNumbers))) {
    std::setlocale(LC_ALL, "de_DE.UTF-8");
  }
  ~InGermany() {
    std::setlocale(LC_ALL, "C");
    std::locale::global(before_);
  }

 private:
  std::locale before_;
};

TEST(Json, ReadsValuesAndKeepsTheOrderOfKeys) {
  const std::string text = R"({"z":1,"a":[true,null,-2,1.5,"\u00e4\n"],"m":{}})";
  EXPECT_EQ(parse_json(text, "a.json").dump(), "{\"z\":1,\"a\":[true,null,-2,1.5,\"ä\\n\"],\"m\":{}}");
}

TEST(Json, NamesLineAndColumnOfASyntaxError) {
  EXPECT_TRUE(problem("{\"a\": 1,\n \"b\": }").starts_with("a.json:2:7: not valid JSON: "))
      << problem("{\"a\": 1,\n \"b\": }");
  EXPECT_TRUE(problem("{\"ä\": x}").starts_with("a.json:1:7: ")) << problem("{\"ä\": x}");
  EXPECT_EQ(problem("[1, 2").substr(0, 11), "a.json:1:6:") << problem("[1, 2");
}

TEST(Json, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(problem("{\"a\": 1,\n  \"a\": 2}"), "a.json:2:3: key \"a\" is there twice in one object");
  EXPECT_EQ(problem(R"({"a\"b": 1, "a\"b": 2})"), "a.json:1:13: key \"a\"b\" is there twice in one object");
  EXPECT_EQ(problem(R"([{"a": {"b": 1}}, {"a": {"b": 1}}])"), "");
}

TEST(Json, RefusesWhatIsNotStrictJson) {
  for (const char* text :
       {"", "  ", "NaN", "[Infinity]", "{\"a\": nan}", "[1,]", "{\"a\": 1,}", "// comment\n1", "/* c */ 1", "1 2",
        "{} x", "[01]", "[.5]", "[+1]", "['a']", "{a: 1}", "[1e999]", "\"\xff\"", "\"\t\""}) {
    EXPECT_TRUE(problem(text).starts_with("a.json:1:")) << text << " -> " << problem(text);
  }
  EXPECT_NE(problem("\xEF\xBB\xBF{}").find("byte-order mark"), std::string::npos);
}

TEST(Json, BoundsDepthAndSize) {
  EXPECT_EQ(problem(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_EQ(problem(std::string(65, '[') + std::string(65, ']')), "a.json:1:65: nested deeper than 64 levels");
  EXPECT_NE(problem(std::string(200000, '[')), "");
  EXPECT_EQ(problem(std::string((64u << 20) + 1, ' ')), "a.json: larger than 64 MiB");
}

TEST(Json, ReadsNumbersInAnyLocale) {
  const InGermany here;
  const Json value = parse_json("[0.5, 1234567.25, 1e-05]", "a.json");
  EXPECT_EQ(value.at(0).get<double>(), 0.5);
  EXPECT_EQ(value.at(1).get<double>(), 1234567.25);
  EXPECT_EQ(value.at(2).get<double>(), 1e-5);
}

TEST(Json, AMissingFileIsNamedWithTheReason) {
  try {
    read_json_file("/no/such/file.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "/no/such/file.json: can't be read: No such file or directory");
  }
  EXPECT_THROW(read_json_file("/"), Error);
}

TEST(ShortestNumber, IsShortAndIndependentOfTheLocale) {
  const InGermany here;
  EXPECT_EQ(shortest_number(0.1), "0.1");
  EXPECT_EQ(shortest_number(1e-5), "1e-05");
  EXPECT_EQ(shortest_number(256), "256");
  EXPECT_EQ(shortest_number(12345.5), "12345.5");
}

TEST(ShortestNumber, ReadsBackToTheSameBits) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    double value = 0;
    const std::uint64_t bits = random();
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) {
      ASSERT_EQ(parse_json(shortest_number(value), "number").get<double>(), value);
    }
  }
}

TEST(NearestName, FindsTheWordThatWasMeantAndNoOther) {
  const std::vector<std::string> names{"adc.bits", "adc.model", "adc.range", "dac.bits", "core.style"};
  EXPECT_EQ(nearest_name("adc.bitz", names), "adc.bits");
  EXPECT_EQ(nearest_name("adc.modle", names), "adc.model");
  EXPECT_EQ(nearest_name("corestyle", names), "core.style");
  EXPECT_EQ(nearest_name("temperature", names), "");
  EXPECT_EQ(nearest_name("xy", {"ab"}), "");
}

}  // namespace
}  // namespace crossgrid
