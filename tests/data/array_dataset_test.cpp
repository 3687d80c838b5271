#include "crossgrid/data/array_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "data/error_message.hpp"
#include "data/image_values.hpp"
#include "data/npy_bytes.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::image_of;
using testing::npy_bytes;
using testing::npy_file;
using testing::npy_header;
using testing::pixels_of;

/// 0, 1, 2, ...
template <class T>
std::vector<T> counted(std::size_t size) {
  std::vector<T> numbers(size);
  for (std::size_t k = 0; k < size; ++k) numbers[k] = static_cast<T>(k);
  return numbers;
}

class ArrayDatasetTest : public ::testing::Test {
 protected:
  void write_labels(const std::vector<std::int64_t>& labels = {2, 0}) const {
    folder_.write("test_labels.npy", npy_file("<i8", "(" + std::to_string(labels.size()) + ",)", labels));
  }
  std::shared_ptr<const Dataset> open(const Bytes& images, Layout layout = Layout::automatic) const {
    folder_.write("test_images.npy", images);
    return open_npy_dataset(folder_.path(), "test", layout);
  }
  std::string problem(const Bytes& images, Layout layout = Layout::automatic) const {
    return bad_input_message([&] { open(images, layout); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ArrayDatasetTest, ReadsGreyPixels) {
  write_labels();
  const auto data = open(npy_file("|u1", "(2, 2, 3)", counted<std::uint8_t>(12)));
  EXPECT_EQ(data->size(), 2u);
  EXPECT_EQ(data->height(), 2);
  EXPECT_EQ(data->width(), 3);
  EXPECT_EQ(data->channels(), 1);
  EXPECT_EQ(data->classes(), 3);
  EXPECT_EQ(data->label(0), 2);
  EXPECT_FALSE(data->floats());
  EXPECT_THAT(pixels_of(*data, 1), ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_EQ(data->description(), "2 images 2x3x1, 3 classes, " + folder_.path() + " (npy)");
}

// What NumPy's transpose (0, 2, 3, 1) of the planar array holds.
TEST_F(ArrayDatasetTest, GivesChannelsLastWhateverTheLayout) {
  write_labels();
  const auto last = open(npy_file("|u1", "(2, 2, 2, 3)", counted<std::uint8_t>(24)));
  EXPECT_EQ(last->channels(), 3);
  EXPECT_THAT(pixels_of(*last, 1), ElementsAre(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
  const auto first = open(npy_file("|u1", "(2, 3, 2, 2)", counted<std::uint8_t>(24)));
  EXPECT_EQ(first->channels(), 3);
  EXPECT_EQ(first->height(), 2);
  EXPECT_THAT(pixels_of(*first, 1), ElementsAre(12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23));
  EXPECT_EQ(open(npy_file("|u1", "(2, 1, 4, 5)", counted<std::uint8_t>(40)))->width(), 5);
  EXPECT_EQ(open(npy_file("|u1", "(2, 4, 5, 1)", counted<std::uint8_t>(40)))->width(), 5);
}

TEST_F(ArrayDatasetTest, AsksForTheLayoutWhereShapesDoNotTell) {
  write_labels();
  for (const char* shape : {"(2, 3, 4, 3)", "(2, 6, 3, 2)"}) {  // both could be, none could be
    const Bytes images = npy_file("|u1", shape, counted<std::uint8_t>(72));
    EXPECT_THAT(problem(images), HasSubstr("say dataset.preprocess.layout")) << shape;
  }
  const Bytes images = npy_file("|u1", "(2, 3, 4, 3)", counted<std::uint8_t>(72));
  const auto last = open(images, Layout::nhwc), first = open(images, Layout::nchw);
  EXPECT_EQ(last->width(), 4);
  EXPECT_EQ(first->width(), 3);
  EXPECT_EQ(first->height(), 4);
  EXPECT_THAT(pixels_of(*last, 0)[1], 1);
  EXPECT_THAT(pixels_of(*first, 0)[1], 12);
}

TEST_F(ArrayDatasetTest, ReadsFloatsOfAnyRange) {
  write_labels();
  const std::vector<float> values{-1.5f, 0, 3e5f, 1e-20f, 2, 7};
  const auto data = open(npy_file("<f4", "(2, 3)", values));
  EXPECT_TRUE(data->floats());
  EXPECT_EQ(data->channels(), 3) << "features";
  EXPECT_EQ(data->height(), 1);
  EXPECT_THAT(image_of<float>(*data, 0), ElementsAre(-1.5f, 0, 3e5f));
  EXPECT_THAT(image_of<float>(*data, 1), ElementsAre(1e-20f, 2, 7));
  EXPECT_THAT(data->description(), HasSubstr("2 images 1x1x3 of floats, 3 classes"));
  const auto doubles = open(npy_file("<f8", "(2, 3)", std::vector<double>{0.1, -1, 2, 3, 4, 5}));
  EXPECT_THAT(image_of<float>(*doubles, 0), ElementsAre(0.1f, -1, 2));
  const auto planar = open(npy_file("<f4", "(2, 3, 1, 2)", counted<float>(12)));
  EXPECT_THAT(image_of<float>(*planar, 1), ElementsAre(6, 8, 10, 7, 9, 11));
}

TEST_F(ArrayDatasetTest, ReadsFloatsThatAreNotAligned) {
  write_labels();
  Bytes bytes = npy_file("<f4", "(2, 3)", counted<float>(6));
  bytes.insert(bytes.begin() + 10, ' ');
  ++bytes[8];
  EXPECT_THAT(image_of<float>(*open(bytes), 1), ElementsAre(3, 4, 5));
}

TEST_F(ArrayDatasetTest, HasTheIdentityOfTheSameImagesElsewhere) {
  write_labels();
  const auto last = open(
      npy_file("|u1", "(2, 1, 2, 3)", std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), Layout::nhwc);
  const Id128 content = last->content();
  const auto first =
      open(npy_file("|u1", "(2, 3, 1, 2)", std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12}));
  EXPECT_EQ(first->content(), content);
  write_labels({2, 1});
  EXPECT_NE(open_npy_dataset(folder_.path(), "test", Layout::automatic)->content(), content);
}

TEST_F(ArrayDatasetTest, ReadsLabelsOfAnyIntegers) {
  const Bytes images = npy_file("|u1", "(2, 1, 3)", counted<std::uint8_t>(6));
  const auto expect = [&](const Bytes& labels, int first) {
    folder_.write("test_labels.npy", labels);
    EXPECT_EQ(open(images)->label(0), first);
  };
  expect(npy_file("|u1", "(2,)", std::vector<std::uint8_t>{200, 1}), 200);
  expect(npy_file("|i1", "(2,)", std::vector<std::int8_t>{100, 1}), 100);
  expect(npy_file("<u2", "(2, 1)", std::vector<std::uint16_t>{300, 1}), 300);
  expect(npy_file("<i4", "(2,)", std::vector<std::int32_t>{999, 1}), 999);
  expect(npy_file("<u8", "(2,)", std::vector<std::uint64_t>{7, 1}), 7);
}

TEST_F(ArrayDatasetTest, FindsKerasNames) {
  folder_.write("x_train.npy", npy_file("|u1", "(1, 1, 2)", counted<std::uint8_t>(2)));
  folder_.write("y_train.npy", npy_file("<i8", "(1,)", std::vector<std::int64_t>{4}));
  EXPECT_EQ(open_npy_dataset(folder_.path(), "train", Layout::automatic)->label(0), 4);
  EXPECT_EQ(bad_input_message([&] { open_npy_dataset(folder_.path(), "trian", Layout::automatic); }),
            folder_.path() + ": found no split 'trian', expected train; did you mean 'train'?");
}

TEST_F(ArrayDatasetTest, SaysWhatIsWrong) {
  const Bytes images = npy_file("|u1", "(2, 1, 3)", counted<std::uint8_t>(6));
  const auto labels_problem = [&](const Bytes& labels) {
    folder_.write("test_labels.npy", labels);
    return problem(images);
  };
  EXPECT_THAT(bad_input_message([&] { open_npy_dataset(folder_.path(), "test", Layout::automatic); }),
              HasSubstr("found no arrays of images (it holds none), expected test_images and test_labels, or x_test"));
  EXPECT_THAT(problem(images), HasSubstr("found test_images without its labels, expected test_labels"));
  EXPECT_THAT(labels_problem(npy_file("<i8", "(2,)", std::vector<std::int64_t>{3, -1})),
              HasSubstr("test_labels.npy: image 1 has label -1, expected 0 or more"));
  EXPECT_THAT(labels_problem(npy_file("<i8", "(2,)", std::vector<std::int64_t>{3, std::int64_t{1} << 40})),
              HasSubstr("image 1 has label 1099511627776"));
  EXPECT_THAT(labels_problem(npy_file("<f4", "(2,)", std::vector<float>{3, 1})),
              HasSubstr("found numbers of type '<f4' and shape 2, expected labels: integers, N or N x 1"));
  EXPECT_THAT(labels_problem(npy_file("|u1", "(2, 10)", std::vector<std::uint8_t>(20))), HasSubstr("shape 2 x 10"));
  EXPECT_THAT(labels_problem(npy_file("|u1", "(3,)", std::vector<std::uint8_t>(3))),
              HasSubstr("found 3 labels, expected 2, one per image of " + folder_.file("test_images.npy")));
  write_labels();
  EXPECT_THAT(problem(npy_file("<i4", "(2, 1, 3)", std::vector<std::int32_t>(6))),
              HasSubstr("test_images.npy: found images of type '<i4', expected |u1, <f4 or <f8"));
  EXPECT_THAT(problem(npy_file("|u1", "(6,)", counted<std::uint8_t>(6))),
              HasSubstr("found an array of shape 6, expected images"));
  EXPECT_THAT(problem(npy_bytes(1, npy_header("|u1", "(2, 1, 3)", true), Bytes(6))), HasSubstr("Fortran order"));
  EXPECT_THAT(problem(npy_file("|u1", "(0, 1, 3)", std::vector<std::uint8_t>{})), HasSubstr("expected some images"));
  Bytes cut = images;
  cut.pop_back();
  EXPECT_THAT(problem(cut), HasSubstr("test_images.npy: found 5 bytes of numbers, expected 6"));
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_THAT(problem(npy_file("<f4", "(2, 2)", std::vector<float>{0, 1, 2, infinite})),
              HasSubstr("image 1 holds the value inf, expected finite numbers"));
  EXPECT_THAT(bad_input_message([&] { open_npy_dataset(folder_.file("none"), "test", Layout::automatic); }),
              HasSubstr("none: can't be read as a folder: No such file"));
}

}  // namespace
}  // namespace crossgrid
