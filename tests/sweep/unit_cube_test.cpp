#include "crossgrid/sweep/unit_cube.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace crossgrid {
namespace {

/// The first 16 points in 5 dimensions times 16, as scipy 1.16's qmc.Sobol(5, scramble=False) gives them; dimensions 2
/// and 3 are those of Joe and Kuo's published example.
constexpr int published[16][5] = {{0, 0, 0, 0, 0},   {8, 8, 8, 8, 8},    {12, 4, 4, 4, 12},   {4, 12, 12, 12, 4},
                                  {6, 6, 10, 14, 6}, {14, 14, 2, 6, 14}, {10, 2, 14, 10, 10}, {2, 10, 6, 2, 2},
                                  {3, 5, 15, 7, 9},  {11, 13, 7, 15, 1}, {15, 1, 11, 3, 5},   {7, 9, 3, 11, 13},
                                  {5, 3, 5, 9, 15},  {13, 11, 13, 1, 7}, {9, 7, 1, 13, 3},    {1, 15, 9, 5, 11}};

/// Whether the points are a (t, m, s)-net in base 2: every elementary interval of volume 2^(t - m) holds 2^t of them.
bool is_net(const std::vector<UnitPoint>& points, int t) {
  const int dimensions = static_cast<int>(points.front().size());
  const int m = static_cast<int>(std::lround(std::log2(points.size())));
  if (points.size() != std::size_t{1} << m) return false;
  std::vector<int> cuts(static_cast<std::size_t>(dimensions), 0);  // halvings along each dimension
  const auto evenly_filled = [&] {
    std::map<std::vector<int>, int> filled;
    for (const UnitPoint& point : points) {
      std::vector<int> cell;
      for (std::size_t d = 0; d < cuts.size(); ++d) cell.push_back(static_cast<int>(std::ldexp(point[d], cuts[d])));
      ++filled[cell];
    }
    return filled.size() == std::size_t{1} << (m - t) &&
           std::all_of(filled.begin(), filled.end(), [&](const auto& entry) { return entry.second == 1 << t; });
  };
  const auto all_ways = [&](auto&& self, std::size_t d, int left) -> bool {
    if (d + 1 == cuts.size()) {
      cuts[d] = left;
      return evenly_filled();
    }
    for (cuts[d] = 0; cuts[d] <= left; ++cuts[d]) {
      if (!self(self, d + 1, left - cuts[d])) return false;
    }
    return true;
  };
  return all_ways(all_ways, 0, m - t);
}

/// Whether each of as many strata as there are points holds one, along each dimension.
bool is_latin(const std::vector<UnitPoint>& points) {
  for (std::size_t d = 0; d < points.front().size(); ++d) {
    std::vector<int> held(points.size(), 0);
    for (const UnitPoint& point : points) {
      ++held[static_cast<std::size_t>(point[d] * static_cast<double>(points.size()))];
    }
    if (std::any_of(held.begin(), held.end(), [](int count) { return count != 1; })) return false;
  }
  return true;
}

TEST(UnitCube, SobolPointsAreThePublishedOnes) {
  const auto points = sobol_points(16, 5, std::nullopt);
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t d = 0; d < 5; ++d) EXPECT_EQ(points[i][d], published[i][d] / 16.0) << i << ' ' << d;
  }
}

TEST(UnitCube, SobolPointsAreNetsWithAndWithoutAShift) {
  // The least t of any sequence in base 2, which Sobol's reaches: 0, 0, 1, 3, 5 for 1 to 5 dimensions.
  const int least[] = {0, 0, 1, 3, 5};
  for (const std::optional<std::uint64_t> seed : {std::optional<std::uint64_t>{}, {0}, {7}, {(1ull << 53) - 1}}) {
    for (std::size_t s = 1; s <= 5; ++s) {
      EXPECT_TRUE(is_net(sobol_points(256, s, seed), least[s - 1])) << s;
    }
  }
}

