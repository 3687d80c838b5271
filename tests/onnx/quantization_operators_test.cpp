#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

OnnxTensor signed_bytes(Extents dims, Integers values) {
  return integers(std::move(dims), std::move(values), ElementType::int8);
}

TEST(QuantizeLinear, RoundsTiesToEvenAndKeepsToTheRange) {
  const OnnxTensor x = reals({7}, {0.25, 0.75, 1.25, -0.25, -1000, 1e30, NAN});
  EXPECT_THAT(run("QuantizeLinear", {x, reals({}, {0.5}), signed_bytes({}, {1})}).as_integers(),
              ElementsAre(1, 3, 3, 1, -128, 127, 1));
  EXPECT_EQ(run("QuantizeLinear", {x, reals({}, {0.5})}).type(), ElementType::uint8);
}

TEST(QuantizeLinear, HasScalesAlongAnAxis) {
  const OnnxTensor x = reals({2, 2}, {1, 2, 3, 4}), scales = reals({2}, {1, 0.5}), zeros = signed_bytes({2}, {0, 10});
  const OnnxTensor by_row = run("QuantizeLinear", {x, scales, zeros}, {{"axis", std::int64_t{0}}});
  EXPECT_THAT(by_row.as_integers(), ElementsAre(1, 2, 16, 18));
  EXPECT_EQ(run("DequantizeLinear", {by_row, scales, zeros}, {{"axis", std::int64_t{-2}}}).as_reals(), x.as_reals());
  EXPECT_THAT(run("QuantizeLinear", {x, scales, zeros}).as_integers(), ElementsAre(1, 14, 3, 18));
  EXPECT_THAT(problem("QuantizeLinear", {x, reals({3}, {1, 1, 1})}),
              HasSubstr("node 'n' (QuantizeLinear): has scales or zero points of 3 for 2 x 2"));
  EXPECT_THAT(problem("QuantizeLinear", {x, scales, signed_bytes({1}, {0})}),
              HasSubstr("input 2 (zero point) is 1, expected 2"));
  EXPECT_THAT(problem("QuantizeLinear", {x, scales, integers({2}, {0, 0})}), HasSubstr("quantizes to int64"));
}

TEST(QuantizedProducts, AreThoseOfTheirNumbersLessTheZeroPoints) {
  const OnnxTensor a = integers({1, 2}, {3, 5}, ElementType::uint8), b = signed_bytes({2, 1}, {-1, 4});
  const OnnxTensor three = integers({}, {3}, ElementType::uint8), one = signed_bytes({}, {1});
  const OnnxTensor product = run("MatMulInteger", {a, b, three, one});
  EXPECT_EQ(product.type(), ElementType::int32);
  EXPECT_THAT(product.as_integers(), ElementsAre(6));  // 0 * -2 + 2 * 3
  const OnnxTensor half = reals({}, {0.5}), quarter = reals({}, {0.25});
  EXPECT_THAT(run("QLinearMatMul", {a, half, three, b, half, one, quarter, three}).as_integers(), ElementsAre(9));
  // Padding is the zero point.
  const OnnxTensor x = integers({1, 1, 2}, {3, 5}, ElementType::uint8), w = signed_bytes({1, 1, 2}, {2, 3});
  EXPECT_THAT(run("ConvInteger", {x, w, three, one}, {{"pads", Integers{1, 1}}}).as_integers(), ElementsAre(0, 4, 2));
  const OnnxTensor bias = integers({1}, {-2}, ElementType::int32);
  EXPECT_THAT(run("QLinearConv", {x, half, three, w, half, one, quarter, three, bias}).as_integers(), ElementsAre(5));
  EXPECT_THAT(problem("MatMulInteger", {a, reals({2, 1}, {1, 2})}),
              HasSubstr("input 1 holds float, expected integers"));
}

}  // namespace
}  // namespace crossgrid
