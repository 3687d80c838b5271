#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

OnnxTensor line(const std::vector<double>& values) {
  return reals({1, 1, static_cast<std::int64_t>(values.size())}, values);
}
Attributes pool(std::int64_t kernel, std::int64_t stride, Attributes more = {}) {
  more["kernel_shape"] = Integers{kernel};
  more["strides"] = Integers{stride};
  return more;
}

TEST(MaxPool, TakesWholeNumbersAndWhatIsNotANumber) {
  const OnnxTensor bytes = integers({1, 1, 4}, {200, 3, 7, 250}, ElementType::uint8);
  const OnnxTensor found = run("MaxPool", {bytes}, pool(2, 1));
  EXPECT_EQ(found.type(), ElementType::uint8);
  EXPECT_THAT(found.as_integers(), ElementsAre(200, 7, 250));
  const auto values = run("MaxPool", {line({1, NAN, 2, 3})}, pool(2, 1)).as_reals();
  EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[1]));
  EXPECT_EQ(values[2], 3);
}

TEST(MaxPool, SaysWhereItsValuesAre) {
  const OnnxTensor planes = reals({1, 2, 2, 3}, {1, 2, 9, 4, 5, 6, 7, 1, 1, 1, 8, 1});
  const Attributes by_row{{"kernel_shape", Integers{2, 2}}};
  Attributes by_column = by_row;
  by_column["storage_order"] = std::int64_t{1};
  EXPECT_THAT(run_all("MaxPool", {planes}, by_row, 15, 2)[1].as_integers(), ElementsAre(4, 2, 10, 10));
  EXPECT_THAT(run_all("MaxPool", {planes}, by_column, 15, 2)[1].as_integers(), ElementsAre(3, 4, 9, 9));
}

// The last of the windows that rounding up adds begins behind the input.
TEST(Pools, AddNoWindowBehindTheInput) {
  const Attributes up = pool(1, 2, {{"ceil_mode", std::int64_t{1}}});
  EXPECT_THAT(run("MaxPool", {line({1, 2, 3, 4})}, up).as_reals(), ElementsAre(1, 3));
  EXPECT_THAT(run("MaxPool", {line({1, 2, 3})}, pool(2, 2, {{"ceil_mode", std::int64_t{1}}})).as_reals(),
              ElementsAre(2, 3));
}

TEST(AveragePool, CountsPadsWhereAsked) {
  const Integers pads{1, 1};
  EXPECT_THAT(run("AveragePool", {line({6, 3})}, pool(3, 1, {{"pads", pads}})).as_reals(), ElementsAre(4.5, 4.5));
  EXPECT_THAT(run("AveragePool", {line({6, 3})}, pool(3, 1, {{"pads", pads}, {"count_include_pad", std::int64_t{1}}}))
                  .as_reals(),
              ElementsAre(3, 3));
  // What is behind the pads is not counted: a window that rounding up lets stick out.
  EXPECT_THAT(run("AveragePool", {line({6, 3, 9})},
                  pool(2, 2, {{"count_include_pad", std::int64_t{1}}, {"ceil_mode", std::int64_t{1}}}))
                  .as_reals(),
              ElementsAre(4.5, 9));
}

TEST(LpPool, IsTheNormOfItsWindows) {
  EXPECT_THAT(run("LpPool", {line({3, -4, 0})}, pool(2, 1)).as_reals(), ElementsAre(5, 4));
  EXPECT_THAT(run("LpPool", {line({3, -4, 0})}, pool(2, 1, {{"p", std::int64_t{1}}})).as_reals(), ElementsAre(7, 4));
  EXPECT_THAT(run("GlobalLpPool", {line({2, -2, 2, 2})}).as_reals(), ElementsAre(4));
}

TEST(Pools, RefuseWhatTheyCannotDo) {
  const OnnxTensor x = line({1, 2, 3});
  EXPECT_THAT(problem("MaxPool", {x}, pool(2, 0)), HasSubstr("small.onnx: node 'n' (MaxPool): has strides [0]"));
  EXPECT_THAT(problem("MaxPool", {x}, pool(4, 1)),
              HasSubstr("axis 2 of 3 values, padded by 0 and 0, has no room for a window of 4"));
  EXPECT_THAT(problem("MaxPool", {x}), HasSubstr("has kernel_shape [0]"));
  EXPECT_THAT(problem("MaxPool", {x}, pool(2, 1, {{"pads", Integers{2, 0}}})),
              HasSubstr("has a window that sees only padding"));
  EXPECT_THAT(problem("AveragePool", {x}, pool(std::int64_t{1} << 40, 1)),
              HasSubstr("has kernel_shape [1099511627776]"));
  EXPECT_THAT(problem("AveragePool", {x}, pool(1, 1, {{"pads", Integers{1 << 26, 1 << 26}}})),
              HasSubstr("at most 67108864 values"));
  EXPECT_THAT(problem("MaxPool", {reals({2, 3}, {1, 2, 3, 4, 5, 6})}, pool(1, 1)),
              HasSubstr("expected two axes and at least one more"));
  EXPECT_THAT(problem("GlobalMaxPool", {reals({1, 1, 0}, {})}), HasSubstr("1 x 1 x 0"));
  EXPECT_THAT(problem("LpPool", {x}, pool(1, 1, {{"p", std::int64_t{0}}})), HasSubstr("has p 0"));
  const Attributes unpool = pool(2, 2);
  EXPECT_THAT(problem("MaxUnpool", {x, integers({1, 1, 3}, {0, 6, 1})}, unpool),
              HasSubstr("index 1 is 6, expected 0 to 5"));
  EXPECT_THAT(problem("MaxUnpool", {x, integers({1, 1, 3}, {0, 5, 1}), list({1, 1, 5})}, unpool),
              HasSubstr("output_shape is 1 x 1 x 5, expected 1 x 1 x 6 or more"));
}

}  // namespace
}  // namespace crossgrid
