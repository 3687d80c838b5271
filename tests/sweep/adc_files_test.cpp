#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "crossgrid/sweep/parameter.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class AdcFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("crossgrid-adc-files-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  Json value(const std::string& parameter, const std::string& path) const {
    return parameter_value(*find_parameter(parameter), path, {"sweep.json", "/hardware/" + parameter});
  }
  std::string problem(const std::string& parameter, const std::string& name, const std::string& text) const {
    return message_of([&] { value(parameter, file(name, text)); });
  }

  fs::path folder_;
};

TEST_F(AdcFiles, CsvAndJsonOfOneTableAreOneValue) {
  const Json csv = value("adc.table", file("a.csv", "value,mean,sigma\n-1,0.5,0\n 2 , -0 ,1e-1 # end\n\n"));
  const Json json = value("adc.table", file("a.json", R"({"value": [-1, 2], "mean": [0.5, 0], "sigma": [0, 0.1]})"));
  EXPECT_EQ(csv, json);
  EXPECT_EQ(csv.dump(), R"({"value":[-1.0,2.0],"mean":[0.5,0.0],"sigma":[0.0,0.1]})");
  LayerHardware hardware;
  find_parameter("adc.table")->set(hardware, csv);
  EXPECT_EQ(hardware.adc.table, (AdcTable{{-1, 2}, {0.5, 0}, {0, 0.1}}));
  EXPECT_EQ(find_parameter("adc.table")->get(hardware), csv);
}

TEST_F(AdcFiles, LevelsWithoutThresholdsAreTheList) {
  EXPECT_EQ(value("adc.levels", file("l.json", R"({"levels": [0, 0.5, 1]})")), Json::array({0.0, 0.5, 1.0}));
  const Json both = value("adc.levels", file("t.json", R"({"levels": [0, 0.5, 1], "thresholds": [0.1, 0.9]})"));
  LayerHardware hardware;
  find_parameter("adc.levels")->set(hardware, both);
  EXPECT_EQ(hardware.adc.levels.thresholds, (std::vector<double>{0.1, 0.9}));
  EXPECT_EQ(find_parameter("adc.levels")->get(hardware), both);
}

TEST_F(AdcFiles, MessagesNameFileAndLineOrPointer) {
  EXPECT_THAT(problem("adc.table", "x.csv", "1,2,3\n1,2,3\n"), HasSubstr("x.csv:2: value 1 does not ascend after 1"));
  EXPECT_THAT(problem("adc.table", "x.csv", "\n1,2,-3\n"), HasSubstr("x.csv:2: sigma -3 is below 0"));
  EXPECT_THAT(problem("adc.table", "x.csv", "1,2\n"), HasSubstr("x.csv:1: has 2 numbers, expected 3"));
  EXPECT_THAT(problem("adc.table", "x.csv", "1,nan,3\n"), HasSubstr("x.csv:1: found 'nan', expected a finite number"));
  EXPECT_THAT(problem("adc.table", "x.csv", "1,2,3,4\n"), HasSubstr("x.csv:1: has 4 numbers"));
  EXPECT_THAT(problem("adc.table", "x.csv", "# nothing\n"), HasSubstr("holds no line of three numbers"));
  EXPECT_THAT(problem("adc.table", "x.json", R"({"value": [1, 2], "mean": [0], "sigma": [0, 0]})"),
              HasSubstr("x.json: /mean: has 1 numbers, expected 2"));
  EXPECT_THAT(problem("adc.table", "x.json", R"({"value": [1], "mean": [0], "sigma": [-1]})"),
              HasSubstr("x.json: /sigma/0: sigma -1 is below 0"));
  EXPECT_THAT(problem("adc.table", "x.json", R"({"value": [1], "mean": [0], "sigme": [0]})"),
              HasSubstr("x.json: /sigme: unknown key; did you mean 'sigma'?"));
  EXPECT_THAT(problem("adc.levels", "l.json", R"({"levels": [0, 2]})"), HasSubstr("l.json: /levels/1: found 2"));
  EXPECT_THAT(problem("adc.levels", "l.json", R"({"levels": [0.5, 0.5]})"),
              HasSubstr("/levels/1: 0.5 does not ascend"));
  EXPECT_THAT(problem("adc.levels", "l.json", R"({"levels": [0, 1], "thresholds": [0.1, 0.2]})"),
              HasSubstr("/thresholds: has 2 numbers, expected 1"));
  EXPECT_THAT(problem("adc.levels", "l.json", R"([0, 1])"), HasSubstr("expected an object with levels"));
  EXPECT_THAT(message_of([&] { value("adc.table", (folder_ / "none.csv").string()); }),
              HasSubstr("sweep.json: /hardware/adc.table: the file"));
}

/// Content identifies a point, not the name; columns show the name.
TEST_F(AdcFiles, EqualFilesMakeEqualPoints) {
  const std::string a = file("a.csv", "0,0,0.1\n"), b = file("b.csv", "0,0,0.1\n"), c = file("c", "0,0,0.2\n");
  const std::string members = R"({"hardware": {"adc.model": "table"}, "grid": {"adc.table": [")" + a + R"(", ")" + b +
                              R"(", ")" + c + R"("]}, "trials": 3})";
  const Grid grid = sample_grid(members);
  EXPECT_EQ(grid.id(0), grid.id(1));
  EXPECT_NE(grid.id(0), grid.id(2));
  EXPECT_EQ(grid.point(2).axes[0].second, "c");
  EXPECT_EQ(grid.point(2).hardware[0].adc.table.sigma, std::vector<double>{0.2});
  EXPECT_EQ(grid.trials(0), 3u);
}

/// A resolved sweep parses to the same from any folder.
TEST_F(AdcFiles, ResolvedSweepsHoldAbsolutePaths) {
  file("t.csv", "0,0,0.1\n");
  file("l.json", R"({"levels": [0, 1]})");
  const Json document = parse_json(R"({"network": "net.json", "dataset": {"path": "d"},
    "hardware": {"adc": {"model": "table", "table": "t.csv"}}, "layers": [{"match": "*", "adc": {"levels": "l.json"}}],
    "grid": {"adc.table@/conv*": ["t.csv", "none"], "adc.levels, adc.bits": [["l.json", 4], ["lloyd_max", 5]],
             "kind": {"a": {"adc": {"table": "t.csv"}}, "b": {"dac.bits": 3}}}})",
                                   "test");
  const Json resolved = parse_sweep(document, (folder_ / "sweep.json").string()).resolved;
  const std::string table = (folder_ / "t.csv").string(), levels = (folder_ / "l.json").string();
  EXPECT_EQ(resolved["hardware"]["adc.table"], table);
  EXPECT_EQ(resolved["layers"][0]["adc"]["levels"], levels);
  EXPECT_EQ(resolved["grid"]["adc.table@/conv*"], Json::array({table, "none"}));
  EXPECT_EQ(resolved["grid"]["adc.levels, adc.bits"][0][0], levels);
  EXPECT_EQ(resolved["grid"]["kind"]["a"]["adc"]["table"], table);
  EXPECT_EQ(parse_sweep(resolved, "/elsewhere/sweep.json").resolved, resolved);
}

}  // namespace
}  // namespace crossgrid
