#include "crossgrid/sweep/device_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "data/temporary_folder.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path source = CROSSGRID_TEST_SOURCE_DIR;

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Beside each refused file, NAME.txt holds a part of the message.
TEST(DeviceFile, SaysWhereABadFileIsWrong) {
  const auto files = json_files(source / "tests/sweep/bad_devices");
  EXPECT_GE(files.size(), 25u);
  for (const fs::path& path : files) {
    std::string expected = text_of(fs::path(path).replace_extension(".txt"));
    ASSERT_FALSE(expected.empty()) << path;
    expected.pop_back();
    EXPECT_THAT(message_of([&] { read_device_file(path); }), HasSubstr(path.string() + expected)) << path;
  }
}

TEST(DeviceFile, ShippedDevicesAreReadable) {
  const auto files = json_files(source / "data/devices");
  EXPECT_EQ(files.size(), 5u);
  for (const fs::path& path : files) {
    const auto device = read_device_file(path);
    EXPECT_EQ(device->name, path.stem().string());
    EXPECT_FALSE(device->source.empty());
    EXPECT_TRUE(device->programming_error) << path;
  }
  EXPECT_TRUE(read_device_file(source / "data/devices/sonos-agrawal-2022.json")->in_amperes);
  EXPECT_FALSE(read_device_file(source / "data/devices/pcm-joshi-2020.json")->in_amperes);
}

TEST(DeviceFile, IsTheSameByWhatItSays) {
  const std::string text = R"({"name": "x", "source": "s", "valid": {"conductance": {"unit": "uS", "max": 25}},
    "programming_error": {"sigma": {"law": "polynomial", "argument": "uS", "value": "uS", "coefficients": [)";
  const auto content = [&](const std::string& rest) { return parse_device(parse_json(text + rest, "x"), "x").content; };
  EXPECT_EQ(content("1, 2.0]}}}"), content("  1.0,2 ] } } }"));
  EXPECT_NE(content("1, 2.0]}}}"), content("1, 2.5]}}}"));
}

class FaultMapFile : public ::testing::Test {
 protected:
  std::string write(const std::string& shape, const std::vector<std::uint8_t>& states) {
    std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::vector<std::uint8_t> bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.insert(bytes.end(), states.begin(), states.end());
    return folder_.write("map.npy", bytes);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(FaultMapFile, HasRowsAndColumnsAndMaybePlanes) {
  const auto map = read_fault_map(write("(2, 3)", {0, 1, 2, 0, 0, 1}));
  EXPECT_EQ(map->rows, 2);
  EXPECT_EQ(map->cols, 3);
  EXPECT_EQ(map->plane(1)[2], FaultMap::on);
  EXPECT_EQ(read_fault_map(write("(2, 1, 3)", {0, 1, 2, 0, 0, 1}))->plane(1)[2], FaultMap::off);
}

TEST_F(FaultMapFile, SaysWhatIsWrong) {
  EXPECT_THAT(message_of([&] {
                read_fault_map(write("(3,)", {0, 1, 2}));
              }),
              HasSubstr("map.npy: found an array of shape (3), expected a map of faults: rows x cols"));
  EXPECT_THAT(message_of([&] {
                read_fault_map(write("(2, 2)", {0, 1, 2, 3}));
              }),
              HasSubstr("found 3 in row 1, column 1, expected 0 (good), 1 (off) or 2 (on)"));
}

}  // namespace
}  // namespace crossgrid