TEST(UnitCube, NetsAreTold) {
  const auto points = sobol_points(257, 2, std::nullopt);
  EXPECT_FALSE(is_net({points.begin() + 1, points.end()}, 0)) << "the origin left out";
  auto other = std::vector<UnitPoint>(points.begin(), points.end() - 1);
  EXPECT_TRUE(is_net(other, 0));
  other[100][1] = std::fmod(other[100][1] + 1.0 / 256, 1.0);
  EXPECT_FALSE(is_net(other, 0)) << "one point moved by one stratum";
  EXPECT_FALSE(is_net(latin_hypercube(256, 2, 1), 0));
}

TEST(UnitCube, MoreSobolPointsBeginWithTheSame) {
  const auto few = sobol_points(100, 3, 5), many = sobol_points(1000, 3, 5);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(UnitCube, AHypercubeHoldsOnePointInEachStratum) {
  for (const std::uint64_t count : {1, 2, 7, 100, 1000}) {
    for (const std::uint64_t seed : {0, 1, 2}) EXPECT_TRUE(is_latin(latin_hypercube(count, 4, seed))) << count;
  }
  auto faulty = latin_hypercube(100, 2, 0);
  faulty[3][1] = faulty[4][1];
  EXPECT_FALSE(is_latin(faulty));
}

/// Probability that the sum of squares of the correlations is as found or larger is far above 1e-6 where the strata of
/// the dimensions are paired at random: n r^2 is then chi-squared with one degree of freedom.
TEST(UnitCube, StrataArePairedAtRandomAndPlacesInThemToo) {
  constexpr std::uint64_t count = 4000;
  const auto statistic = [](const std::vector<UnitPoint>& points, const auto& a, const auto& b) {
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (const UnitPoint& point : points) mean_a += a(point), mean_b += b(point);
    mean_a /= static_cast<double>(points.size()), mean_b /= static_cast<double>(points.size());
    for (const UnitPoint& point : points) {
      aa += (a(point) - mean_a) * (a(point) - mean_a), bb += (b(point) - mean_b) * (b(point) - mean_b);
      ab += (a(point) - mean_a) * (b(point) - mean_b);
    }
    return static_cast<double>(points.size()) * ab * ab / (aa * bb);
  };
  constexpr double alpha_1e_6 = 23.93;  // quantile of chi-squared with one degree of freedom at 1 - 1e-6
  const auto first = [](const UnitPoint& point) { return point[0]; };
  const auto second = [](const UnitPoint& point) { return point[1]; };
  const auto place = [](const UnitPoint& point) { return std::fmod(point[0] * count, 1.0); };
  const auto points = latin_hypercube(count, 2, 1);
  EXPECT_LT(statistic(points, first, second), alpha_1e_6);
  EXPECT_LT(statistic(points, first, place), alpha_1e_6);
  // A twin that pairs a tenth of the strata in order.
  auto faulty = points;
  std::vector<double> taken;
  for (std::size_t i = 0; i < count / 10; ++i) taken.push_back(faulty[i][1]);
  std::sort(taken.begin(), taken.end());
  std::sort(faulty.begin(), faulty.begin() + count / 10, [](const auto& a, const auto& b) { return a[0] < b[0]; });
  for (std::size_t i = 0; i < count / 10; ++i) faulty[i][1] = taken[i];
  EXPECT_TRUE(is_latin(faulty));
  EXPECT_GT(statistic(faulty, first, second), alpha_1e_6);
}

TEST(UnitCube, SeedsMakeOtherPoints) {
  EXPECT_NE(latin_hypercube(10, 2, 0), latin_hypercube(10, 2, 1));
  EXPECT_NE(sobol_points(10, 2, 0), sobol_points(10, 2, 1));
  EXPECT_NE(sobol_points(10, 2, 0), sobol_points(10, 2, std::nullopt));
}

/// Points are a part of what a sweep file means: these were worked out by another program (Philox4x32-10 in Python).
TEST(UnitCube, PointsNeverChange) {
  EXPECT_EQ(sobol_points(2, 2, 1), (std::vector<UnitPoint>{{0.9527507688391872, 0.9586954618335647},
                                                           {0.4527507688391872, 0.4586954618335647}}));
  EXPECT_EQ(latin_hypercube(2, 2, 1), (std::vector<UnitPoint>{{0.5447771546876886, 0.8931958341357762},
                                                              {0.4879483280472001, 0.1659329189890894}}));
}

}  // namespace
}  // namespace crossgrid
