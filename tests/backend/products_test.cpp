#include "crossgrid/backend/products.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/backend/thread_team.hpp"

namespace crossgrid {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = uniform(random);
  return values;
}

Matrix random_matrix(int rows, int cols) {
  const auto values = random_values(static_cast<std::size_t>(rows) * cols, 5);
  return Eigen::Map<const Matrix>(values.data(), rows, cols);
}

/// By definition, in double: windows of all images x out_channels.
std::vector<double> plain_convolution(const ConvolutionShape& s, const std::vector<float>& source, const Matrix& w) {
  std::vector<double> result;
  for (int n = 0; n < s.images; ++n) {
    for (int y = 0; y < s.out_height(); ++y) {
      for (int x = 0; x < s.out_width(); ++x) {
        for (int o = 0; o < s.out_channels; ++o) {
          double sum = 0;
          for (int row = 0; row < s.rows(); ++row) {
            const WindowAxis &rows = s.window.vertical, &columns = s.window.horizontal;
            const int group = o / (s.out_channels / s.groups);
            const int c = group * (s.in_channels / s.groups) + row / s.window.size(), k = row % s.window.size();
            const int i = y * rows.stride - rows.before + k / columns.kernel * rows.dilation;
            const int j = x * columns.stride - columns.before + k % columns.kernel * columns.dilation;
            if (i < 0 || j < 0 || i >= s.height || j >= s.width) continue;
            const auto place = ((static_cast<std::size_t>(n) * s.height + i) * s.width + j) * s.in_channels + c;
            sum += static_cast<double>(source[place]) * w(row, o);
          }
          result.push_back(sum);
        }
      }
    }
  }
  return result;
}

const std::vector<ConvolutionShape>& shapes() {
  static const std::vector<ConvolutionShape> all{
      {4, 3, 32, 32, 16, 1, square_window(3, 1, 1)},
      {4, 16, 32, 32, 16, 1, square_window(3, 1, 1)},
      {2, 16, 16, 16, 32, 1, square_window(3, 2, 1)},
      {8, 1, 28, 28, 16, 1, square_window(3, 1, 1)},
      {3, 12, 9, 7, 10, 1, square_window(3, 1, 0)},
      {2, 11, 9, 9, 5, 1, square_window(3, 1, 1)},
      {2, 5, 11, 11, 7, 1, {{5, 2, 1, 2, 2}, {3, 2, 1, 2, 2}}},
      {4, 8, 6, 6, 24, 1, square_window(1, 1, 0)},
      // Strides, dilations and paddings of their own; groups, down to single channels.
      {2, 6, 13, 10, 9, 1, {{3, 2, 2, 1, 3}, {2, 1, 3, 0, 2}}},
      {1, 4, 1, 30, 8, 1, {{1, 1, 1, 0, 0}, {5, 3, 1, 4, 0}}},
      {2, 32, 9, 9, 32, 32, square_window(3, 1, 1)},
      {2, 20, 9, 8, 20, 20, square_window(3, 2, 1)},
      {1, 16, 7, 7, 16, 16, square_window(5, 1, 2)},
      {2, 16, 8, 8, 32, 4, square_window(3, 1, 1)},
      {1, 64, 7, 7, 64, 16, square_window(3, 1, 1)},
      {1, 12, 6, 6, 24, 12, square_window(3, 1, 1)},
      {1, 10, 6, 6, 15, 5, {{3, 1, 2, 1, 2}, {1, 2, 1, 0, 0}}}};
  return all;
}

TEST(Product, ConvolvesAsItsDefinitionSays) {
  for (const ConvolutionShape& s : shapes()) {
    const auto source = random_values(static_cast<std::size_t>(s.images) * s.height * s.width * s.in_channels, 1);
    const Matrix weights = random_matrix(s.rows(), s.out_channels);
    const auto expected = plain_convolution(s, source, weights);
    Product product(s);
    std::vector<float> result(expected.size());
    product.run(source.data(), product.pack(weights), result.data());
    for (std::size_t k = 0; k < expected.size(); ++k) ASSERT_NEAR(result[k], expected[k], 2e-5) << k;
  }
}

TEST(Product, MultipliesStridedRows) {
  const ProductShape s{5, 17, 9, 30, 12};
  const auto source = random_values(5 * 30, 2);
  const Matrix weights = random_matrix(17, 9);
  Product product(s);
  std::vector<float> result(5 * 12, -7);
  product.run(source.data() + 4, product.pack(weights), result.data());
  for (int n = 0; n < 5; ++n) {
    for (int j = 0; j < 9; ++j) {
      double sum = 0;
      for (int i = 0; i < 17; ++i)
        sum += static_cast<double>(source[static_cast<std::size_t>(4 + n * 30 + i)]) * weights(i, j);
      EXPECT_NEAR(result[static_cast<std::size_t>(n * 12 + j)], sum, 1e-5);
    }
    for (int j = 9; j < 12; ++j) EXPECT_EQ(result[static_cast<std::size_t>(n * 12 + j)], -7);
  }
}

TEST(Product, NeverRunsReferenceCode) {
  for (const ConvolutionShape& s : shapes()) {
    EXPECT_EQ(Product(s).implementation().find("ref"), std::string::npos);
  }
  EXPECT_EQ(Product(ProductShape{4, 100, 10, 576, 10}).implementation().find("ref"), std::string::npos);
}

