#include "crossgrid/sweep/range_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/temporary_folder.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using ::testing::HasSubstr;

class RangeFileTest : public ::testing::Test {
 protected:
  std::string write(const std::string& text) const {
    std::ofstream(folder_.file("ranges.json")) << text;
    return folder_.file("ranges.json");
  }
  /// A file of these layers.
  RangeFile read(const std::string& layers) const {
    return read_range_file(write(R"({"format": "crossgrid-ranges", "layers": )" + layers + "}"));
  }
  std::string problem(const std::string& layers) const {
    return message_of([&] { read(layers); });
  }
  Grid grid(const std::string& members, const std::string& layers) const {
    GridContext context = sample_context();
    context.ranges = std::make_shared<const RangeFile>(read(layers));
    context.calibration_images = 0;
    return {sample_sweep(parse_json(members, "test")), context};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(RangeFileTest, ReadsWhatItWrote) {
  const std::vector<StoredRanges> layers{{"/conv1/Conv", Interval{-0.1, 1.0 / 3}, {{-2, 3}, {-1, 1.5}}, {}},
                                         {"/fc~1", {}, {{0, 1e-7}}, {{0, 0.25, 1}}}};
  const std::string text = range_file_text(layers, {{"network", "x"}});
  const RangeFile file = read_range_file(write(text));
  EXPECT_EQ(file.layers, layers);
  ASSERT_NE(file.find("/fc~1"), nullptr);
  EXPECT_EQ(file.find("/fc"), nullptr);
  EXPECT_THAT(text, HasSubstr(R"("/conv1/Conv": {"dac":[-0.1,0.3333333333333333],"adc":[[-2.0,3.0],[-1.0,1.5]]})"));
}

TEST_F(RangeFileTest, IsIdentifiedByItsRangesAlone) {
  const RangeFile file = read(R"({"a": {"dac": [0, 1]}, "b": {"adc": [[0, 2]]}})");
  EXPECT_EQ(file.content, read(R"({"b": {"adc": [[0, 2.0]]}, "a": {"dac": [0.0, 1]}})").content);
  EXPECT_EQ(file.content, read_range_file(write(range_file_text(file.layers, {{"host", "y"}}))).content);
  EXPECT_NE(file.content, read(R"({"a": {"dac": [0, 1]}, "b": {"adc": [[0, 2.5]]}})").content);
  EXPECT_NE(file.content, read(R"({"b": {"dac": [0, 1]}, "a": {"adc": [[0, 2]]}})").content);
}

TEST_F(RangeFileTest, NamesThePlaceOfWhatIsWrong) {
  EXPECT_THAT(problem(R"({"/c": {"dac": [1, -1]}})"), HasSubstr("ranges.json: /layers/~1c/dac: found [1,-1]"));
  EXPECT_THAT(problem(R"({"/c": {"dac": [1]}})"), HasSubstr("/layers/~1c/dac: found [1], expected a range"));
  EXPECT_THAT(problem(R"({"/c": {"adc": [[0, 1], [2, 2]]}})"), HasSubstr("/layers/~1c/adc/1: found [2,2]"));
  EXPECT_THAT(problem(R"({"/c": {"adc": [0, 1]}})"), HasSubstr("/layers/~1c/adc/0: found 0, expected a range"));
  EXPECT_THAT(problem(R"({"/c": {"adc": []}})"), HasSubstr("/layers/~1c/adc: found [], expected a list"));
  EXPECT_THAT(problem(R"({"/c": {"levels": [[0, 0.5, 0.4]]}})"), HasSubstr("/layers/~1c/levels/0: found"));
  EXPECT_THAT(problem(R"({"/c": {"acd": []}})"), HasSubstr("/layers/~1c/acd: unknown key; did you mean 'adc'?"));
  EXPECT_THAT(problem("[]"), HasSubstr("/layers: found [], expected an object"));
  EXPECT_THAT(message_of([&] { read_range_file(write(R"({"format": "x", "layers": {}})")); }),
              HasSubstr("/format: found \"x\", expected \"crossgrid-ranges\""));
  EXPECT_THAT(message_of([&] { read_range_file(write(R"({"layers": {}})")); }), HasSubstr("/format: found nothing"));
  EXPECT_THAT(message_of([&] { read_range_file(folder_.file("none.json")); }), HasSubstr("none.json"));
}

/// What a point needs is checked for all points before any of them runs.
TEST_F(RangeFileTest, GridRefusesWhatPointsWouldLack) {
  const std::string two =
      R"("/conv1/Conv": {"dac": [0, 1], "adc": [[-1, 1]]}, "/conv2/Conv": {"dac": [0, 1], "adc": [[-1, 1], [-2, 2]]})";
  const std::string all = "{" + two + R"(, "/fc1/Gemm": {"dac": [0, 1], "adc": [[-1, 1], [-2, 2]]}})";
  const auto refusal = [&](const std::string& members, const std::string& layers) {
    return message_of([&] { grid(members, layers); });
  };
  const std::string converts =
      R"({"hardware": {"adc.model": "quantizer", "dac.model": "quantizer", "core.weight_bits": 8},)";
  EXPECT_EQ(refusal(converts + R"("grid": {"core.slices": [2]}})", all), "");
  EXPECT_THAT(refusal(converts + R"("grid": {"core.slices": [2, 4]}})", all),
              HasSubstr("point 1 (core.slices = 4) can't be built: layer '/conv2/Conv': "));
  EXPECT_THAT(refusal(converts + R"("grid": {"core.slices": [2, 4]}})", all),
              HasSubstr("/layers/~1conv2~1Conv/adc: has 2 ranges, but core.slices is 4"));
  EXPECT_THAT(
      refusal(R"({"hardware": {"adc.model": "quantizer"}})", "{" + two + "}"),
      HasSubstr("layer '/fc1/Gemm': " + folder_.file("ranges.json") + ": /layers: has no ranges of this layer"));
  EXPECT_EQ(
      refusal(
          R"({"layers": [{"match": "/fc*", "analog": false}], "hardware": {"adc.model": "quantizer", "core.weight_bits": 8, "core.slices": 2}})",
          "{" + two + "}"),
      "")
      << "digital layers need no ranges";
  EXPECT_EQ(refusal("{}", "{}"), "") << "ideal converters need none";
  EXPECT_THAT(refusal("{}", R"({"/conv1/Cnov": {}})"),
              HasSubstr("/layers/~1conv1~1Cnov: the network has no matrix layer of this name; did you mean "
                        "'/conv1/Conv'?"));
  const std::string inputs =
      R"({"/conv1/Conv": {"dac": [-1, 1]}, "/conv2/Conv": {"dac": [0, 1]}, "/fc1/Gemm": {"adc": [[0, 1]]}})";
  const std::string sliced = refusal(R"({"hardware": {"dac.model": "quantizer", "dac.slice_bits": 2}})", inputs);
  EXPECT_THAT(sliced, HasSubstr("/layers/~1conv1~1Conv/dac does not begin at 0"));
  EXPECT_THAT(sliced, HasSubstr("/layers/~1fc1~1Gemm: has no range 'dac'"));
}

TEST_F(RangeFileTest, StandsForImagesInPointsIds) {
  const std::string ranges = R"({"dac": [0, 1], "adc": [[-1, 1]]})";
  const auto layers = [&](const std::string& last) {
    return R"({"/conv1/Conv": )" + ranges + R"(, "/conv2/Conv": )" + ranges + R"(, "/fc1/Gemm": )" + last + "}";
  };
  const std::string converts = R"({"hardware": {"adc.model": "quantizer"})";
  const Grid one = grid(converts + "}", layers(ranges));
  EXPECT_EQ(one.id(0), grid(converts + R"(, "calibration": {"split": "x", "method": "max"}})", layers(ranges)).id(0));
  EXPECT_NE(one.id(0), grid(converts + "}", layers(R"({"dac": [0, 1], "adc": [[-1, 1.5]]})")).id(0));
  EXPECT_NE(one.id(0), sample_grid(converts + "}").id(0));
  EXPECT_TRUE(one.resolved(0).contains("calibration.file"));
  EXPECT_FALSE(one.resolved(0).contains("calibration.method"));
  EXPECT_EQ(grid("{}", layers(ranges)).id(0), sample_grid("{}").id(0)) << "nothing is calibrated";
}

TEST_F(RangeFileTest, GivesLayersTheirRanges) {
  const std::vector<MatrixLayer> layers = sample_context().layers;
  const auto ranges =
      layer_ranges(read(R"({"/fc1/Gemm": {"dac": [-1, 2], "adc": [[0, 3]], "levels": [[0, 1]]}})"), layers);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[2].dac, (Interval{-1, 2}));
  EXPECT_EQ(ranges[2].adc, (std::vector<Interval>{{0, 3}}));
  EXPECT_EQ(ranges[2].levels, (std::vector<std::vector<double>>{{0, 1}}));
  LayerHardware hardware;
  EXPECT_EQ(stored_ranges("x", hardware, ranges[2]), (StoredRanges{"x", {}, {}, {}})) << "nothing is needed";
  hardware.adc.model = ConverterModel::quantizer;
  EXPECT_EQ(stored_ranges("x", hardware, ranges[2]), (StoredRanges{"x", Interval{-1, 2}, {{0, 3}}, {}}));
}

}  // namespace
}  // namespace crossgrid
