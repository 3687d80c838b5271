#include "crossgrid/sweep/sweep_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const fs::path source = CROSSGRID_TEST_SOURCE_DIR;

Json value_of(const SweepFile& sweep, const std::string& path) {
  for (const Setting& setting : sweep.hardware) {
    if (setting.parameter->path == path) {
      return setting.value;
    }
  }
  return {};
}

TEST(SweepFile, ResolvedParsesToTheSameSweepFromAnyFolder) {
  std::vector<fs::path> sweeps{source / "sweeps/quickstart.json", source / "sweeps/fashion-mnist.json"};
  for (const auto& entry : fs::directory_iterator(source / "tests/sweep/good")) {
    if (entry.path().extension() == ".json") {
      sweeps.push_back(entry.path());
    }
  }
  for (const fs::path& path : sweeps) {
    const SweepFile sweep = read_sweep(path);
    const Json text = parse_json(sweep.resolved.dump(), "copy");
    const SweepFile copy = parse_sweep(text, "/somewhere/else/sweep.json");
    EXPECT_EQ(copy.resolved, sweep.resolved) << path;
    EXPECT_EQ(copy.network_path, sweep.network_path);
    EXPECT_EQ(copy.dataset_path, sweep.dataset_path);
    EXPECT_EQ(copy.name, sweep.name);
    EXPECT_TRUE(fs::path(copy.network_path).is_absolute());
    ASSERT_EQ(copy.axes.size(), sweep.axes.size());
    for (std::size_t i = 0; i < copy.axes.size(); ++i) {
      EXPECT_EQ(copy.axes[i].columns, sweep.axes[i].columns);
      EXPECT_EQ(copy.axes[i].values.size(), sweep.axes[i].values.size());
    }
  }
}

TEST(SweepFile, WhatIsWrittenHereBeatsTheInclude) {
  const SweepFile sweep = read_sweep(source / "tests/sweep/good/include.json");
  EXPECT_EQ(value_of(sweep, "adc.bits"), 6);
  EXPECT_EQ(value_of(sweep, "adc.model"), "quantizer");
  const SweepFile whole = read_sweep(source / "tests/sweep/good/include_everything.json");
  EXPECT_EQ(whole.trials, 2u);
  EXPECT_EQ(whole.network_path, (source / "tests/sweep/good/net.json").string()) << "beside the file that names it";
}

TEST(SweepFile, SaysHowImagesAreBroughtIntoForm) {
  const DatasetOptions all = read_sweep(source / "tests/sweep/good/every_field.json").dataset_options;
  EXPECT_EQ(all.layout, Layout::nchw);
  EXPECT_EQ(all.geometry.shorter, 256);
  EXPECT_FALSE(all.geometry.size);
  EXPECT_EQ(all.geometry.crop, (ImageSize{224, 200}));
  const SweepFile sized = read_sweep(source / "tests/sweep/good/resize_to_a_size.json");
  EXPECT_EQ(sized.dataset_format, "folder");
  EXPECT_EQ(sized.dataset_options.layout, Layout::automatic);
  EXPECT_EQ(sized.dataset_options.geometry.size, (ImageSize{24, 32}));
  EXPECT_EQ(sized.dataset_options.geometry.crop, (ImageSize{20, 20}));
  EXPECT_TRUE(sample_sweep().dataset_options.geometry.none());
}

TEST(SweepFile, IncludesLeaveTheFolderOnlyWhenAllowed) {
  const fs::path path = source / "tests/sweep/parser_only/include_outside.json";
  EXPECT_THAT(message_of([&] { read_sweep(path); }), HasSubstr("say --allow-outside"));
  SweepOverrides allow;
  allow.allow_outside = true;
  EXPECT_EQ(value_of(read_sweep(path, allow), "adc.bits"), 8);
}

TEST(SweepFile, TheCommandLineWins) {
  const Json members =
      parse_json(R"({"hardware": {"adc.model": "quantizer", "dac.bits": 4}, "grid": {"adc.bits": [4, 6]}, "trials": 3,
    "exclude": [{"adc.bits": 4}]})",
                 "test");
  SweepOverrides overrides;
  overrides.set = {"dac.bits=6", "hardware.core.style=offset", "trials=7", "dataset.images.count=9", "name=x"};
  overrides.grid = {"adc.bits=5,7", "adc.range=max,[-1,2]", "dac.model@/conv*=ideal"};
  const SweepFile sweep = sample_sweep(members, overrides);
  EXPECT_EQ(value_of(sweep, "dac.bits"), 6);
  EXPECT_EQ(value_of(sweep, "core.style"), "offset");
  EXPECT_EQ(sweep.trials, 7u);
  EXPECT_EQ(sweep.name, "x");
  EXPECT_EQ(sweep.images.count, 9u);
  ASSERT_EQ(sweep.axes.size(), 3u);
  EXPECT_EQ(sweep.axes[0].values[1].columns[0], 7);
  EXPECT_EQ(sweep.axes[1].values[1].columns[0], Json::array({-1, 2}));
  EXPECT_TRUE(sweep.exclude.empty()) << "the values that it excluded are gone";
  EXPECT_EQ(parse_sweep(sweep.resolved, "x.json").resolved, sweep.resolved);
}

