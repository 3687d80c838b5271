#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t big = std::int64_t{1} << 62;  // more than a double tells apart

TEST(IndexingOperators, GatherByPlaces) {
  const OnnxTensor x = places({2, 3});
  const Attributes columns{{"axis", std::int64_t{1}}};
  EXPECT_THAT(run("Gather", {x, list({-1, 0})}, columns).as_integers(), ElementsAre(2, 0, 5, 3));
  EXPECT_EQ(run("Gather", {x, integers({}, {1})}).dims(), (Extents{3}));
  EXPECT_THAT(run("GatherElements", {x, integers({2, 1}, {2, -3})}, columns).as_integers(), ElementsAre(2, 3));
  EXPECT_THAT(run("GatherND", {x, integers({2, 2}, {0, 1, 1, -1})}).as_integers(), ElementsAre(1, 5));
  EXPECT_THAT(run("GatherND", {x, integers({2, 1}, {1, -2})}, {{"batch_dims", std::int64_t{1}}}).as_integers(),
              ElementsAre(1, 4));
  EXPECT_EQ(run("Gather", {places({0, 3}), integers({0}, {})}).dims(), (Extents{0, 3}));
  EXPECT_THAT(problem("Gather", {x, list({2})}), HasSubstr("has index 2, expected -2 to 1"));
  EXPECT_THAT(problem("Gather", {x, reals({1}, {0})}), HasSubstr("expected integers"));
  EXPECT_THAT(problem("Gather", {integers({}, {1}), list({0})}), HasSubstr("has axis 0"));
  EXPECT_THAT(problem("GatherElements", {x, places({3, 1})}, columns), HasSubstr("indices of 3 x 1 into 2 x 3"));
  EXPECT_THAT(problem("GatherND", {x, integers({1, 3}, {0, 0, 0})}), HasSubstr("rows of 1 to 2"));
  EXPECT_THAT(problem("GatherND", {x, list({0})}, {{"batch_dims", std::int64_t{1}}}), HasSubstr("batch_dims 1"));
}

TEST(IndexingOperators, ScatterInsteadOfValuesOrOntoThem) {
  const OnnxTensor x = list({big + 1, 1, 2});
  EXPECT_THAT(run("ScatterElements", {x, list({-1, 1}), list({7, big + 3})}).as_integers(),
              ElementsAre(big + 1, big + 3, 7));
  EXPECT_THAT(run("ScatterND", {x, integers({2, 1}, {0, 0}), list({2, 3})}, {{"reduction", "add"}}).as_integers(),
              ElementsAre(big + 6, 1, 2));
  EXPECT_THAT(
      run("ScatterElements", {reals({2}, {2, 3}), list({1, 1}), reals({2}, {4, 5})}, {{"reduction", "mul"}}).as_reals(),
      ElementsAre(2, 60));
  const auto extreme = [&](const char* which) {
    return run("ScatterElements", {x, list({0, 1, 2}), list({big, 5, 2})}, {{"reduction", which}}, 18).as_integers();
  };
  EXPECT_THAT(extreme("max"), ElementsAre(big + 1, 5, 2));
  EXPECT_THAT(extreme("min"), ElementsAre(big, 1, 2));
  EXPECT_THAT(problem("ScatterElements", {x, list({0}), list({1, 2})}), HasSubstr("updates is 2, expected 1"));
  EXPECT_THAT(problem("ScatterND", {x, integers({1, 1}, {3}), list({1})}), HasSubstr("has index 3"));
  EXPECT_THAT(problem("ScatterND", {x, integers({1, 1}, {0}), list({1})}, {{"reduction", "xor"}}),
              HasSubstr("reduction 'xor'"));
}

