#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Softmax, IsOverAllAxesFromOneOnBeforeOpset13) {
  const OnnxTensor x = reals({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_THAT(run("Softmax", {x}, {}, 13).as_reals(), ElementsAre(0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(run("Softmax", {x}, {}, 11).as_reals(), ElementsAre(0.25, 0.25, 0.25, 0.25));
  EXPECT_THAT(run("Hardmax", {reals({2, 2}, {3, 3, 1, 2})}, {{"axis", std::int64_t{0}}}, 13).as_reals(),
              ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(problem("Softmax", {x}, {{"axis", std::int64_t{3}}}), HasSubstr("has axis 3, expected -3 to 2"));
  const auto logs = run("LogSoftmax", {doubles({2}, {1000, 1001})}, {}, 13).as_reals();
  EXPECT_NEAR(logs[0], -1 - std::log1p(std::exp(-1.0)), 1e-12);
}

const OnnxTensor two = reals({1, 2, 2}, {1, 3, -2, 2});
const OnnxTensor ones = reals({2}, {1, 1}), zeros = reals({2}, {0, 0});

TEST(BatchNormalization, TrainsFromOpset14OnOnly) {
  const Attributes training{{"training_mode", std::int64_t{1}}, {"epsilon", 0.0F}, {"momentum", 0.75F}};
  const auto found = run_all("BatchNormalization", {two, ones, zeros, ones, ones}, training, 15, 3);
  EXPECT_THAT(found[0].as_reals(), ElementsAre(-1, 1, -1, 1));
  EXPECT_THAT(found[1].as_reals(), ElementsAre(0.75 + 0.25 * 2, 0.75));
  EXPECT_THAT(found[2].as_reals(), ElementsAre(1, 0.75 + 0.25 * 4));
  EXPECT_THAT(problem("BatchNormalization", {two, ones, zeros, ones, ones}, {}, 9, 5),
              HasSubstr("has 5 outputs, which only training has"));
  EXPECT_THAT(problem("BatchNormalization", {two, ones, zeros, ones, ones}, {{"spatial", std::int64_t{0}}}, 7),
              HasSubstr("has spatial 0"));
  EXPECT_THAT(problem("BatchNormalization", {two, reals({1}, {1}), zeros, ones, ones}),
              HasSubstr("input 1 is 1, expected 2"));
}

TEST(Normalizations, RefuseWhatDoesNotFit) {
  EXPECT_THAT(problem("InstanceNormalization", {ones, ones, ones}),
              HasSubstr("input 0 is 2, expected batch x channels"));
  EXPECT_THAT(problem("LayerNormalization", {two, reals({3}, {1, 1, 1})}, {}, 17), HasSubstr("do not fit"));
  EXPECT_THAT(problem("LayerNormalization", {two, reals({2, 2, 2}, {1, 1, 1, 1, 1, 1, 1, 1})}, {}, 17),
              HasSubstr("larger than input 0"));
  EXPECT_THAT(problem("LRN", {two}), HasSubstr("has size 0"));
  EXPECT_THAT(problem("LpNormalization", {two}, {{"p", std::int64_t{3}}}), HasSubstr("has p 3"));
  EXPECT_THAT(problem("MeanVarianceNormalization", {two}), HasSubstr("has axis 3"));
}

TEST(GroupNormalization, IsByGroupsOfChannels) {
  const OnnxTensor x = doubles({1, 4, 2}, {1, 2, 3, 4, 10, 10, 30, 30});
  const OnnxTensor scale = doubles({4}, {1, 2, 1, 1}), shift = doubles({4}, {0, 0, 0, 5});
  const Attributes halves{{"num_groups", std::int64_t{2}}, {"epsilon", 0.0F}};
  const std::vector<double> found = run("GroupNormalization", {x, scale, shift}, halves, 21).as_reals();
  const double unit = 1 / std::sqrt(1.25);  // of 1, 2, 3, 4
  const std::vector<double> expected{-1.5 * unit, -0.5 * unit, 2 * 0.5 * unit, 2 * 1.5 * unit, -1, -1, 6, 6};
  for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(found[k], expected[k], 1e-14) << k;
  EXPECT_THAT(problem("GroupNormalization", {x, scale, shift}, halves, 18), HasSubstr("of an opset before 21"));
  EXPECT_THAT(problem("GroupNormalization", {x, scale, shift}, {{"num_groups", std::int64_t{3}}}, 21),
              HasSubstr("3 groups (num_groups) of 4 channels"));
}

TEST(LpNormalization, LeavesZerosAsTheyAre) {
  EXPECT_THAT(run("LpNormalization", {doubles({2, 2}, {3, -4, 0, 0})}).as_reals(), ElementsAre(0.6, -0.8, 0, 0));
}

TEST(Lrn, SeesTheChannelsBesideEach) {
  const OnnxTensor x = doubles({1, 3, 1}, {1, 2, 3});
  const Attributes wide{{"size", std::int64_t{2}}, {"alpha", 2.0F}, {"beta", 1.0F}, {"bias", 0.0F}};
  // Of an even number, the odd one is behind.
  EXPECT_THAT(run("LRN", {x}, wide).as_reals(), ElementsAre(1. / 5, 2. / 13, 3. / 9));
}

}  // namespace
}  // namespace crossgrid
