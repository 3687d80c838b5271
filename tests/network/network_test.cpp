#include "crossgrid/network/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::HasSubstr;

/// Positions of a window, counted one by one.
int positions(int extent, int window, int stride, int padding) {
  int count = 0;
  for (int start = -padding; start + window <= extent + padding; start += stride) ++count;
  return count;
}

Conv2d conv(int outputs, int columns, int kernel, int stride, int padding) {
  return {square_window(kernel, stride, padding), 1, Matrix::Zero(outputs, columns),
          std::vector<float>(static_cast<std::size_t>(outputs))};
}

Shape shape_of(const Operation& operation, const std::vector<Shape>& inputs) {
  return output_shape(operation, inputs, "x");
}
std::string problem_of(const Operation& operation, const std::vector<Shape>& inputs) {
  return bad_input_message([&] { output_shape(operation, inputs, "x"); });
}

TEST(OutputShape, CountsTheWindowsOfConvolutionsAndPools) {
  for (const int extent : {3, 7, 8, 28}) {
    for (const int window : {1, 2, 3}) {
      for (const int stride : {1, 2, 3}) {
        for (int padding = 0; padding < window; ++padding) {
          const int expected = positions(extent, window, stride, padding);
          const Shape input{2, extent, extent + 1};
          const int wide = positions(extent + 1, window, stride, padding);
          EXPECT_EQ(shape_of(conv(5, 2 * window * window, window, stride, padding), {input}),
                    (Shape{5, expected, wide}));
          EXPECT_EQ(shape_of(MaxPool2d{square_window(window, stride, padding)}, {input}), (Shape{2, expected, wide}));
          EXPECT_EQ(shape_of(AvgPool2d{square_window(window, stride, padding)}, {input}), (Shape{2, expected, wide}));
        }
      }
    }
  }
}

TEST(OutputShape, FollowsTheOtherOperations) {
  const Shape image{3, 4, 5};
  EXPECT_EQ(shape_of(Clamp{}, {image}), image);
  EXPECT_EQ(shape_of(Add{}, {image, image}), image);
  EXPECT_EQ(shape_of(Flatten{}, {image}), (Shape{60, 1, 1}));
  EXPECT_EQ(shape_of(GlobalAvgPool{}, {image}), (Shape{3, 1, 1}));
  EXPECT_EQ(shape_of(Linear{Matrix::Zero(7, 60), {}}, {Shape{60, 1, 1}}), (Shape{7, 1, 1}));
  EXPECT_EQ(shape_of(Softmax{}, {Shape{7, 1, 1}}), (Shape{7, 1, 1}));
}

TEST(OutputShape, NamesSizesThatDoNotFit) {
  EXPECT_EQ(problem_of(conv(5, 17, 3, 1, 1), {{2, 8, 8}}),
            "x: found 17 weights per output channel, expected 18 (2 input channels x kernel 3 x 3)");
  EXPECT_EQ(problem_of(Linear{Matrix::Zero(7, 59), {}}, {{60, 1, 1}}),
            "x: found 59 weights per output, expected 60, one per input");
  EXPECT_THAT(problem_of(Linear{Matrix::Zero(7, 60), {}}, {{3, 4, 5}}),
              HasSubstr("found an input of 3 x 4 x 5 (channels x height x width), expected a vector: put a flatten"));
  EXPECT_THAT(problem_of(Conv2d{square_window(3, 1, 1), 2, Matrix::Zero(4, 9), {}}, {{3, 8, 8}}),
              HasSubstr("found 2 groups, expected a divisor of its 3 input and 4 output channels"));
  EXPECT_THAT(problem_of(Add{}, {{3, 4, 5}, {3, 5, 4}}),
              HasSubstr("3 x 4 x 5 (channels x height x width) and 3 x 5 x 4"));
  EXPECT_EQ(problem_of(MaxPool2d{square_window(4, 4, 0)}, {{1, 3, 5}}),
            "x: found a window of 4 x 4, expected one no larger than its input of 3 x 5 with padding 0");
  EXPECT_EQ(problem_of(Add{}, {{3, 4, 5}}), "x: found 1 inputs, expected 2");
  EXPECT_EQ(problem_of(Clamp{}, {{3, 4, 5}, {3, 4, 5}}), "x: found 2 inputs, expected 1");
}

TEST(MatrixLayers, AreConvolutionsAndLinearLayersInOrder) {
  Network network;
  network.layers.push_back({"a", conv(5, 18, 3, 1, 0), {-1}, {5, 6, 4}});
  network.layers.push_back({"b", Clamp{}, {0}, {5, 6, 4}});
  network.layers.push_back({"c", Flatten{}, {1}, {120, 1, 1}});
  network.layers.push_back({"d", Linear{Matrix::Zero(10, 120), {}}, {2}, {10, 1, 1}});
  const std::vector<MatrixLayer> found = matrix_layers(network);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].layer, 0);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_EQ(found[0].rows, 18);
  EXPECT_EQ(found[0].cols, 5);
  EXPECT_EQ(found[0].mvms_per_image, 24);
  EXPECT_TRUE(found[0].convolution);
  EXPECT_EQ(found[1].layer, 3);
  EXPECT_EQ(found[1].rows, 120);
  EXPECT_EQ(found[1].cols, 10);
  EXPECT_EQ(found[1].mvms_per_image, 1);
  EXPECT_FALSE(found[1].convolution);
}

}  // namespace
}  // namespace crossgrid
