#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ShapeOperators, ReshapeWithZerosAndAnOpenExtent) {
  const OnnxTensor x = places({2, 3, 4});
  EXPECT_EQ(run("Reshape", {x, list({0, -1})}).dims(), (Extents{2, 12}));
  EXPECT_EQ(run("Reshape", {places({1}), list({})}).dims(), (Extents{}));
  EXPECT_EQ(run("Reshape", {places({0, 3}), list({3, 0})}, {{"allowzero", std::int64_t{1}}}).dims(), (Extents{3, 0}));
  EXPECT_EQ(run("Reshape", {places({0, 3}), list({0, 5})}).dims(), (Extents{0, 5}));
  EXPECT_THAT(problem("Reshape", {x, list({5, -1})}), HasSubstr("makes 5 x 4 of 2 x 3 x 4, which has 24 values"));
  EXPECT_THAT(problem("Reshape", {x, list({-1, -1})}), HasSubstr("expected extents from 0 on"));
  EXPECT_THAT(problem("Reshape", {x, list({greatest, greatest})}), HasSubstr("at most"));
  EXPECT_THAT(problem("Reshape", {x, list({1, 1, 1, 0})}), HasSubstr("keeps extent 3"));
  EXPECT_THAT(problem("Reshape", {places({0, 3}), list({0, -1})}), HasSubstr("could be any"));
}

TEST(ShapeOperators, AddRemoveAndMergeAxes) {
  const OnnxTensor x = places({1, 3, 1});
  EXPECT_EQ(run("Squeeze", {x}).dims(), (Extents{3}));
  EXPECT_EQ(run("Squeeze", {x, list({-1})}).dims(), (Extents{1, 3}));
  EXPECT_EQ(run("Squeeze", {x}, {{"axes", Integers{0}}}, 11).dims(), (Extents{3, 1}));
  EXPECT_EQ(run("Unsqueeze", {places({3}), list({-1, 0})}).dims(), (Extents{1, 3, 1}));
  EXPECT_EQ(run("Flatten", {places({2, 3, 4})}, {{"axis", std::int64_t{-1}}}).dims(), (Extents{6, 4}));
  EXPECT_EQ(run("Flatten", {places({2, 3})}, {{"axis", std::int64_t{2}}}).dims(), (Extents{6, 1}));
  EXPECT_THAT(problem("Squeeze", {x, list({1})}), HasSubstr("removes axis 1, whose extent is 3"));
  EXPECT_THAT(problem("Unsqueeze", {x, list({4})}), HasSubstr("has axis 4, expected -4 to 3"));
  EXPECT_THAT(problem("Unsqueeze", {x, places({70})}), HasSubstr("makes 73 axes, expected at most 64"));
  EXPECT_THAT(problem("Unsqueeze", {x, list({0, -5})}), HasSubstr("axis 0 twice"));
  EXPECT_THAT(problem("Flatten", {x}, {{"axis", std::int64_t{4}}}), HasSubstr("has axis 4"));
}

TEST(ShapeOperators, TellTheShape) {
  const OnnxTensor x = places({2, 3, 4});
  EXPECT_THAT(run("Shape", {x}).as_integers(), ElementsAre(2, 3, 4));
  EXPECT_THAT(run("Shape", {x}, {{"start", std::int64_t{-2}}, {"end", greatest}}).as_integers(), ElementsAre(3, 4));
  EXPECT_THAT(run("Shape", {x}, {{"start", std::int64_t{2}}, {"end", least}}).as_integers(), IsEmpty());
  EXPECT_THAT(run("Size", {x}).as_integers(), ElementsAre(24));
}

TEST(ConstantOperators, MakeRangesUpToTheLargestIntegers) {
  const auto range = [](std::int64_t start, std::int64_t limit, std::int64_t delta) {
    return run("Range", {integers({}, {start}), integers({}, {limit}), integers({}, {delta})}).as_integers();
  };
  EXPECT_THAT(range(1, 7, 3), ElementsAre(1, 4));
  EXPECT_THAT(range(5, 0, -2), ElementsAre(5, 3, 1));
  EXPECT_THAT(range(least, greatest, greatest), ElementsAre(least, -1, greatest - 1));
  EXPECT_THAT(range(greatest, least, least), ElementsAre(greatest, -1));
  EXPECT_THAT(range(3, 1, 1), IsEmpty());
  const auto number = [](double value) { return reals({}, {value}); };
  EXPECT_THAT(run("Range", {number(1), number(2), number(0.5)}).as_reals(), ElementsAre(1, 1.5));
  EXPECT_THAT(problem("Range", {number(0), number(1), number(0)}), HasSubstr("steps of 0"));
  EXPECT_THAT(problem("Range", {number(0), number(1), number(1e-30)}), HasSubstr("at most"));
  EXPECT_THAT(problem("Range", {number(0), number(std::nan("")), number(1)}), HasSubstr("at most"));
  EXPECT_THAT(problem("Range", {list({0}), list({greatest}), list({1})}), HasSubstr("at most"));
}

TEST(ConstantOperators, GiveConstantsOfEachKind) {
  EXPECT_THAT(run("Constant", {}, {{"value", list({4})}}).as_integers(), ElementsAre(4));
  EXPECT_EQ(run("Constant", {}, {{"value_float", 0.5f}}).dims(), (Extents{}));
  EXPECT_THAT(run("Constant", {}, {{"value_floats", std::vector<float>{0.5f, 2}}}).as_reals(), ElementsAre(0.5, 2));
  EXPECT_THAT(run("Constant", {}, {{"value_int", greatest}}).as_integers(), ElementsAre(greatest));
  EXPECT_THAT(run("Constant", {}, {{"value_ints", Integers{1, 2}}}).as_integers(), ElementsAre(1, 2));
  EXPECT_THAT(problem("Constant", {}), HasSubstr("has no value"));
  EXPECT_THAT(run("ConstantOfShape", {list({2})}).as_reals(), ElementsAre(0, 0));
  EXPECT_THAT(run("ConstantOfShape", {list({2})}, {{"value", list({greatest})}}).as_integers(),
              ElementsAre(greatest, greatest));
  EXPECT_THAT(problem("ConstantOfShape", {list({-1})}), HasSubstr("expected extents from 0 on"));
  EXPECT_THAT(run("EyeLike", {places({2, 2})}, {{"k", std::int64_t{-1}}}).as_integers(), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(run("EyeLike", {places({2, 2})}, {{"k", least}}).as_integers(), ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace crossgrid
