#include "crossgrid/data/image_geometry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"

namespace crossgrid {
namespace {

using ::testing::ElementsAre;

ImageSize resized(int shorter, ImageSize from) {
  return ImageGeometry{shorter, {}, {}}.resized(from);
}

// What torchvision's Resize gives: the longer side is int(size * long / short).
TEST(ImageGeometry, ResizesTheShorterSide) {
  EXPECT_EQ(resized(256, {375, 500}), (ImageSize{256, 341}));
  EXPECT_EQ(resized(256, {500, 375}), (ImageSize{341, 256}));
  EXPECT_EQ(resized(7, {3, 5}), (ImageSize{7, 11}));
  EXPECT_EQ(resized(3, {3, 5}), (ImageSize{3, 5}));
}

std::vector<std::uint8_t> cropped(int from, int to) {
  std::vector<std::uint8_t> row(static_cast<std::size_t>(from)), out(static_cast<std::size_t>(to)), scratch;
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<std::uint8_t>(k);
  ImageGeometry{{}, {}, ImageSize{1, to}}.apply(row, {1, from}, 1, out, scratch);
  return out;
}

// int(round((from - to) / 2.0)) in Python, which rounds halves to the even number.
TEST(ImageGeometry, CropsAsPythonRounds) {
  EXPECT_THAT(cropped(5, 2), ElementsAre(2, 3)) << "1.5 becomes 2";
  EXPECT_THAT(cropped(7, 2), ElementsAre(2, 3)) << "2.5 becomes 2";
  EXPECT_THAT(cropped(4, 2), ElementsAre(1, 2));
  EXPECT_THAT(cropped(3, 2), ElementsAre(0, 1)) << "0.5 becomes 0";
}

TEST(ImageGeometry, KeepsChannelsAndRowsTogether) {
  std::vector<std::uint8_t> image(4 * 4 * 3), out(2 * 2 * 3), scratch;
  for (std::size_t k = 0; k < image.size(); ++k) image[k] = static_cast<std::uint8_t>(k);
  ImageGeometry{{}, {}, ImageSize{2, 2}}.apply(image, {4, 4}, 3, out, scratch);
  EXPECT_THAT(out, ElementsAre(15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32));
}

TEST(ImageGeometry, RefusesACropThatIsLargerThanTheImage) {
  const ImageGeometry geometry{8, {}, ImageSize{8, 9}};
  EXPECT_EQ(testing::bad_input_message([&] {
              geometry.result({16, 16}, "a.png");
            }),
            "a.png: found an image of 8 x 8 (resized) pixels, expected at least those of the crop, 8 x 9");
  EXPECT_EQ(geometry.result({16, 20}, "a.png"), (ImageSize{8, 9}));
  EXPECT_EQ(geometry.text(), "resize 8, crop 8 x 9");
}

}  // namespace
}  // namespace crossgrid
