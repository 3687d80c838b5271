#include "crossgrid/engine/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace crossgrid {
namespace {

// 1, 2, 3, 4: mean 5/2, variance 5/3; t(0.975, 3) = 3.182446305284263 (tables).
TEST(TrialStatistics, MatchesClosedForm) {
  const std::vector<double> values{1, 2, 3, 4};
  const TrialStatistics s = trial_statistics(values);
  EXPECT_EQ(s.n, 4u);
  EXPECT_DOUBLE_EQ(s.mean, 2.5);
  EXPECT_DOUBLE_EQ(s.std, std::sqrt(5.0 / 3));
  const double half = 3.182446305284263 * std::sqrt(5.0 / 3) / 2;
  EXPECT_NEAR(s.ci95_low, 2.5 - half, 1e-12);
  EXPECT_NEAR(s.ci95_high, 2.5 + half, 1e-12);
}

// With one degree of freedom t is a Cauchy variable: its quantile is tan(0.475 pi).
TEST(TrialStatistics, TwoTrialsHaveTheCauchyInterval) {
  const std::vector<double> values{0, 1};
  const TrialStatistics s = trial_statistics(values);
  const double half = std::tan(0.475 * M_PI) * std::sqrt(0.5) / std::sqrt(2.0);
  EXPECT_NEAR(s.ci95_high - s.mean, half, 1e-10);
}

// With two degrees of freedom F(t) = 1/2 + t / (2 sqrt(2 + t^2)): t(0.975) = 0.95 sqrt(2 / (1 - 0.95^2)).
TEST(TrialStatistics, ThreeTrialsHaveTheirClosedInterval) {
  const std::vector<double> values{0, 0, 3};
  const TrialStatistics s = trial_statistics(values);
  const double t = 0.95 * std::sqrt(2 / (1 - 0.95 * 0.95));
  EXPECT_NEAR(s.ci95_high - s.mean, t * std::sqrt(3.0) / std::sqrt(3.0), 1e-10);
}

TEST(TrialStatistics, EqualValuesHaveNoSpread) {
  for (const double value : {0.1, 0.7, 1.0 / 3, 0.983}) {
    const std::vector<double> values(7, value);
    const TrialStatistics s = trial_statistics(values);
    EXPECT_EQ(s.mean, value);
    EXPECT_EQ(s.std, 0);
    EXPECT_EQ(s.ci95_low, value);
  }
}

TEST(TrialStatistics, OneTrialHasNoSpreadToSpeakOf) {
  const std::vector<double> values{0.5};
  const TrialStatistics s = trial_statistics(values);
  EXPECT_EQ(s.mean, 0.5);
  EXPECT_TRUE(std::isnan(s.std));
  EXPECT_TRUE(std::isnan(s.ci95_low));
  EXPECT_TRUE(std::isnan(trial_statistics({}).mean));
}

TEST(TrialStatistics, LargeOffsetsDoNotCancelTheSpread) {
  const std::vector<double> values{1e9 + 1, 1e9 + 2, 1e9 + 3};
  EXPECT_NEAR(trial_statistics(values).std, 1, 1e-9);
}

TEST(BinomialError, IsThatOfAProportion) {
  EXPECT_DOUBLE_EQ(binomial_error(0.5, 100), 0.05);
  EXPECT_EQ(binomial_error(1, 100), 0);
  EXPECT_TRUE(std::isnan(binomial_error(0.5, 0)));
  EXPECT_TRUE(std::isnan(binomial_error(std::nan(""), 100)));
}

}  // namespace
}  // namespace crossgrid
