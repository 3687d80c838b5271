#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crossgrid/sweep/grid.hpp"
#include "data/temporary_folder.hpp"
#include "sample_sweep.hpp"

/// device.* in sweeps: which files they name, when they matter, what is refused, what a point's identity sees.
namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path devices = fs::path(CROSSGRID_TEST_SOURCE_DIR) / "data/devices";

std::string file(const std::string& name) {
  return (devices / (name + ".json")).string();
}

/// Hardware of one device with these members beside its model.
Json members(const std::string& name, Json device) {
  device["model"] = name == "generic" ? name : file(name);
  return {{"hardware", {{"device", std::move(device)}}}};
}

std::string problem(const std::string& name, Json device) {
  return message_of([&] { Grid(sample_sweep(members(name, std::move(device))), sample_context()); });
}

const Json programmed{{"model", "device"}};

TEST(DeviceRows, RefuseWhatADeviceWasNotMeasuredFor) {
  EXPECT_THAT(problem("pcm-joshi-2020", {{"programming_error", programmed}}),
              HasSubstr("Gmax is 100 uS (1 / device.r_min), but the device 'pcm-joshi-2020' is valid up to 25 uS: "
                        "device.r_min must be at least 40000"));
  EXPECT_EQ(problem("pcm-joshi-2020", {{"programming_error", programmed}, {"r_min", 4e4}}), "");
  EXPECT_THAT(problem("rram-milo-2021", {{"programming_error", programmed}, {"r_min", 5e3}}),
              HasSubstr("Gmin is 0 uS (Gmax / device.on_off_ratio), but 'programming_error' of the device "
                        "'rram-milo-2021' is valid from 50 uS: device.on_off_ratio must be at most 4"));
  EXPECT_EQ(problem("rram-milo-2021", {{"programming_error", programmed}, {"r_min", 5e3}, {"on_off_ratio", 4}}), "");
  const Json sonos{{"programming_error", programmed}, {"r_min", 4e4}};
  EXPECT_EQ(problem("sonos-agrawal-2022", sonos), "");
  Json louder = sonos;
  louder["read_voltage"] = 0.2;
  EXPECT_THAT(problem("sonos-agrawal-2022", louder),
              HasSubstr("the largest cell current is 5000 nA (device.read_voltage / device.r_min), but the device "
                        "'sonos-agrawal-2022' is valid up to 3200 nA"));
  Json later = sonos;
  later["drift"] = Json{{"model", "device"}};
  later["time"] = 86400;
  EXPECT_THAT(problem("sonos-agrawal-2022", later), HasSubstr("is 2500 nA (device.read_voltage / device.r_min), but "
                                                              "'drift' of the device 'sonos-agrawal-2022' is valid "
                                                              "up to 1800 nA"));
}

TEST(DeviceRows, TellAllLimitsOfADeviceAtOnceWithWhereTheyWereSet) {
  const std::string told = problem("rram-milo-2021", {{"programming_error", programmed},
                                                      {"iv", programmed},
                                                      {"r_min", 4000},
                                                      {"on_off_ratio", 10},
                                                      {"read_voltage", 0.6}});
  EXPECT_THAT(told,
              HasSubstr("device.r_min must be at least 4444.45 (/hardware/device/r_min, /hardware/device/model)"));
  EXPECT_THAT(told, HasSubstr("Gmin is 25 uS (Gmax / device.on_off_ratio), but 'programming_error' of the device "
                              "'rram-milo-2021' is valid from 50 uS: device.on_off_ratio must be at most 4.49999 "
                              "(/hardware/device/on_off_ratio, /hardware/device/model)"));
  EXPECT_THAT(told, HasSubstr("device.read_voltage is 0.6 V"));
  EXPECT_THAT(told, HasSubstr("(/hardware/device/read_voltage, /hardware/device/model)"));
  EXPECT_THAT(problem("generic", {{"iv", {{"model", "cubic"}}}, {"read_voltage", 2.5}}),
              HasSubstr("(/hardware/device/read_voltage, /hardware/device/iv/model)"));
  // What is proposed is allowed, where the limit has more digits than the message.
  EXPECT_EQ(
      problem("rram-milo-2021", {{"programming_error", programmed}, {"r_min", 4444.45}, {"on_off_ratio", 4.49999}}),
      "");
  EXPECT_THAT(problem("rram-wan-2022", {{"programming_error", programmed}}), HasSubstr("must be at least 25471.3"));
  EXPECT_THAT(problem("rram-wan-2022", {{"programming_error", programmed}, {"r_min", 25471.3}}),
              Not(HasSubstr("device.r_min must be")));
}

