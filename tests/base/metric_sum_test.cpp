#include "crossgrid/base/metric_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

TEST(MetricSum, IsEqualToTheBitHoweverValuesAreGrouped) {
  std::mt19937_64 random(7);
  std::vector<double> values(1000);
  for (double& value : values) {
    value = std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), -60);
  }
  MetricSum whole;
  for (const double value : values) {
    whole.add(value);
  }
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::shuffle(values.begin(), values.end(), random);
    MetricSum total;
    for (std::size_t first = 0; first < values.size();) {
      MetricSum part;
      const std::size_t last = std::min(values.size(), first + 1 + random() % 100);
      for (; first < last; ++first) {
        part.add(values[first]);
      }
      total += part;
    }
    EXPECT_TRUE(total == whole);
  }
}

TEST(MetricSum, RoundsToMultiplesOfTwoToTheMinus32HalfToEven) {
  const double unit = std::ldexp(1.0, -32);
  for (const auto& [value, units] :
       std::vector<std::pair<double, int>>{{0.5, 0}, {1.5, 2}, {2.5, 2}, {-0.5, 0}, {-1.5, -2}, {0.51, 1}, {3.49, 3}}) {
    MetricSum sum;
    sum.add(value * unit);
    EXPECT_EQ(static_cast<int>(sum.sum), units) << value;
  }
}

TEST(MetricSum, ClampsAndCountsWhatIsTooLarge) {
  MetricSum sum;
  sum.add(std::ldexp(1.0, 40));
  EXPECT_EQ(sum.clamped, 0u);
  sum.add(1e300);
  sum.add(-1e300);
  EXPECT_EQ(sum.clamped, 2u);
  EXPECT_EQ(sum.count, 3u);
  EXPECT_EQ(sum.mean(), std::ldexp(1.0, 40) / 3);
}

TEST(MetricSum, CountsWhatIsNotFiniteApart) {
  MetricSum sum;
  EXPECT_TRUE(std::isnan(sum.mean()));
  sum.add(std::numeric_limits<double>::quiet_NaN());
  sum.add(-std::numeric_limits<double>::infinity());
  sum.add(0.25);
  EXPECT_EQ(sum.not_finite, 2u);
  EXPECT_EQ(sum.count, 1u);
  EXPECT_EQ(sum.mean(), 0.25);
}

TEST(MetricSum, TextOfInt128ReadsBack) {
  const Int128 largest = ~(static_cast<Int128>(1) << 126 << 1);
  EXPECT_EQ(int128_to_text(largest), "170141183460469231731687303715884105727");
  EXPECT_EQ(int128_to_text(-largest - 1), "-170141183460469231731687303715884105728");
  EXPECT_EQ(int128_to_text(0), "0");
  for (const Int128 value : {largest, -largest - 1, Int128{0}, Int128{-1}, Int128{1234567890123}}) {
    EXPECT_TRUE(int128_from_text(int128_to_text(value)) == value);
  }
}

TEST(MetricSum, RefusesTextThatIsNoInt128) {
  for (const char* text : {"", "-", "1.5", " 1", "1 ", "+1", "0x10", "170141183460469231731687303715884105728",
                           "-170141183460469231731687303715884105729"}) {
    EXPECT_THROW(int128_from_text(text), Error) << text;
  }
}

}  // namespace
}  // namespace crossgrid
