#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Attributes dropped{{"keepdims", std::int64_t{0}}};

TEST(ReductionOperators, ReduceTheAxesGivenEitherWay) {
  const OnnxTensor x = places({2, 3, 2});
  EXPECT_THAT(run("ReduceSum", {x, list({0, -1})}).as_integers(), ElementsAre(14, 22, 30));
  EXPECT_EQ(run("ReduceSum", {x, list({0, -1})}).dims(), (Extents{1, 3, 1}));
  EXPECT_EQ(run("ReduceSum", {x, list({1})}, dropped).dims(), (Extents{2, 2}));
  EXPECT_THAT(run("ReduceMax", {x}, {{"axes", Integers{1}}}, 11).as_integers(), ElementsAre(4, 5, 10, 11));
  EXPECT_THAT(run("ReduceSum", {x}, dropped).as_integers(), ElementsAre(66));
  EXPECT_EQ(run("ReduceSum", {x}, {{"noop_with_empty_axes", std::int64_t{1}}}).dims(), x.dims());
  EXPECT_THAT(problem("ReduceSum", {x, list({3})}), HasSubstr("has axis 3, expected -3 to 2"));
  EXPECT_THAT(problem("ReduceSum", {x, list({1, 1})}), HasSubstr("axis 1 twice"));
  EXPECT_THAT(problem("ReduceSum", {OnnxTensor::of_booleans({1}, {1})}), HasSubstr("expected integers"));
}

TEST(ReductionOperators, MakeOfNothingWhatAFoldStartsWith) {
  const OnnxTensor none = reals({2, 0}, {});
  const auto of = [&](const char* op) { return run(op, {none, list({1})}, dropped).as_reals(); };
  EXPECT_THAT(of("ReduceSum"), ElementsAre(0, 0));
  EXPECT_THAT(of("ReduceProd"), ElementsAre(1, 1));
  EXPECT_THAT(of("ReduceMax"), ElementsAre(-infinity, -infinity));
  EXPECT_THAT(of("ReduceMin"), ElementsAre(infinity, infinity));
  EXPECT_THAT(of("ReduceLogSumExp"), ElementsAre(-infinity, -infinity));
  EXPECT_EQ(run("ReduceSum", {none, list({0})}).dims(), (Extents{1, 0}));
  EXPECT_THAT(problem("ReduceMax", {integers({0}, {})}), HasSubstr("no values"));
  EXPECT_THAT(problem("ReduceMean", {integers({0}, {})}), HasSubstr("of integers"));
  EXPECT_THAT(problem("ArgMax", {none}, {{"axis", std::int64_t{1}}}), HasSubstr("no values"));
}

TEST(ReductionOperators, ComputeInDouble) {
  const OnnxTensor x = doubles({3}, {1000, 1000, -1000});
  const auto of = [&](const char* op) { return run(op, {x}, dropped).as_reals().front(); };
  EXPECT_DOUBLE_EQ(of("ReduceLogSumExp"), 1000 + std::log(2));
  EXPECT_DOUBLE_EQ(of("ReduceL1"), 3000);
  EXPECT_DOUBLE_EQ(of("ReduceL2"), std::sqrt(3e6));
  EXPECT_DOUBLE_EQ(of("ReduceLogSum"), std::log(1000));
  EXPECT_DOUBLE_EQ(of("ReduceMean"), 1000.0 / 3);
  EXPECT_DOUBLE_EQ(of("ReduceSumSquare"), 3e6);
  EXPECT_TRUE(std::isnan(run("ReduceMax", {reals({3}, {1, std::nan(""), 2})}, dropped).as_reals().front()));
  EXPECT_TRUE(std::isnan(run("ReduceMin", {reals({3}, {1, std::nan(""), 2})}, dropped).as_reals().front()));
  EXPECT_THAT(run("ReduceMean", {integers({2}, {-1, -2}, ElementType::int32)}).as_integers(), ElementsAre(-1));
  EXPECT_THAT(run("ReduceProd", {integers({2}, {100, 3}, ElementType::uint8)}).as_integers(), ElementsAre(44));
}

TEST(ReductionOperators, PlaceExtremesFirstOrLast) {
  const OnnxTensor x = reals({2, 3}, {1, 3, 3, 2, 0, 0});
  const Attributes rows{{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}};
  Attributes last = rows;
  last["select_last_index"] = std::int64_t{1};
  EXPECT_THAT(run("ArgMax", {x}, rows).as_integers(), ElementsAre(1, 0));
  EXPECT_THAT(run("ArgMax", {x}, last).as_integers(), ElementsAre(2, 0));
  EXPECT_THAT(run("ArgMin", {x}, last).as_integers(), ElementsAre(0, 2));
  EXPECT_EQ(run("ArgMax", {x}).dims(), (Extents{1, 3}));
}

TEST(ReductionOperators, SumUpAlongAnAxis) {
  const OnnxTensor x = places({2, 3});
  const Attributes both{{"exclusive", std::int64_t{1}}, {"reverse", std::int64_t{1}}};
  EXPECT_THAT(run("CumSum", {x, integers({}, {1})}).as_integers(), ElementsAre(0, 1, 3, 3, 7, 12));
  EXPECT_THAT(run("CumSum", {x, integers({}, {-2})}).as_integers(), ElementsAre(0, 1, 2, 3, 5, 7));
  EXPECT_THAT(run("CumSum", {x, integers({}, {1})}, both).as_integers(), ElementsAre(3, 2, 0, 9, 5, 0));
  EXPECT_THAT(problem("CumSum", {x, list({0, 1})}), HasSubstr("has 2 axes, expected one"));
}

}  // namespace
}  // namespace crossgrid
