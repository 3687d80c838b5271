#include "crossgrid/data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "crossgrid/data/dataset_format.hpp"
#include "data/cache_folder.hpp"
#include "data/error_message.hpp"
#include "data/idx_bytes.hpp"
#include "data/image_values.hpp"
#include "data/processes.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pixels_of;

const std::string digits = CROSSGRID_TEST_SOURCE_DIR "/data/digits";
const std::string fashion = "/usr/share/datasets/fashion-mnist";

std::vector<int> images_per_class(const Dataset& data) {
  std::vector<int> count(static_cast<std::size_t>(data.classes()));
  for (std::uint64_t i = 0; i < data.size(); ++i) ++count[static_cast<std::size_t>(data.label(i))];
  return count;
}

// Counts per class and one image as scikit-learn's load_digits() has them.
TEST(OpenDataset, ReadsTheShippedDigits) {
  const auto train = open_dataset(digits, "auto", "train");
  const auto test = open_dataset(digits, "idx", "test");
  EXPECT_EQ(test->description(), "600 images 8x8x1, 10 classes, " + digits + " (idx)");
  EXPECT_THAT(images_per_class(*train), ElementsAre(119, 120, 117, 121, 119, 123, 120, 118, 118, 122));
  EXPECT_THAT(images_per_class(*test), ElementsAre(59, 62, 60, 62, 62, 59, 61, 61, 56, 58));
  EXPECT_EQ(train->label(0), 0);
  auto first = pixels_of(*train, 0);
  first.resize(16);
  EXPECT_THAT(first, ElementsAre(0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0));
  // Journals name data by these.
  EXPECT_EQ(test->content().hex(), "47d827f143a15d1da0e8856a8676c5da");
  EXPECT_EQ(train->content().hex(), "7e1dc3a8ec748471b3f3816d4fc33058");
}

TEST(OpenDataset, ReadsFashionMnistAsDebianPacksIt) {
  if (!std::filesystem::exists(fashion)) {
    if (std::getenv("CI") != nullptr) FAIL() << fashion << " is missing: install dataset-fashion-mnist";
    GTEST_SKIP() << fashion << " is missing: install dataset-fashion-mnist";
  }
  const auto test = open_dataset(fashion, "auto", "test");
  EXPECT_EQ(test->description(), "10,000 images 28x28x1, 10 classes, " + fashion + " (idx)");
  EXPECT_THAT(images_per_class(*test), ::testing::Each(1000));
  EXPECT_EQ(test->label(0), 9);
  EXPECT_EQ(open_dataset(fashion, "auto", "train")->size(), 60000u);
}

TEST(OpenDataset, NamesAnUnknownFormat) {
  EXPECT_THAT(bad_input_message([] { open_dataset(digits, "ids", "test"); }),
              HasSubstr("found format 'ids', expected auto or idx or cifar10 or cifar100 or npy or npz or folder; did "
                        "you mean 'idx'?"));
}

TEST(OpenDataset, RefusesALayoutThatHasNoEffect) {
  EXPECT_THAT(bad_input_message([] {
                open_dataset(digits, "auto", "test", {Layout::nchw, {}});
              }),
              HasSubstr("dataset.preprocess.layout has no effect"));
}

TEST(OpenDataset, CropsAndResizesPixels) {
  const auto plain = open_dataset(digits, "idx", "test");
  const auto inner = open_dataset(digits, "idx", "test", {{}, {{}, {}, ImageSize{4, 2}}});
  EXPECT_EQ(inner->height(), 4);
  EXPECT_EQ(inner->width(), 2);
  EXPECT_EQ(inner->label(7), plain->label(7));
  for (std::uint64_t k = 0; k < plain->size(); ++k) {
    const auto whole = pixels_of(*plain, k), part = pixels_of(*inner, k);
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 2; ++x) ASSERT_EQ(part[y * 2 + x], whole[(y + 2) * 8 + x + 3]) << k;
    }
  }
  EXPECT_NE(inner->content(), plain->content());
  EXPECT_THAT(inner->description(), HasSubstr("(idx), crop 4 x 2: 4x2x1"));
  EXPECT_THAT(bad_input_message([] {
                open_dataset(digits, "idx", "test", {{}, {{}, {}, ImageSize{9, 2}}});
              }),
              HasSubstr("found an image of 8 x 8 pixels, expected at least those of the crop, 9 x 2"));
}

class AutomaticFormat : public ::testing::Test {
 protected:
  void write(const std::string& name) const {
    std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
    folder_.write(name, {0});
  }
  std::string found() const { return recognise_format(folder_.path()); }
  std::string problem() const {
    return bad_input_message([&] { recognise_format(folder_.path()); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(AutomaticFormat, IsToldByWhatLiesThere) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"t10k-images-idx3-ubyte.gz", "idx"}, {"test_batch.bin", "cifar10"}, {"train.bin", "cifar100"},
      {"test_images.npy", "npy"},           {"x_train.npy", "npy"},        {"test.npz", "npz"},
      {"test/cat/1.JPEG", "folder"},        {"cat/1.png", "folder"}};
  for (const auto& [name, format] : cases) {
    write("readme.txt");
    write(name);
    EXPECT_EQ(found(), format) << name;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::filesystem::remove_all(entry.path());
    }
  }
}

TEST_F(AutomaticFormat, IsToldOfAFile) {
  EXPECT_EQ(recognise_format(folder_.write("mnist.npz", {0})), "npz");
  EXPECT_EQ(recognise_format(folder_.write("a.bin", std::vector<std::uint8_t>(2 * 3073))), "cifar10");
  EXPECT_EQ(recognise_format(folder_.write("b.bin", std::vector<std::uint8_t>(2 * 3074))), "cifar100");
  EXPECT_THAT(bad_input_message([&] { recognise_format(folder_.write("c.bin", {1})); }),
              HasSubstr("c.bin: found a file that tells no format"));
}

TEST_F(AutomaticFormat, SaysWhatWasFound) {
  write("notes.txt");
  EXPECT_THAT(problem(), HasSubstr("found no data set, expected IDX files"));
  write("test_batch.bin"), write("x_test.npy");
  EXPECT_THAT(problem(), HasSubstr("found data sets of several formats: cifar10, npy; say dataset.format"));
  EXPECT_THAT(bad_input_message([] { open_dataset("/usr/share/datasets/none-such", "auto", "test"); }),
              ::testing::EndsWith("Debian and Ubuntu have it as package dataset-none-such"));
}

TEST(OpenDataset, UnpacksALargeIdxFileOnceForManyProcesses) {
  const testing::CacheFolder cache;
  const auto& folder = cache.folder();
  folder.write("test-images-idx3-ubyte.gz",
               testing::gzipped(testing::idx_bytes({50, 500, 200}, testing::ramp(5'000'000))));
  folder.write("test-labels-idx1-ubyte.gz", testing::gzipped(testing::idx_bytes({50}, testing::ramp(50))));
  const auto read = [&] {
    const auto data = open_dataset(folder.path(), "idx", "test");
    const auto last = pixels_of(*data, 49);
    testing::Bytes expected = testing::ramp(5'000'000);
    expected.erase(expected.begin(), expected.begin() + 4'900'000);
    return last == expected;
  };
  EXPECT_EQ(testing::run_in_processes(6, read), 6);
  EXPECT_EQ(cache.files().size(), 1u);
}

}  // namespace
}  // namespace crossgrid
