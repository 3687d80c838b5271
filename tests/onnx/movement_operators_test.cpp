#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator_fixture.hpp"

/// On integers that are places: where every value comes from can be read off the result.
namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MovementOperators, SliceBothWaysAndToTheEnds) {
  const auto slice = [](std::int64_t start, std::int64_t end, std::int64_t step) {
    return run("Slice", {places({5}), list({start}), list({end}), list({0}), list({step})}).as_integers();
  };
  EXPECT_THAT(slice(1, greatest, 1), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(slice(least, greatest, 2), ElementsAre(0, 2, 4));
  EXPECT_THAT(slice(-1, least, -1), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(slice(greatest, least, -2), ElementsAre(4, 2, 0));
  EXPECT_THAT(slice(greatest, least, least), ElementsAre(4));
  EXPECT_THAT(slice(0, greatest, greatest), ElementsAre(0));
  EXPECT_THAT(slice(3, 1, 1), IsEmpty());
  EXPECT_THAT(slice(-2, -4, -1), ElementsAre(3, 2));
  EXPECT_THAT(
      run("Slice", {places({2, 3})}, {{"starts", Integers{1}}, {"ends", Integers{3}}, {"axes", Integers{-1}}}, 9)
          .as_integers(),
      ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(run("Slice", {places({0, 3}), list({-1}), list({least}), list({0}), list({-1})}).dims(), (Extents{0, 3}));
  EXPECT_THAT(problem("Slice", {places({5}), list({0}), list({1}), list({0}), list({0})}), HasSubstr("step 0"));
  EXPECT_THAT(problem("Slice", {places({5}), list({0}), list({1}), list({1})}), HasSubstr("axis 1, expected -1 to 0"));
  EXPECT_THAT(problem("Slice", {places({5}), list({0, 0}), list({1, 1}), list({0, -1})}), HasSubstr("axis 0 twice"));
}

TEST(MovementOperators, JoinAndSplitAlongAnyAxis) {
  const OnnxTensor a = places({2, 2}), b = integers({2, 1}, {10, 11});
  const OnnxTensor whole = run("Concat", {a, b}, {{"axis", std::int64_t{-1}}});
  EXPECT_THAT(whole.as_integers(), ElementsAre(0, 1, 10, 2, 3, 11));
  const auto parts = run_all("Split", {whole, list({2, 1})}, {{"axis", std::int64_t{1}}}, 13, 2);
  EXPECT_EQ(parts.at(0).as_integers(), a.as_integers());
  EXPECT_EQ(parts.at(1).as_integers(), b.as_integers());
  EXPECT_THAT(run_all("Split", {a}, {{"split", Integers{1, 1}}}, 11, 2).at(1).as_integers(), ElementsAre(2, 3));
  EXPECT_EQ(run("Concat", {places({0, 2}), a}, {{"axis", std::int64_t{0}}}).dims(), (Extents{2, 2}));
  EXPECT_THAT(problem("Concat", {a, b}, {{"axis", std::int64_t{0}}}), HasSubstr("joins 2 x 2 and 2 x 1 along axis 0"));
  EXPECT_THAT(problem("Concat", {}, {{"axis", std::int64_t{0}}}), HasSubstr("no input 0"));
  EXPECT_THAT(problem("Split", {places({3})}, {}, 13, 2), HasSubstr("2 equal parts"));
  const Attributes counted{{"num_outputs", std::int64_t{2}}};
  EXPECT_THAT(run_all("Split", {places({5})}, counted, 18, 2).at(0).as_integers(), ElementsAre(0, 1, 2));
  EXPECT_THAT(run_all("Split", {places({5})}, counted, 18, 2).at(1).as_integers(), ElementsAre(3, 4));
  EXPECT_THAT(problem("Split", {places({2})}, {{"num_outputs", std::int64_t{4}}}, 18, 4), HasSubstr("add up"));
  EXPECT_THAT(problem("Split", {places({3}), list({greatest, 2})}, {}, 13, 2), HasSubstr("add up"));
}

TEST(MovementOperators, PadByEachMode) {
  const auto pad = [](const char* mode, Integers pads) {
    return run("Pad", {places({4}), list(std::move(pads))}, {{"mode", mode}}).as_integers();
  };
  EXPECT_THAT(pad("reflect", {3, 2}), ElementsAre(3, 2, 1, 0, 1, 2, 3, 2, 1));
  EXPECT_THAT(pad("edge", {1, 2}), ElementsAre(0, 0, 1, 2, 3, 3, 3));
  EXPECT_THAT(pad("constant", {1, -2}), ElementsAre(0, 0, 1));
  EXPECT_THAT(run("Pad", {places({1, 2}), list({1, 0, 0, 1}), list({least})}).as_integers(),
              ElementsAre(least, least, least, 0, 1, least));
  EXPECT_THAT(run("Pad", {reals({1}, {5})}, {{"pads", Integers{0, 1}}, {"value", 2.0f}}, 7).as_reals(),
              ElementsAre(5, 2));
  const auto reflected = [](Integers pads, Extents dims) {
    return problem("Pad", {places(std::move(dims)), list(std::move(pads))}, {{"mode", "reflect"}});
  };
  EXPECT_THAT(reflected({4, 0}, {4}), HasSubstr("no more to repeat"));
  EXPECT_THAT(reflected({0, 4}, {4}), HasSubstr("no more to repeat"));
  EXPECT_THAT(reflected({0, 1}, {1}), HasSubstr("no more to repeat"));
  EXPECT_THAT(problem("Pad", {places({0}), list({0, 1})}, {{"mode", "edge"}}), HasSubstr("no more to repeat"));
  EXPECT_THAT(problem("Pad", {places({4}), list({1})}), HasSubstr("has 1 pads, expected 2"));
  EXPECT_THAT(problem("Pad", {places({4}), list({greatest, 0})}), HasSubstr("pads by"));
  EXPECT_THAT(problem("Pad", {places({4}), list({-5, 0})}), HasSubstr("expected extents from 0 on"));
  EXPECT_THAT(problem("Pad", {places({4}), list({0, 0})}, {{"mode", "turn"}}), HasSubstr("mode 'turn'"));
  EXPECT_THAT(pad("wrap", {5, 2}), ElementsAre(3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
  EXPECT_THAT(problem("Pad", {places({0}), list({0, 1})}, {{"mode", "wrap"}}), HasSubstr("no more to repeat"));
  const auto named = [&](Integers pads, Integers axes) {
    return std::vector{places({2, 2}), list(std::move(pads)), list({9}), list(std::move(axes))};
  };
  EXPECT_THAT(run("Pad", named({1, 0}, {-1}), {}, 18).as_integers(), ElementsAre(9, 0, 1, 9, 2, 3));
  EXPECT_THAT(run("Pad", named({0, 1, 1, 0}, {1, 0}), {}, 18).as_integers(), ElementsAre(9, 9, 9, 0, 1, 9, 2, 3, 9));
  EXPECT_THAT(problem("Pad", named({1, 0, 0, 0}, {0}), {}, 18), HasSubstr("has 4 pads, expected 2"));
  EXPECT_THAT(problem("Pad", named({1, 0, 0, 0}, {0, 0}), {}, 18), HasSubstr("axis 0 twice"));
}

TEST(MovementOperators, RepeatWhatIsAskedFor) {
  EXPECT_THAT(run("Tile", {places({1, 2}), list({2, 2})}).as_integers(), ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_EQ(run("Tile", {places({0, 2}), list({3, 2})}).dims(), (Extents{0, 4}));
  EXPECT_THAT(run("Expand", {places({2, 1}), list({2})}).as_integers(), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(problem("Tile", {places({1}), list({-1})}), HasSubstr("expected extents from 0 on"));
  EXPECT_THAT(problem("Tile", {places({2}), list({greatest})}), HasSubstr("at most"));
  EXPECT_THAT(problem("Expand", {places({1}), list({1 << 14, 1 << 15})}), HasSubstr("at most"));
  EXPECT_THAT(problem("Expand", {places({1}), list({0, greatest})}), HasSubstr("at most"));
  EXPECT_THAT(problem("Expand", {places({2}), list({3})}), HasSubstr("do not fit"));
}

TEST(MovementOperators, TransposeAndExchangeDepthForSpace) {
  EXPECT_THAT(run("Transpose", {places({2, 3})}).as_integers(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(problem("Transpose", {places({2, 3})}, {{"perm", Integers{0, 0}}}), HasSubstr("axis 0 twice"));
  EXPECT_THAT(problem("Transpose", {places({2, 3})}, {{"perm", Integers{0}}}), HasSubstr("perm has 1 axes"));
  const Attributes two{{"blocksize", std::int64_t{2}}}, columns{{"blocksize", std::int64_t{2}}, {"mode", "CRD"}};
  EXPECT_THAT(run("DepthToSpace", {places({1, 8, 1, 1})}, two).as_integers(), ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
  EXPECT_THAT(run("DepthToSpace", {places({1, 8, 1, 1})}, columns).as_integers(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(run("SpaceToDepth", {run("DepthToSpace", {places({1, 8, 1, 3})}, two)}, two).as_integers(),
              ::testing::ElementsAreArray(places({1, 8, 1, 3}).as_integers()));
  EXPECT_THAT(problem("DepthToSpace", {places({1, 6, 1, 1})}, two), HasSubstr("6 channels, expected a multiple of 4"));
  EXPECT_THAT(problem("SpaceToDepth", {places({1, 1, 2, 2})}, {{"blocksize", std::int64_t{0}}}),
              HasSubstr("blocksize 0"));
}

/// A file's nodes may make as much as the largest tensor that it holds: larger than that, or than most_values.
TEST(MovementOperators, MakeNoMoreThanTheirNodeMay) {
  OnnxNode node = node_of("Tile", {}, 15, 1);
  EXPECT_EQ(node.largest_result, most_values);
  node.largest_result = 6;
  const OnnxTensor two = places({2}), three = list({3}), four = list({4});
  const OnnxTensor* const fits[] = {&two, &three};
  EXPECT_EQ(evaluate(node, fits).front().size(), 6);
  const OnnxTensor* const too_many[] = {&two, &four};
  EXPECT_THAT(bad_input_message([&] { evaluate(node, too_many); }), HasSubstr("at most 6 values"));
}

}  // namespace
}  // namespace crossgrid
