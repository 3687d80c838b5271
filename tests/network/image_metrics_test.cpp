#include "crossgrid/network/image_metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "crossgrid/base/exponential.hpp"

namespace crossgrid {
namespace {

TEST(Exponential, AgreesWithTheLibrary) {
  for (double x = 0; x > -690; x = x * 1.01 - 1e-3) {
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-15) << x;
  }
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-1000), 0);
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
  for (double x = 1e-300; x < 1e300; x *= 1.37) {
    EXPECT_NEAR(portable_log(x), std::log(x), 4e-16 * std::abs(std::log(x)) + 1e-16) << x;
  }
  EXPECT_EQ(portable_log(1), 0);
}

TEST(ImageMetrics, RankLogitsWithTiesToTheSmallerIndex) {
  const std::vector<float> logits{1, 3, 3, 0, -2, 2, 1};
  EXPECT_EQ(top_k(logits.data(), 7, 1, 1), 1);
  EXPECT_EQ(top_k(logits.data(), 7, 2, 1), 0);
  EXPECT_EQ(top_k(logits.data(), 7, 2, 2), 1);
  EXPECT_EQ(top_k(logits.data(), 7, 6, 5), 1);
  EXPECT_EQ(top_k(logits.data(), 7, 3, 5), 0);
  const std::vector<float> broken{1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_TRUE(std::isnan(top_k(broken.data(), 2, 0, 1)));
  EXPECT_TRUE(std::isnan(cross_entropy(broken.data(), 2, 0)));
}

TEST(ImageMetrics, MeasureCrossEntropy) {
  const std::vector<float> logits{2, -1, 0.5f};
  const double sum = std::exp(2.0) + std::exp(-1.0) + std::exp(0.5);
  for (int label = 0; label < 3; ++label) {
    EXPECT_NEAR(cross_entropy(logits.data(), 3, label), std::log(sum) - logits[static_cast<std::size_t>(label)], 1e-15);
  }
  const std::vector<float> far{1e30f, -1e30f};
  EXPECT_EQ(cross_entropy(far.data(), 2, 0), 0);
}

TEST(ImageMetrics, MeasureRelativeErrors) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> a(1003), b(1003);
  double difference = 0, size = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    a[k] = normal(random), b[k] = normal(random);
    difference += (static_cast<double>(a[k]) - b[k]) * (static_cast<double>(a[k]) - b[k]);
    size += static_cast<double>(b[k]) * b[k];
  }
  EXPECT_NEAR(relative_error(a.data(), b.data(), a.size()), std::sqrt(difference / size), 1e-13);
  const std::vector<float> zeros(5, 0.0f);
  EXPECT_EQ(relative_error(zeros.data(), zeros.data(), 5), 0);
  EXPECT_TRUE(std::isinf(relative_error(a.data(), zeros.data(), 5)));
}

}  // namespace
}  // namespace crossgrid
