#include "crossgrid/data/idx_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"
#include "data/idx_bytes.hpp"
#include "data/image_values.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using ::testing::AllOf;
using testing::bad_input_message;
using testing::Bytes;
using ::testing::EndsWith;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::idx_bytes;
using testing::ramp;
using ::testing::StartsWith;

class IdxDatasetTest : public ::testing::Test {
 protected:
  void write_split(const std::string& images, const std::string& labels, std::uint32_t count = 3) const {
    folder_.write(images, idx_bytes({count, 2, 3}, ramp(6 * std::size_t{count})));
    folder_.write(labels, idx_bytes({count}, ramp(count)));
  }
  std::string message(const std::string& split = "test") const {
    return bad_input_message([&] { open_idx_dataset(folder_.path(), split); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(IdxDatasetTest, HasImagesAndLabelsInFileOrder) {
  write_split("test-images-idx3-ubyte", "test-labels-idx1-ubyte");
  const auto data = open_idx_dataset(folder_.path(), "test");
  EXPECT_EQ(data->size(), 3u);
  EXPECT_EQ(data->height(), 2);
  EXPECT_EQ(data->width(), 3);
  EXPECT_EQ(data->channels(), 1);
  EXPECT_EQ(data->classes(), 3);
  EXPECT_THAT(testing::pixels_of(*data, 1), ::testing::ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_EQ(data->label(2), 2);
  EXPECT_EQ(data->description(), "3 images 2x3x1, 3 classes, " + folder_.path() + " (idx)");
}

TEST_F(IdxDatasetTest, FindsEveryWayOfNamingTheTestSplit) {
  for (const char* prefix : {"test", "t10k"}) {
    for (const char* ending : {"-idx{}-ubyte", ".idx{}-ubyte"}) {
      const std::string images = prefix + std::string("-images") + ending;
      const std::string labels = prefix + std::string("-labels") + ending;
      const auto named = [](std::string name, char digit) { return name.replace(name.find("{}"), 2, 1, digit); };
      write_split(named(images, '3'), named(labels, '1'));
      EXPECT_EQ(open_idx_dataset(folder_.path(), "test")->size(), 3u) << images;
      std::filesystem::remove(folder_.file(named(images, '3')));
      std::filesystem::remove(folder_.file(named(labels, '1')));
    }
  }
}

TEST_F(IdxDatasetTest, GroupsDigitsOfLargeCounts) {
  const std::vector<std::pair<std::uint32_t, std::string>> counts{
      {999, "999 images"}, {1000, "1,000 images"}, {12345, "12,345 images"}, {1234567, "1,234,567 images"}};
  for (const auto& [count, text] : counts) {
    write_split("test-images-idx3-ubyte", "test-labels-idx1-ubyte", count);
    EXPECT_THAT(open_idx_dataset(folder_.path(), "test")->description(), StartsWith(text + " 2x3x1, 251 classes"));
  }
}

TEST_F(IdxDatasetTest, ContentIsThatOfPixelsLabelsAndShapeNotOfPackingOrPlace) {
  const auto content = [&](const std::vector<std::uint32_t>& shape, const Bytes& pixels, const Bytes& labels,
                           bool packed) {
    const Bytes images = idx_bytes(shape, pixels);
    folder_.write("test-images-idx3-ubyte", packed ? gzipped(images) : images);
    folder_.write("test-labels-idx1-ubyte", idx_bytes({shape[0]}, labels));
    return open_idx_dataset(folder_.path(), "test")->content();
  };
  const Id128 plain = content({3, 2, 3}, ramp(18), ramp(3), false);
  EXPECT_EQ(plain, content({3, 2, 3}, ramp(18), ramp(3), true));
  Bytes other_pixels = ramp(18);
  other_pixels[17] ^= 1;
  EXPECT_NE(plain, content({3, 2, 3}, other_pixels, ramp(3), false));
  EXPECT_NE(plain, content({3, 2, 3}, ramp(18), {0, 1, 1}, false));
  EXPECT_NE(plain, content({3, 3, 2}, ramp(18), ramp(3), false));
}

TEST_F(IdxDatasetTest, NamesAMissingFolderAndWhereDebianHasIt) {
  EXPECT_EQ(bad_input_message([&] { open_idx_dataset(folder_.file("none"), "test"); }),
            folder_.file("none") + ": no such folder, expected one that holds the splits as IDX files");
  EXPECT_THAT(bad_input_message([&] { open_idx_dataset("/usr/share/datasets/none-such", "test"); }),
              EndsWith("Debian and Ubuntu have it as package dataset-none-such"));
}

TEST_F(IdxDatasetTest, NamesTheFilesThatItLookedFor) {
  EXPECT_THAT(message(), AllOf(HasSubstr("found no IDX images, expected test-images-idx3-ubyte or "),
                               EndsWith("or t10k-images-idx3-ubyte.gz or t10k-images.idx3-ubyte.gz")));
  write_split("test-images-idx3-ubyte", "train-labels-idx1-ubyte");
  EXPECT_THAT(message(),
              AllOf(HasSubstr("/test-images-idx3-ubyte without its labels, expected test-labels-idx1-ubyte or ")));
}

TEST_F(IdxDatasetTest, NamesTheSplitsThatThereAre) {
  write_split("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
  write_split("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
  EXPECT_EQ(message("trian"),
            folder_.path() + ": found no split 'trian', expected test or train; did you mean 'train'?");
  EXPECT_THAT(message("../test"), HasSubstr("found split '../test', expected a name such as test or train"));
}

TEST_F(IdxDatasetTest, NamesCountsThatDiffer) {
  folder_.write("test-images-idx3-ubyte", idx_bytes({3, 2, 3}, ramp(18)));
  folder_.write("test-labels-idx1-ubyte", idx_bytes({4}, ramp(4)));
  EXPECT_EQ(message(), folder_.file("test-labels-idx1-ubyte") + ": found 4 labels, expected 3, one per image of " +
                           folder_.file("test-images-idx3-ubyte"));
}

}  // namespace
}  // namespace crossgrid