TEST(IndexingOperators, ChooseByConditionsSequencesAndTriangles) {
  const OnnxTensor x = places({2, 3}), condition = OnnxTensor::of_booleans({2}, {0, 1});
  EXPECT_THAT(run("Compress", {x, condition}).as_integers(), ElementsAre(1));
  EXPECT_THAT(run("Compress", {x, condition}, {{"axis", std::int64_t{1}}}).as_integers(), ElementsAre(1, 4));
  EXPECT_THAT(problem("Compress", {places({1}), condition}), HasSubstr("at most 1"));
  const Attributes rows{{"batch_axis", std::int64_t{0}}, {"time_axis", std::int64_t{1}}};
  EXPECT_THAT(run("ReverseSequence", {x, list({2, 3})}, rows).as_integers(), ElementsAre(1, 0, 2, 5, 4, 3));
  EXPECT_THAT(problem("ReverseSequence", {x, list({2, 4})}, rows), HasSubstr("sequence of 4, expected 0 to 3"));
  EXPECT_THAT(run("Trilu", {places({2, 2})}, {{"upper", std::int64_t{0}}}).as_integers(), ElementsAre(0, 0, 2, 3));
  EXPECT_THAT(run("Trilu", {x, list({1})}).as_integers(), ElementsAre(0, 1, 2, 0, 0, 5));
  EXPECT_THAT(run("NonZero", {x}).as_integers(), ElementsAre(0, 0, 1, 1, 1, 1, 2, 0, 1, 2));
}

TEST(IndexingOperators, MarkPlacesWithOneHot) {
  const OnnxTensor marks = list({big + 1, big + 2});
  EXPECT_THAT(run("OneHot", {list({-1, 5}), list({2}), marks}).as_integers(),
              ElementsAre(big + 1, big + 2, big + 1, big + 1));
  EXPECT_THAT(run("OneHot", {list({0, 1}), list({3}), marks}, {{"axis", std::int64_t{0}}}).dims(), ElementsAre(3, 2));
  EXPECT_THAT(problem("OneHot", {list({0}), list({-1}), marks}), HasSubstr("expected extents from 0 on"));
  EXPECT_THAT(problem("OneHot", {list({0}), list({big}), marks}), HasSubstr("at most"));
}

TEST(IndexingOperators, SortTheBestValuesWithTheirPlaces) {
  const OnnxTensor x = reals({2, 3}, {1, 3, 3, std::numeric_limits<double>::quiet_NaN(), -1, 0});
  const auto best = run_all("TopK", {x, list({2})}, {}, 11, 2);
  EXPECT_THAT(best.at(1).as_integers(), ElementsAre(1, 2, 0, 2));
  const auto smallest = run_all("TopK", {list({big + 1, big}), list({2})}, {{"largest", std::int64_t{0}}}, 11, 2);
  EXPECT_THAT(smallest.at(0).as_integers(), ElementsAre(big, big + 1));
  EXPECT_THAT(run("TopK", {x}, {{"k", std::int64_t{1}}, {"axis", std::int64_t{0}}}, 7).dims(), ElementsAre(1, 3));
  EXPECT_THAT(problem("TopK", {x, list({4})}), HasSubstr("best 4 values along an axis of 3"));
}

TEST(IndexingOperators, ListDifferentValuesOnce) {
  const OnnxTensor x = list({2, 1, 1, 3});
  const auto sorted = run_all("Unique", {x}, {}, 11, 4);
  EXPECT_THAT(sorted.at(0).as_integers(), ElementsAre(1, 2, 3));
  EXPECT_THAT(sorted.at(1).as_integers(), ElementsAre(1, 0, 3));
  EXPECT_THAT(sorted.at(2).as_integers(), ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(sorted.at(3).as_integers(), ElementsAre(2, 1, 1));
  const auto found = run_all("Unique", {x}, {{"sorted", std::int64_t{0}}}, 11, 4);
  EXPECT_THAT(found.at(0).as_integers(), ElementsAre(2, 1, 3));
  EXPECT_THAT(found.at(2).as_integers(), ElementsAre(0, 1, 1, 2));
  EXPECT_EQ(run("Unique", {places({0, 3})}, {{"axis", std::int64_t{0}}}).dims(), (Extents{0, 3}));
}

}  // namespace
}  // namespace crossgrid