TEST(DeviceRows, RefuseWhatADeviceDoesNotHave) {
  EXPECT_THAT(problem("generic", {{"read_noise", programmed}}),
              HasSubstr("device.read_noise.model is \"device\", but device.model is \"generic\": name a device file"));
  EXPECT_THAT(problem("pcm-joshi-2020", {{"read_noise", programmed}, {"r_min", 4e4}}),
              HasSubstr("device.read_noise.model is \"device\", but the device 'pcm-joshi-2020' has no 'read_noise'"));
  EXPECT_THAT(problem("generic", {{"levels", {0, 0.5, 1}}, {"cell_bits", 2}}), HasSubstr("leave one out"));
  EXPECT_THAT(problem("generic", {{"levels", {0, 0.5, 1}}, {"on_off_ratio", 10}}),
              HasSubstr("device.levels begins at 0, below Gmin = 0.1"));
  EXPECT_THAT(problem("none-such", {}), HasSubstr("device/model: device.model: " + file("none-such")));
}

TEST(DeviceRows, AxesWithoutEffectSayWhy) {
  const auto reason = [](const std::string& grid, const Json& device = Json::object(),
                         const std::string& name = "generic") {
    Json all = members(name, device);
    all["grid"] = parse_json(grid, "test");
    return message_of([&] { Grid(sample_sweep(all), sample_context()); });
  };
  EXPECT_THAT(reason(R"({"device.r_min": [1e3, 1e4]})"), HasSubstr("nothing is taken from a device file"));
  EXPECT_THAT(reason(R"({"device.time": [0, 3600]})"), HasSubstr("device.drift.model is \"none\""));
  EXPECT_THAT(reason(R"({"device.read_voltage": [0.1, 0.05]})", {{"programming_error", programmed}, {"r_min", 4e4}},
                     "pcm-joshi-2020"),
              HasSubstr("currents are proportional to it"));
  EXPECT_THAT(reason(R"({"device.time": [0, 19]})", {{"drift", programmed}, {"r_min", 4e4}}, "pcm-nandakumar-2019"),
              HasSubstr("not after the device's first read, at 20 s"));
  EXPECT_THAT(reason(R"({"device.programming_error.model": ["none", "device"]})",
                     {{"drift", programmed}, {"r_min", 1e5}, {"time", 86400}}, "sonos-agrawal-2022"),
              HasSubstr("in place of a programming error"));
  EXPECT_THAT(reason(R"({"device.model": ["generic", ")" + file("pcm-joshi-2020") + R"("]})"),
              HasSubstr("nothing is taken from the device file"));
}

/// Only what the file says counts: not its path, not its name on the disk.
TEST(DeviceRows, IdentityFollowsTheFilesContent) {
  testing::TemporaryFolder folder;
  const auto id = [&](const std::string& path) {
    Json all = members("generic", {{"programming_error", programmed}, {"r_min", 4e4}});
    all["hardware"]["device"]["model"] = path;
    return Grid(sample_sweep(all), sample_context()).id(0);
  };
  const std::string copy = folder.file("copy.json");
  fs::copy_file(file("pcm-joshi-2020"), copy);
  EXPECT_EQ(id(copy), id(file("pcm-joshi-2020")));
  EXPECT_NE(id(file("pcm-nandakumar-2019")), id(file("pcm-joshi-2020")));
  Json changed = read_json_file(copy);
  changed["programming_error"]["sigma"]["coefficients"][0] = 0.5;
  std::ofstream(copy) << changed;
  EXPECT_NE(id(copy), id(file("pcm-joshi-2020"))) << "read again with the next sweep";
}

