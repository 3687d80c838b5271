#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "crossgrid/base/json.hpp"
#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/network.hpp"

// The shipped networks, read from their files and run by the plainest loops in double precision, must give what PyTorch
// gave when they were trained (tests/data/reference): reading, preprocessing and the order of weights are right.
namespace crossgrid {
namespace {

using Values = std::vector<double>;  // channels x height x width

double at(const Values& image, const Shape& shape, int channel, int y, int x) {
  if (y < 0 || x < 0 || y >= shape.height || x >= shape.width) return 0.0;
  return image[static_cast<std::size_t>((channel * shape.height + y) * shape.width + x)];
}

Values convolve(const Conv2d& conv, const Values& in, const Shape& from, const Shape& to) {
  Values out;
  for (int o = 0; o < to.channels; ++o) {
    for (int y = 0; y < to.height; ++y) {
      for (int x = 0; x < to.width; ++x) {
        double sum = conv.bias[static_cast<std::size_t>(o)];
        for (int column = 0; column < conv.weights.cols(); ++column) {
          const WindowAxis &rows = conv.window.vertical, &columns = conv.window.horizontal;
          const int kx = column % columns.kernel;
          const int ky = column / columns.kernel % rows.kernel;
          const int c = column / columns.kernel / rows.kernel;
          sum += conv.weights(o, column) *
                 at(in, from, c, y * rows.stride + ky - rows.before, x * columns.stride + kx - columns.before);
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

Values pool(const MaxPool2d& window, const Values& in, const Shape& from, const Shape& to) {
  Values out;
  for (int c = 0; c < to.channels; ++c) {
    for (int y = 0; y < to.height; ++y) {
      for (int x = 0; x < to.width; ++x) {
        double largest = -HUGE_VAL;
        const int size = window.window.vertical.kernel, stride = window.window.vertical.stride;
        for (int k = 0; k < size * size; ++k) {
          largest = std::max(largest, at(in, from, c, y * stride + k / size, x * stride + k % size));
        }
        out.push_back(largest);
      }
    }
  }
  return out;
}

Values multiply(const Linear& linear, const Values& in) {
  Values out(linear.bias.begin(), linear.bias.end());
  for (std::size_t o = 0; o < out.size(); ++o) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      out[o] += linear.weights(static_cast<Eigen::Index>(o), static_cast<Eigen::Index>(i)) * in[i];
    }
  }
  return out;
}

/// Logits of one image, layer after layer; both networks are plain sequences without padding in their pools.
Values logits(const Network& network, std::span<const std::uint8_t> pixels) {
  Values values;
  for (const std::uint8_t pixel : pixels) values.push_back(pixel * network.preprocess.scale);
  Shape shape = network.input;
  for (const Layer& layer : network.layers) {
    if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) {
      values = convolve(*conv, values, shape, layer.output);
    } else if (const auto* linear = std::get_if<Linear>(&layer.operation)) {
      values = multiply(*linear, values);
    } else if (const auto* window = std::get_if<MaxPool2d>(&layer.operation)) {
      values = pool(*window, values, shape, layer.output);
    } else if (std::holds_alternative<Clamp>(layer.operation)) {
      for (double& value : values) value = std::max(value, 0.0);
    }
    shape = layer.output;
  }
  return values;
}

class ShippedNetwork : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, ShippedNetwork, ::testing::Values("digits", "fashion"),
                         [](const auto& test) { return test.param; });

TEST_P(ShippedNetwork, GivesTheLogitsOfPyTorch) {
  const std::string source = CROSSGRID_TEST_SOURCE_DIR "/";
  const Json reference = read_json_file(source + "tests/data/reference/" + GetParam() + "-cnn-logits.json");
  const std::string folder = (std::filesystem::path(source) / reference["dataset"].get<std::string>()).string();
  if (!std::filesystem::exists(folder)) {
    if (std::getenv("CI") != nullptr) FAIL() << folder << " is missing";
    GTEST_SKIP() << folder << " is missing";
  }
  const Network network = read_network(source + reference["network"].get<std::string>());
  const auto data = open_dataset(folder, "auto", reference["split"]);
  EXPECT_EQ(data->size(), reference["images"]);
  for (std::size_t image = 0; image < 20; ++image) {
    ImageBuffer buffer;
    const Values found = logits(network, std::get<Pixels>(data->image(image, buffer)));
    ASSERT_EQ(found.size(), 10u);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double expected = reference["logits"][image][i];
      EXPECT_NEAR(found[i], expected, 1e-10 * (1 + std::abs(expected))) << "image " << image << ", class " << i;
    }
  }
}

}  // namespace
}  // namespace crossgrid
