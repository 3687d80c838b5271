#include "crossgrid/sweep/range_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;

class RangeFolderTest : public ::testing::Test {
 protected:
  static LayerHardware hardware(int slices) {
    LayerHardware h;
    h.core.weight_bits = 8;
    h.core.slices = slices;
    h.dac.model = h.adc.model = ConverterModel::quantizer;
    return h;
  }
  static std::vector<MatrixLayer> layers() {
    std::vector<MatrixLayer> layers(2);
    layers[0].name = "/conv1/Conv", layers[1].name = "/fc";
    return layers;
  }
  RangeFolder open(const std::string& facts = "facts") const {
    return {posix_files(), path, hash_text(facts), layers(), "host-1"};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }

  testing::TemporaryFolder folder;
  std::string path = folder.file("deep/ranges");
  std::vector<LayerHardware> two{hardware(2), hardware(1)};
  std::vector<LayerRanges> ranges{{{0, 1.0 / 3}, {{-2, 3}, {-1, 1.5}}, {}}, {{-0.1, 0.1}, {{0, 1e-7}}, {}}};
};

TEST_F(RangeFolderTest, FindsWhatItKeptToTheBit) {
  EXPECT_FALSE(open().find(two));
  open().keep(two, ranges);
  const auto found = open().find(two);
  ASSERT_TRUE(found);
  for (std::size_t m = 0; m < 2; ++m) {
    EXPECT_EQ((*found)[m].dac, ranges[m].dac);
    EXPECT_EQ((*found)[m].adc, ranges[m].adc);
  }
  EXPECT_EQ(files(), 1u) << "no temporary file stays";
}

TEST_F(RangeFolderTest, TellsOtherFactsAndHardwareApart) {
  open().keep(two, ranges);
  EXPECT_FALSE(open("others").find(two));
  two[1].adc.bits = 3;
  EXPECT_FALSE(open().find(two));
  std::swap(two[0], two[1]);
  EXPECT_FALSE(open().find(two));
}

TEST_F(RangeFolderTest, MakesABrokenFileAnew) {
  open().keep(two, ranges);
  const fs::path file = fs::directory_iterator(path)->path();
  for (const char* text : {"", "{", R"({"format": "crossgrid-ranges", "layers": {"/fc": {"adc": [[0, 1]]}}})",
                           R"({"format": "crossgrid-ranges", "layers": {"/other": {"adc": [[0, 1]]}}})"}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(open().find(two)) << text;
    open().keep(two, ranges);
    EXPECT_TRUE(open().find(two)) << text;
  }
}

TEST_F(RangeFolderTest, IsNotMissedWhereItCannotBe) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << "a file";
  open().keep(two, ranges);
  EXPECT_FALSE(open().find(two));
}

TEST_F(RangeFolderTest, DoesNotGrowWithoutEnd) {
  fs::create_directories(path);
  for (std::size_t k = 0; k + 1 < RangeFolder::most_files; ++k) std::ofstream(path + "/" + std::to_string(k));
  open().keep(two, ranges);
  EXPECT_TRUE(open().find(two));
  two[0].adc.bits = 3;
  open().keep(two, ranges);
  EXPECT_FALSE(open().find(two));
}

}  // namespace
}  // namespace crossgrid