TEST(DeviceRows, PathsAreRelativeToTheSweepAndAbsoluteOnceResolved) {
  const std::string beside = (devices.parent_path() / "sweep.json").string();
  const std::string joshi = "devices/pcm-joshi-2020.json", wan = "devices/rram-wan-2022.json";
  const Json device{{"model", joshi}, {"programming_error", programmed}, {"r_min", 4e4}};
  const Json document{
      {"network", "n"},
      {"dataset", {{"path", "d"}}},
      {"hardware", {{"device", device}}},
      {"layers", Json::array({{{"match", "/conv1/*"}, {"device", {{"model", wan}}}},
                              {{"match", "/conv2/*"}, {"device.model", joshi}}})},
      {"grid",
       {{"device.model@/fc*", {joshi, wan}},
        {"device.model, device.r_min", Json::array({Json::array({joshi, 4e4}), Json::array({wan, 5e4})})},
        {"kind", {{"a", {{"device.model@/conv1/*", joshi}}}, {"b", {{"device", {{"clip", true}}}}}}}}}};
  const SweepFile sweep = parse_sweep(document, beside);
  EXPECT_EQ(sweep.axes[0].values[1].columns[0], "rram-wan-2022") << "columns show names";
  EXPECT_EQ(sweep.axes[1].values[0].columns[0], "pcm-joshi-2020");
  const std::string resolved = sweep.resolved.dump();
  EXPECT_EQ(resolved.find("\"devices/"), std::string::npos) << resolved;
  const SweepFile again = parse_sweep(parse_json(resolved, "copy"), "/somewhere/else/sweep.json");
  EXPECT_EQ(again.resolved, sweep.resolved);
  SweepOverrides overrides;
  overrides.set = {"device.model=" + fs::relative(devices / "rram-wan-2022.json").string()};
  const SweepFile set = sample_sweep(Json::object(), overrides);
  EXPECT_EQ(set.hardware.front().value, file("rram-wan-2022"));
}

TEST(DeviceRows, ExcludeKnowsFilesByTheirNames) {
  Json all = members("generic", {{"programming_error", programmed}, {"r_min", 4e4}});
  all["grid"] = {{"device.model", {file("pcm-joshi-2020"), file("rram-wan-2022")}}, {"device.clip", {true, false}}};
  all["exclude"] = Json::array({{{"device.model", file("rram-wan-2022")}, {"device.clip", true}}});
  EXPECT_EQ(Grid(sample_sweep(all), sample_context()).size(), 3u);
}

TEST(DeviceRows, MapsOfFaultsMustFitTheLayer) {
  testing::TemporaryFolder folder;
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (9, 8), }\n";
  std::vector<std::uint8_t> bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + 72, 1);
  const std::string map = folder.write("map.npy", bytes);
  const auto found = [&](const std::string& layer, const Json& array = Json::object()) {
    Json all{{"hardware", {{"array", array}}}};
    all["layers"] = Json::array({{{"match", layer}, {"device.faults.map", map}}});
    return message_of([&] { Grid(sample_sweep(all), sample_context()); });
  };
  EXPECT_EQ(found("/conv1/*"), "");
  EXPECT_THAT(found("/conv2/*"),
              HasSubstr("device.faults.map is for 9 x 8 cells, but the layer has 72 rows and 16 columns"));
  EXPECT_THAT(found("/conv1/*", {{"rows_max", 5}}), HasSubstr("split the layer over several"));
}

}  // namespace
}  // namespace crossgrid
