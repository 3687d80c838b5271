#include "crossgrid/app/plot_scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "crossgrid/app/html_text.hpp"

namespace crossgrid {
namespace {

DatabaseValue word(std::string_view text) {
  return {DatabaseValue::Kind::text, text};
}

std::vector<DatabaseValue> numbers(const std::vector<double>& list) {
  std::vector<DatabaseValue> values;
  for (const double number : list) values.emplace_back(number);
  return values;
}

TEST(AxisScale, EqualDifferencesAndEqualRatiosAreEqualDistances) {
  for (const auto& list : {std::vector<double>{2, 4, 6, 8}, {16, 32, 64, 128}, {1e-3, 1e-1, 1e1, 1e3}}) {
    const AxisScale scale = axis_scale(numbers(list));
    ASSERT_EQ(scale.places.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(scale.places[i], static_cast<double>(i) / 3, 1e-12);
    EXPECT_TRUE(scale.breaks.empty());
  }
  EXPECT_NEAR(axis_scale(numbers({0, 1, 4})).places[1], 0.25, 1e-12) << "too few for a logarithm";
}

TEST(AxisScale, WordsAndALogarithmsZeroStandApart) {
  std::vector<DatabaseValue> values = numbers({0, 1, 10, 100});
  values.push_back(word("unlimited"));
  const AxisScale scale = axis_scale(values);
  ASSERT_EQ(scale.breaks.size(), 2u);
  EXPECT_TRUE(std::is_sorted(scale.places.begin(), scale.places.end()));
  EXPECT_GT(scale.breaks[0], scale.places[0]);
  EXPECT_LT(scale.breaks[0], scale.places[1]);
  EXPECT_GT(scale.breaks[1], scale.places[3]);
  EXPECT_LT(scale.breaks[1], scale.places[4]);
  EXPECT_NEAR(scale.places[2] - scale.places[1], scale.places[3] - scale.places[2], 1e-12);
  EXPECT_EQ(scale.ticks[4].label, "unlimited");
  EXPECT_EQ(axis_scale({word("a")}).places, std::vector<double>{0.5});
}

TEST(AxisScale, ValuesAreDrawnNumbersFirstNoLimitLast) {
  std::vector<DatabaseValue> values{word("unlimited"),  DatabaseValue(), word("b"),
                                    DatabaseValue(8.0), word("a"),       DatabaseValue(std::int64_t{4})};
  std::sort(values.begin(), values.end(), drawn_before);
  std::string order;
  for (const DatabaseValue& value : values) order += value.plain() + ";";
  EXPECT_EQ(order, "4;8;a;b;unlimited;;");
}

TEST(NumberScale, TicksAreRoundAndWhereTheirNumbersAre) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-3, 3);
  for (int round = 0; round < 500; ++round) {
    const double low = uniform(random) * std::pow(10, std::floor(uniform(random)));
    const double high = low + std::pow(10, uniform(random));
    const NumberScale scale(std::vector<double>{high, low});
    EXPECT_NEAR(scale.place(low), 0, 1e-9);
    EXPECT_NEAR(scale.place(high), 1, 1e-9);
    EXPECT_GE(scale.ticks().size(), 2u) << low << " " << high;
    EXPECT_LE(scale.ticks().size(), 9u) << low << " " << high;
    for (const Tick& tick : scale.ticks()) {
      EXPECT_GE(tick.place, -1e-6);
      EXPECT_LE(tick.place, 1 + 1e-6);
      EXPECT_NEAR(scale.place(std::stod(tick.label)), tick.place, 1e-4);
    }
  }
  EXPECT_NEAR(NumberScale(std::vector<double>{1, 1e6}).place(1e3), 0.5, 1e-12) << "logarithmic";
  EXPECT_NEAR(NumberScale(std::vector<double>{2, 2}).place(2), 0.5, 1e-12);
  EXPECT_NEAR(NumberScale(std::vector<double>{0}).place(0), 0.5, 1e-12);
  std::vector<std::string> labels;
  const NumberScale around_zero(std::vector<double>{-10, 70});
  for (const Tick& tick : around_zero.ticks()) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"0", "20", "40", "60"}));
}

TEST(HtmlText, EscapesAllThatMeansSomething) {
  EXPECT_EQ(html_text("<a href=\"x\" b='&'>"), "&lt;a href=&quot;x&quot; b=&#39;&amp;&#39;&gt;");
  EXPECT_EQ(html_text("ä€😀\n"), "ä€😀\n");
  const std::string unknown = "\xEF\xBF\xBD";
  EXPECT_EQ(html_text(std::string("\0\x1b\x7f", 3)), unknown + unknown + unknown);
  EXPECT_EQ(html_text("\xc2\x9b"), unknown) << "a control character of Latin-1";
  EXPECT_EQ(html_text("\xff<"), unknown + "&lt;");
  EXPECT_EQ(html_text("\xc3<"), unknown + "&lt;") << "a cut character must not swallow the next";
  EXPECT_EQ(html_text("\xe2\x82"), unknown + unknown);
  EXPECT_EQ(html_text("\xc0\xbc"), unknown + unknown) << "an overlong '<'";
}

TEST(HtmlText, ShortensByCharacters) {
  EXPECT_EQ(shortened("äöü", 3), "äöü");
  EXPECT_EQ(shortened("äöüß", 3), "äö…");
  EXPECT_EQ(shortened("", 3), "");
}

}  // namespace
}  // namespace crossgrid
