#include "crossgrid/data/cifar_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.hpp"
#include "image_values.hpp"
#include "temporary_folder.hpp"

namespace crossgrid {
namespace {

using crossgrid::testing::bad_input_message;
using crossgrid::testing::TemporaryFolder;
using ::testing::HasSubstr;

/// Records of `labels` bytes and 3 planes of 1024 pixels: pixel p of channel c of image k is k + c + p, modulo 256.
std::vector<std::uint8_t> records(int images, int labels, int first_label) {
  std::vector<std::uint8_t> bytes;
  for (int k = 0; k < images; ++k) {
    for (int l = 0; l < labels; ++l) bytes.push_back(static_cast<std::uint8_t>(first_label + k + l));
    for (int c = 0; c < 3; ++c) {
      for (int p = 0; p < 1024; ++p) bytes.push_back(static_cast<std::uint8_t>(k + c + p));
    }
  }
  return bytes;
}

TEST(CifarDataset, ReadsAFileChannelLast) {
  const TemporaryFolder folder;
  const auto data = open_cifar_dataset(folder.write("some.bin", records(3, 1, 4)), 10, "test");
  EXPECT_EQ(data->size(), 3u);
  EXPECT_EQ(data->classes(), 10);
  EXPECT_EQ(data->channels() * data->height() * data->width(), 3072);
  EXPECT_EQ(data->label(2), 6);
  const auto pixels = testing::pixels_of(*data, 1);
  EXPECT_EQ(pixels[0], 1);
  EXPECT_EQ(pixels[1], 2);
  EXPECT_EQ(pixels[2], 3) << "the channels of one pixel";
  EXPECT_EQ(pixels[3 * 33 + 1], 1 + 1 + 33);
  EXPECT_THAT(data->description(), HasSubstr("3 images 32x32x3, 10 classes"));
}

TEST(CifarDataset, FindsTheFilesOfTheArchives) {
  const TemporaryFolder folder;
  for (int k = 1; k <= 5; ++k) folder.write("data_batch_" + std::to_string(k) + ".bin", records(2, 1, k));
  folder.write("test_batch.bin", records(1, 1, 9));
  const auto train = open_cifar_dataset(folder.path(), 10, "train");
  EXPECT_EQ(train->size(), 10u);
  EXPECT_EQ(train->label(9), 6) << "in the order of their numbers";
  const auto test = open_cifar_dataset(folder.path(), 10, "test");
  EXPECT_EQ(test->size(), 1u);
  EXPECT_NE(test->content(), train->content());
  folder.write("test.bin", records(2, 2, 90));
  EXPECT_EQ(open_cifar_dataset(folder.path(), 100, "test")->label(1), 92) << "the fine label";
}

// Journals name data by this.
TEST(CifarDataset, IsToldByItsPixelsChannelLast) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> pixels;
  for (int k = 0; k < 3; ++k) {
    for (int p = 0; p < 1024; ++p) {
      for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<std::uint8_t>(k + c + p));
    }
  }
  const std::vector<std::uint8_t> labels{4, 5, 6};
  EXPECT_EQ(open_cifar_dataset(folder.write("some.bin", records(3, 1, 4)), 10, "test")->content(),
            hash_text("cifar 10: " + hash_bytes(pixels.data(), pixels.size()).hex() + " " +
                      hash_bytes(labels.data(), labels.size()).hex()));
}

TEST(CifarDataset, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto problem = [&](const std::string& path, const std::string& split = "test") {
    return bad_input_message([&] { open_cifar_dataset(path, 10, split); });
  };
  auto bytes = records(2, 1, 0);
  bytes.pop_back();
  EXPECT_THAT(problem(folder.write("short.bin", bytes)),
              HasSubstr("short.bin: has 6145 bytes, expected a multiple of 3073"));
  EXPECT_THAT(problem(folder.write("empty.bin", {})), HasSubstr("empty.bin"));
  EXPECT_THAT(problem(folder.write("label.bin", records(2, 1, 9))), HasSubstr("image 1 has label 10, expected 0 to 9"));
  EXPECT_THAT(problem(folder.path()), HasSubstr("found no test_batch.bin"));
  EXPECT_THAT(problem(folder.path(), "valid"), HasSubstr("found no split 'valid', expected train or test"));
  EXPECT_THAT(problem(folder.file("none.bin")), HasSubstr("none.bin"));
}

}  // namespace
}  // namespace crossgrid
