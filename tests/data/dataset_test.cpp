#include "crossgrid/data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "data/error_message.hpp"
#include "data/image_values.hpp"

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

TEST(OpenDataset, NamesAFormatThatIsUnknownOrNotYetThere) {
  EXPECT_EQ(bad_input_message([] { open_dataset(digits, "npy", "test"); }),
            digits + ": format 'npy' is known but not yet supported, expected auto or idx or cifar10 or cifar100");
  EXPECT_THAT(bad_input_message([] { open_dataset(digits, "ids", "test"); }),
              HasSubstr("found format 'ids', expected auto or idx or cifar10 or cifar100; did you mean 'idx'?"));
}

}  // namespace
}  // namespace crossgrid