TEST(Product, GivesTheSameBitsOnAnyThreadAndForAnyNeighbours) {
  const ConvolutionShape s = shapes()[1];
  const std::size_t image = static_cast<std::size_t>(s.height) * s.width * s.in_channels;
  const auto source = random_values(s.images * image, 1);
  const Matrix weights = random_matrix(s.rows(), s.out_channels);
  Product first(s);
  const PackedWeights packed = first.pack(weights);
  const std::size_t count = static_cast<std::size_t>(s.images) * s.out_height() * s.out_width() * s.out_channels;
  std::vector<float> expected(count);
  first.run(source.data(), packed, expected.data());
  ThreadTeam team(3);
  team.parallel_for(12, [&](std::size_t, int) {
    Product product(s);
    std::vector<float> result(count);
    product.run(source.data(), packed, result.data());
    EXPECT_EQ(result, expected);
  });
  // Other images beside image 0 must not change it.
  auto alone = source;
  std::fill(alone.begin() + static_cast<std::ptrdiff_t>(image), alone.end(), 0.0f);
  std::vector<float> result(count);
  first.run(alone.data(), packed, result.data());
  EXPECT_TRUE(std::equal(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(count / 4), expected.begin()));
}

std::vector<std::uint8_t> random_digits(std::size_t count, int largest) {
  std::mt19937 random(11);
  std::vector<std::uint8_t> digits(count);
  for (auto& d : digits) d = static_cast<std::uint8_t>(random() % static_cast<unsigned>(largest + 1));
  return digits;
}

IntegerMatrix random_integers(int rows, int cols, int largest) {
  std::mt19937 random(12);
  IntegerMatrix made(rows, cols);
  for (Eigen::Index k = 0; k < made.size(); ++k) {
    made.data()[k] =
        static_cast<std::int8_t>(static_cast<int>(random() % static_cast<unsigned>(2 * largest + 1)) - largest);
  }
  return made;
}

/// Digits and weights up to these are exact on every instruction set; the last pair only with VNNI.
constexpr std::pair<int, int> largest_values[] = {{1, 127}, {255, 1}, {15, 127}, {129, 127}, {255, 127}};

TEST(IntegerProduct, ConvolvesExactly) {
  for (const ConvolutionShape& s : shapes()) {
    if (s.groups > 1) continue;  // plans take no bytes for those
    IntegerProduct product(s);
    EXPECT_EQ(product.implementation().find("ref"), std::string::npos);
    for (const auto& [input, weight] : largest_values) {
      if (!IntegerProduct::exact(input, weight, s.rows())) continue;
      const auto digits = random_digits(static_cast<std::size_t>(s.images) * s.height * s.width * s.in_channels, input);
      const IntegerMatrix weights = random_integers(s.rows(), s.out_channels, weight);
      const auto expected =
          plain_convolution(s, std::vector<float>(digits.begin(), digits.end()), weights.cast<float>());
      std::vector<std::int32_t> result(expected.size());
      product.run(digits.data(), product.pack(weights), result.data());
      for (std::size_t k = 0; k < expected.size(); ++k) ASSERT_EQ(result[k], expected[k]) << k;
    }
  }
}

TEST(IntegerProduct, MultipliesExactlyAtTheExtremes) {
  for (const ProductShape& s :
       {ProductShape{5, 17, 9, 30, 9}, ProductShape{64, 1024, 33, 1024, 33}, ProductShape{1, 640, 10, 700, 10}}) {
    IntegerProduct product(s);
    EXPECT_EQ(product.implementation().find("ref"), std::string::npos);
    for (const auto& [input, weight] : largest_values) {
      if (!IntegerProduct::exact(input, weight, s.rows)) continue;
      // Every column of one sign somewhere, so that sums of pairs and whole sums meet their largest values.
      const auto count = static_cast<std::size_t>(s.vectors) * static_cast<std::size_t>(s.source_stride);
      for (const bool extreme : {true, false}) {
        const auto digits =
            extreme ? std::vector<std::uint8_t>(count, static_cast<std::uint8_t>(input)) : random_digits(count, input);
        IntegerMatrix weights = random_integers(s.rows, s.columns, weight);
        weights.col(0).setConstant(static_cast<std::int8_t>(weight));
        weights.col(1).setConstant(static_cast<std::int8_t>(-weight));
        std::vector<std::int32_t> result(static_cast<std::size_t>(s.vectors) * s.columns);
        product.run(digits.data(), product.pack(weights), result.data());
        for (int n = 0; n < s.vectors; ++n) {
          for (int j = 0; j < s.columns; ++j) {
            std::int64_t sum = 0;
            for (int i = 0; i < s.rows; ++i)
              sum += digits[static_cast<std::size_t>(n * s.source_stride + i)] * weights(i, j);
            ASSERT_EQ(result[static_cast<std::size_t>(n * s.columns + j)], sum) << input << " " << weight;
          }
        }
      }
    }
  }
}

TEST(IntegerProduct, IsExactOnlyWhereSumsFit) {
  const bool vnni = host_numeric_class().isa == "avx512_vnni";
  EXPECT_TRUE(IntegerProduct::exact(1, 127, 1152));
  EXPECT_TRUE(IntegerProduct::exact(129, 127, 1152));  // 2 * 129 * 127 = 32766
  EXPECT_EQ(IntegerProduct::exact(130, 127, 1152), vnni);
  EXPECT_EQ(IntegerProduct::exact(255, 127, 1152), vnni);
  EXPECT_FALSE(IntegerProduct::exact(256, 1, 10));
  EXPECT_FALSE(IntegerProduct::exact(1, 128, 10));
  EXPECT_FALSE(IntegerProduct::exact(15, 127, 2'000'000));  // 32 bits
}

}  // namespace
}  // namespace crossgrid
