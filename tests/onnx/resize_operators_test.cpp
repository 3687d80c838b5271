#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const OnnxTensor none = reals({0}, {});

OnnxTensor resize_to(const OnnxTensor& x, Integers sizes, const std::string& mode, const std::string& coordinates) {
  return run("Resize", {x, none, none, list(std::move(sizes))},
             {{"mode", mode}, {"coordinate_transformation_mode", coordinates}}, 13);
}

/// 10 r + c
OnnxTensor ramp(std::int64_t rows, std::int64_t columns) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < rows * columns; ++k)
    values.push_back(static_cast<double>(10 * (k / columns) + k % columns));
  return doubles({rows, columns}, values);
}

TEST(Resize, MakesARampOfARamp) {
  const auto found = resize_to(ramp(3, 4), {5, 7}, "linear", "align_corners").as_reals();
  for (std::size_t k = 0; k < found.size(); ++k) {
    EXPECT_NEAR(found[k], 5.0 * static_cast<double>(k / 7) + 0.5 * static_cast<double>(k % 7), 1e-6);
  }
  // Cubic convolution with -0.5 does too, away from the edges.
  const auto half = run("Resize", {ramp(1, 8), none, none, list({1, 16})},
                        {{"mode", std::string("cubic")}, {"cubic_coeff_a", -0.5F}}, 13)
                        .as_reals();
  for (std::size_t k = 5; k < 11; ++k) EXPECT_NEAR(half[k], 0.5 * static_cast<double>(k) - 0.25, 1e-6);
  const auto linear = resize_to(ramp(1, 4), {1, 8}, "linear", "half_pixel").as_reals();
  EXPECT_THAT(linear, ElementsAre(0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3));
}

TEST(Resize, MovesPlacesToTheNearest) {
  const auto nearest = [](const std::string& rounding, const std::string& coordinates, float scale) {
    return run("Resize", {places({4}), none, reals({1}, {scale})},
               {{"nearest_mode", rounding}, {"coordinate_transformation_mode", coordinates}}, 13)
        .as_integers();
  };
  EXPECT_THAT(nearest("round_prefer_floor", "asymmetric", 2), ElementsAre(0, 0, 1, 1, 2, 2, 3, 3));
  EXPECT_THAT(nearest("round_prefer_ceil", "asymmetric", 2), ElementsAre(0, 1, 1, 2, 2, 3, 3, 3));
  EXPECT_THAT(nearest("floor", "half_pixel", 1.5F), ElementsAre(0, 0, 1, 1, 2, 3));
  EXPECT_THAT(nearest("ceil", "half_pixel", 1.5F), ElementsAre(0, 1, 2, 2, 3, 3));
  EXPECT_THAT(nearest("round_prefer_floor", "half_pixel", 0.5F), ElementsAre(0, 2));
  EXPECT_THAT(nearest("floor", "tf_half_pixel_for_nn", 0.5F), ElementsAre(1, 3));
}

// 10 * 0.7f is below 7 and 3 / 0.6f below 5, but not in floats.
TEST(Resize, CountsInFloats) {
  EXPECT_EQ(run("Resize", {places({10}), none, reals({1}, {0.7F})}, {}, 13).size(), 7);
  EXPECT_EQ(run("Resize", {places({10}), reals({1}, {0.6F})}, {}, 10).as_integers()[3], 5);
}

TEST(Resize, CropsAndFillsWhatIsOutside) {
  const auto found = run("Resize", {reals({4}, {1, 2, 3, 4}), reals({2}, {-1, 1}), none, list({5})},
                         {{"mode", std::string("linear")},
                          {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                          {"extrapolation_value", 7.0F}},
                         13);
  EXPECT_THAT(found.as_reals(), ElementsAre(7, 7, 1, 2.5, 4));
}

TEST(Resize, TakesNumbersOfTheAxesThatItNames) {
  const OnnxTensor x = places({2, 1, 2});
  const Attributes two{{"axes", Integers{2, 0}}};
  EXPECT_EQ(run("Resize", {x, none, none, list({4, 2})}, two, 18).dims(), (Extents{2, 1, 4}));
  EXPECT_EQ(run("Resize", {x, none, reals({2}, {1, 2})}, two, 18).dims(), (Extents{4, 1, 2}));
  EXPECT_EQ(run("Resize", {x, none, none, list({3})}, {{"axes", Integers{-2}}}, 18).dims(), (Extents{2, 3, 2}));
  EXPECT_THAT(problem("Resize", {x, none, none, list({4, 2, 1})}, two, 18), HasSubstr("has 3 sizes, expected 2"));
  EXPECT_THAT(problem("Resize", {x, none, none, list({4})}, {{"axes", Integers{3}}}, 18), HasSubstr("axis 3"));
}

TEST(Upsample, TakesScalesFromBothPlaces) {
  const Attributes attribute{{"scales", std::vector<float>{2, 1.5F}}};
  const Integers expected{0, 0, 1, 0, 0, 1, 2, 2, 3, 2, 2, 3};
  EXPECT_EQ(run("Upsample", {places({2, 2})}, attribute, 7).as_integers(), expected);
  EXPECT_EQ(run("Upsample", {places({2, 2}), reals({2}, {2, 1.5})}, {}, 9).as_integers(), expected);
}

TEST(Resize, RefusesWhatItCannotDo) {
  const OnnxTensor x = ramp(2, 2);
  const auto with = [&](const OnnxTensor& scales, const OnnxTensor& sizes, Attributes more = {}) {
    return problem("Resize", {x, none, scales, sizes}, std::move(more), 13);
  };
  EXPECT_THAT(with(none, none), HasSubstr("small.onnx: node 'n' (Resize): needs either scales or sizes"));
  EXPECT_THAT(with(reals({1}, {2}), none), HasSubstr("has 1 scales, expected 2"));
  EXPECT_THAT(with(reals({2}, {1, 0}), none), HasSubstr("scales axis 1 of 2 values by 0"));
  EXPECT_THAT(with(reals({2}, {1, 0.4}), none), HasSubstr("expected 1 to 67108864 values"));
  EXPECT_THAT(with(reals({2}, {1e5, 1e5}), none), HasSubstr("makes 200000 x 200000"));
  EXPECT_THAT(with(reals({2}, {1e30, 1}), none), HasSubstr("scales axis 0"));
  EXPECT_THAT(with(none, list({0, 2})), HasSubstr("resizes axis 0 to 0"));
  EXPECT_THAT(with(none, list({3, 2}), {{"mode", std::string("area")}}), HasSubstr("has mode 'area'"));
  EXPECT_THAT(with(none, list({3, 2}), {{"nearest_mode", std::string("up")}}),
              HasSubstr("has nearest_mode 'up', expected one of ceil, floor"));
  EXPECT_THAT(with(none, list({3, 2}), {{"coordinate_transformation_mode", std::string("tf_crop_and_resize")}}),
              HasSubstr("has 0 numbers for its region (roi), expected 4"));
  EXPECT_THAT(with(none, list({3, 2}), {{"antialias", std::int64_t{1}}}), HasSubstr("has antialias 1"));
  EXPECT_THAT(with(none, list({3, 2}), {{"keep_aspect_ratio_policy", std::string("not_larger")}}),
              HasSubstr("has keep_aspect_ratio_policy 'not_larger', expected stretch"));
  EXPECT_THAT(problem("Resize", {places({2}), none, none, list({3})}, {{"mode", std::string("linear")}}, 13),
              HasSubstr("interpolates int64"));
}

}  // namespace
}  // namespace crossgrid
