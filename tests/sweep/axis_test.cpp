#include "crossgrid/sweep/axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

TEST(Axis, RangesAreRoundedTo12DigitsWithExactEnds) {
  EXPECT_EQ(range_values(0, 0.2, 5, false), (std::vector<double>{0, 0.05, 0.1, 0.15, 0.2}));
  EXPECT_EQ(range_values(64, 1024, 5, true), (std::vector<double>{64, 128, 256, 512, 1024}));
  EXPECT_EQ(range_values(1e-3, 1, 4, true), (std::vector<double>{1e-3, 1e-2, 1e-1, 1}));
  EXPECT_EQ(range_values(1, -1, 3, false), (std::vector<double>{1, 0, -1}));
  EXPECT_FALSE(std::signbit(range_values(-0.0, 1, 2, false).front()));
  EXPECT_EQ(range_values(1.0 / 3, 1, 2, false).front(), 1.0 / 3);
}

TEST(Axis, ALinkedAxisMovesItsParametersTogether) {
  const Axis axis =
      parse_axis("dac.model, dac.bits", parse_json(R"([["quantizer", 4], ["ideal", 8]])", "x"), {"x", ""});
  EXPECT_EQ(axis.columns, (std::vector<std::string>{"dac.model", "dac.bits"}));
  ASSERT_EQ(axis.values.size(), 2u);
  EXPECT_EQ(axis.values[1].settings[1].value, 8);
  EXPECT_EQ(axis.values[1].columns[0], "ideal");
}

TEST(Axis, ColumnsShowTheShortestNumber) {
  const Axis axis = parse_axis("device.on_off_ratio", parse_json(R"([10000.0, 1e5, 2.5, "infinite"])", "x"), {"x", ""});
  std::vector<std::string> texts;
  for (const AxisValue& value : axis.values) {
    texts.push_back(value.columns[0].dump());
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"10000", "100000", "2.5", "\"infinite\""}));
}

TEST(Axis, PatternsMatchNamesAndGlobs) {
  EXPECT_TRUE(layer_matches("/conv*", "/conv1/Conv"));
  EXPECT_TRUE(layer_matches("/conv?/*", "/conv1/Conv"));
  EXPECT_TRUE(layer_matches("block[0]", "block[0]")) << "the name itself";
  EXPECT_TRUE(layer_matches("/conv[12]/*", "/conv2/Conv"));
  EXPECT_FALSE(layer_matches("/conv[12]/*", "/conv3/Conv"));
  EXPECT_FALSE(layer_matches("conv1", "/conv1/Conv"));
}

}  // namespace
}  // namespace crossgrid