TEST(SweepFile, RefusesCommandLinesThatSayNothing) {
  const auto problem = [](std::vector<std::string> set, std::vector<std::string> grid) {
    SweepOverrides overrides;
    overrides.set = std::move(set);
    overrides.grid = std::move(grid);
    return message_of([&] { sample_sweep(parse_json(R"({"grid": {"adc.bits": [4, 6]}})", "test"), overrides); });
  };
  EXPECT_EQ(problem({"adc.bits=5"}, {}),
            "--set adc.bits=5: has no effect: 'adc.bits' is an axis of the grid; say --grid adc.bits=VALUE");
  EXPECT_THAT(problem({"adc.bitz=5"}, {}),
              HasSubstr("--set adc.bitz=5: unknown parameter\n  did you mean 'adc.bits'?"));
  EXPECT_THAT(problem({"adc=5"}, {}), HasSubstr("'adc' is a group of parameters"));
  EXPECT_THAT(problem({"dac.bits"}, {}), HasSubstr("expected NAME=VALUE"));
  EXPECT_THAT(problem({"dac.bits=4", "dac.bits=5"}, {}), HasSubstr("said twice"));
  EXPECT_THAT(problem({"dac.range=[1,"}, {}), HasSubstr("not valid JSON"));
  EXPECT_THAT(problem({}, {"adc.bits=4,x"}), HasSubstr("--grid adc.bits=4,x: /1: adc.bits: found \"x\""));
  EXPECT_THAT(problem({"trails=4"}, {}), HasSubstr("did you mean 'trials'?"));
}

TEST(SweepFile, KeepsTheOrderOfAxes) {
  const SweepFile sweep =
      sample_sweep(parse_json(R"({"grid": {"dac.bits": [4], "adc.bits": [4], "core.style": ["offset"]}})", "test"));
  ASSERT_EQ(sweep.axes.size(), 3u);
  EXPECT_EQ(sweep.axes[0].name, "dac.bits");
  EXPECT_EQ(sweep.axes[2].name, "core.style");
}

TEST(SweepFile, IsNamedAfterItsFileUnlessItSaysSo) {
  EXPECT_EQ(sample_sweep().name, "sweep");
  EXPECT_EQ(sample_sweep({{"name", "other"}}).name, "other");
  const Json document{{"network", "n"}, {"dataset", {{"path", "d"}}}};
  EXPECT_THAT(message_of([&] { parse_sweep(document, "my sweep.json"); }),
              HasSubstr("the file's name 'my sweep' can't name a folder"));
}

TEST(SweepFile, TellsValuesAndCombinationsInOneList) {
  const auto told = [](const char* hardware, const char* grid = "{}") {
    return message_of([&] {
      sample_sweep({{"hardware", parse_json(hardware, "test")}, {"grid", parse_json(grid, "test")}});
    });
  };
  const char* const five = R"({"core": {"clip": 2.5, "weight_bits": 8, "slices": 9},
                               "dac": {"model": "quantizer"},
                               "adc": {"model": "quantizer", "per_input_slice": true, "range": [3, -3]},
                               "device": {"iv": {"model": "cubic"}, "read_voltage": 2.5}})";
  const std::string list = told(five);
  EXPECT_THAT(list, testing::StartsWith("5 problems:\n"));
  EXPECT_THAT(list, HasSubstr("/hardware/core/clip: core.clip: found 2.5, expected a number > 0.5 and <= 2"));
  EXPECT_THAT(list, HasSubstr("/hardware/adc/range: adc.range: found [3,-3]"));
  EXPECT_THAT(list, HasSubstr("/hardware/adc/per_input_slice: found true, but inputs are not sliced"));
  EXPECT_THAT(list, HasSubstr("core.slices is 9, but core.weight_bits only 8 (/hardware/core/weight_bits, "
                              "/hardware/core/slices)"));
  EXPECT_THAT(list, HasSubstr("valid up to 2 V (/hardware/device/"));
  // Nothing is said of what an axis sets, or of what could not be read itself.
  EXPECT_THAT(told(five, R"({"core.weight_bits": [4, 8]})"), Not(HasSubstr("core.slices is")));
  const char* const unread = R"({"core": {"clip": 2.5, "weight_bits": 99, "slices": 9}})";
  EXPECT_THAT(told(unread), Not(HasSubstr("core.slices is")));
}

TEST(SweepFile, RefusesConversionsPerSliceOfWholeInputs) {
  const auto told = [](const char* grid) {
    return message_of([&] {
      sample_sweep({{"hardware", {{"dac", {{"model", "quantizer"}}}, {"adc", {{"per_input_slice", true}}}}},
                    {"grid", parse_json(grid, "test")}});
    });
  };
  EXPECT_THAT(told("{}"), HasSubstr("/hardware/adc/per_input_slice: found true, but inputs are not sliced"));
  EXPECT_THAT(told(R"({"dac.slice_bits": ["unsliced"]})"), HasSubstr("inputs are not sliced"));
  EXPECT_EQ(told(R"({"dac.slice_bits": ["unsliced", 1]})"), "");
}

}  // namespace
}  // namespace crossgrid
