#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MatMul, MultipliesVectorsBatchesAndWholeNumbers) {
  const OnnxTensor v = list({1, 2}), m = integers({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(run("MatMul", {v, v}).dims(), Extents{});
  EXPECT_THAT(run("MatMul", {v, v}).as_integers(), ElementsAre(5));
  EXPECT_THAT(run("MatMul", {v, m}).as_integers(), ElementsAre(7, 10));
  EXPECT_THAT(run("MatMul", {m, v}).as_integers(), ElementsAre(5, 11));
  const OnnxTensor batch =
      run("MatMul", {integers({2, 1, 1, 2}, {1, 0, 0, 1}), integers({3, 2, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(batch.dims(), (Extents{2, 3, 1, 1}));
  EXPECT_THAT(batch.as_integers(), ElementsAre(1, 3, 5, 2, 4, 6));
  const OnnxTensor bytes = integers({1}, {100}, ElementType::int32),
                   large = integers({1}, {1 << 30}, ElementType::int32);
  EXPECT_THAT(run("MatMul", {bytes, large}).as_integers(), ElementsAre(0));  // 25 * 2^32
  EXPECT_EQ(run("MatMul", {reals({1}, {1}), doubles({1}, {1})}).type(), ElementType::float64);
}

TEST(Products, RefuseWhatDoesNotFit) {
  const OnnxTensor m = reals({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(problem("MatMul", {m, m}), HasSubstr("small.onnx: node 'n' (MatMul): multiplies 2 x 3 by 2 x 3"));
  EXPECT_THAT(problem("MatMul", {m, reals({}, {1})}), HasSubstr("multiplies a scalar"));
  EXPECT_THAT(problem("MatMul", {m, integers({3, 1}, {1, 2, 3})}), HasSubstr("multiplies float by int64"));
  EXPECT_THAT(problem("Gemm", {m, m, reals({3, 2, 2}, std::vector<double>(12, 1.0))}, {{"transB", std::int64_t{1}}}),
              HasSubstr("adds 3 x 2 x 2 to 2 x 2"));
  EXPECT_THAT(problem("Gemm", {m, reals({3}, {1, 2, 3})}), HasSubstr("input 1 is 3, expected a matrix"));
  const OnnxTensor row = reals({1 << 15, 1}, std::vector<double>(1 << 15, 1.0));
  EXPECT_THAT(problem("Gemm", {row, row}, {{"transB", std::int64_t{1}}}), HasSubstr("at most 67108864 values"));
}

TEST(Einsum, SumsWhatTheOutputLeavesOut) {
  const OnnxTensor a = integers({2, 3}, {1, 2, 3, 4, 5, 6}), b = integers({3, 2}, {1, 0, 0, 1, 1, 1});
  const auto sum = [](const std::string& equation, const std::vector<OnnxTensor>& inputs) {
    return run("Einsum", inputs, {{"equation", equation}}).as_integers();
  };
  EXPECT_EQ(sum("ij,jk->ik", {a, b}), run("MatMul", {a, b}).as_integers());
  EXPECT_THAT(sum("ba", {a}), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(sum("ii", {integers({2, 2}, {1, 2, 3, 4})}), ElementsAre(5));
  EXPECT_THAT(sum("...j -> ...", {a}), ElementsAre(6, 15));
  EXPECT_THAT(sum("...,...->...", {a, integers({1}, {2})}), ElementsAre(2, 4, 6, 8, 10, 12));
  const auto refused = [&](const std::string& equation) { return problem("Einsum", {a, b}, {{"equation", equation}}); };
  EXPECT_THAT(refused("ij"), HasSubstr("expected one term for each of 2 inputs"));
  EXPECT_THAT(refused("ij,jk,k"), HasSubstr("expected one term for each of 2 inputs"));
  EXPECT_THAT(refused("ij,ij"), HasSubstr("has 3 values, expected 2"));
  EXPECT_THAT(refused("ijk,jk"), HasSubstr("input 0 is 2 x 3, expected the axes 'ijk'"));
  EXPECT_THAT(refused("i..j,jk"), HasSubstr("expected letters and at most one '...'"));
  EXPECT_THAT(refused("ij,jk->il"), HasSubstr("a label that no input has"));
  EXPECT_THAT(refused("ij,jk->ii"), HasSubstr("or one twice"));
}

}  // namespace
}  // namespace crossgrid
