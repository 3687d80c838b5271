#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/network.hpp"

/// Small networks and images made in code, and the plainest way to run them.
namespace crossgrid::test {

class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(Shape shape, int classes, std::uint64_t images, unsigned seed)
      : shape_(shape), classes_(classes), labels_(images) {
    std::mt19937 random(seed);
    pixels_.resize(images * shape.size());
    for (auto& pixel : pixels_) pixel = static_cast<std::uint8_t>(random() & 255u);
    for (auto& label : labels_) label = static_cast<int>(random() % static_cast<unsigned>(classes));
  }
  std::uint64_t size() const override { return labels_.size(); }
  int channels() const override { return shape_.channels; }
  int height() const override { return shape_.height; }
  int width() const override { return shape_.width; }
  int classes() const override { return classes_; }
  ImageView image(std::uint64_t index, ImageBuffer&) const override { return pixels(index); }
  Pixels pixels(std::uint64_t index) const { return Pixels(pixels_).subspan(index * shape_.size(), shape_.size()); }
  int label(std::uint64_t index) const override { return labels_[index]; }
  Id128 content() const override { return hash_bytes(pixels_.data(), pixels_.size()); }
  std::string description() const override { return "random images"; }

 private:
  Shape shape_;
  int classes_;
  std::vector<std::uint8_t> pixels_;
  std::vector<int> labels_;
};

/// A hardware that a test runs its network on.
struct HardwareCase {
  const char* name;
  std::function<void(LayerHardware&)> change;
  float tolerance = 2e-5F;  ///< of the largest logit: more where a code may flip
};

/// Appends layers with random weights and fills in shapes.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(Shape input, unsigned seed = 1) : random_(seed) {
    network_.name = "random";
    network_.input = input;
  }
  /// Index of the new layer.
  int add(Operation operation, std::vector<int> inputs) {
    std::vector<Shape> shapes;
    for (const int input : inputs) shapes.push_back(shape(input));
    const std::string name = "/layer" + std::to_string(network_.layers.size());
    const Shape out = output_shape(operation, shapes, name);
    network_.layers.push_back({name, std::move(operation), std::move(inputs), out});
    network_.classes = out.channels;
    return static_cast<int>(network_.layers.size()) - 1;
  }
  int conv(int from, int out_channels, int kernel, int stride, int padding) {
    const int rows = shape(from).channels * kernel * kernel;
    return add(Conv2d{square_window(kernel, stride, padding), 1, weights(out_channels, rows), bias(out_channels)},
               {from});
  }
  int linear(int from, int outputs) {
    const int rows = shape(from).channels;
    return add(Linear{weights(outputs, rows), bias(outputs)}, {from});
  }
  int relu(int from) { return add(Clamp{}, {from}); }
  /// Any windows and groups.
  int conv(int from, int out_channels, const Window& window, int groups) {
    const int rows = shape(from).channels / groups * window.size();
    return add(Conv2d{window, groups, weights(out_channels, rows), bias(out_channels)}, {from});
  }
  Preprocess& preprocess() { return network_.preprocess; }
  const Network& network() const { return network_; }

 private:
  Shape shape(int layer) const {
    return layer < 0 ? network_.input : network_.layers[static_cast<std::size_t>(layer)].output;
  }
  float draw() { return std::uniform_real_distribution<float>(-1, 1)(random_); }
  Matrix weights(int outputs, int rows) {
    Matrix w(outputs, rows);
    const float scale = 1.5f / std::sqrt(static_cast<float>(rows));
    for (Eigen::Index k = 0; k < w.size(); ++k) w.data()[k] = draw() * scale;
    return w;
  }
  std::vector<float> bias(int outputs) {
    std::vector<float> b(static_cast<std::size_t>(outputs));
    for (float& value : b) value = draw() * 0.1f;
    return b;
  }
  Network network_;
  std::mt19937 random_;
};

/// Weights, DACs and calibrated ADCs of 8 bits.
inline void converters(LayerHardware& h) {
  h.core.weight_bits = 8;
  h.dac = {ConverterModel::quantizer, 8, DacSign::automatic, RangeRule::calibrated, {}, {}};
  h.adc.model = ConverterModel::quantizer, h.adc.bits = 8;
}

/// Every kind of layer, sizes that are no multiple of a vector.
inline Network everything_network() {
  NetworkBuilder b({3, 13, 11});
  b.preprocess() = {1 / 255.0, {0.4, 0.5, 0.6}, {0.3, 0.2, 0.25}};
  const int stem = b.relu(b.conv(-1, 10, 3, 1, 1));
  const int branch = b.conv(stem, 10, 3, 1, 1);
  const int sum = b.relu(b.add(Add{}, {stem, branch}));
  const int pooled = b.add(MaxPool2d{square_window(3, 2, 1)}, {sum});
  const int strided = b.relu(b.conv(pooled, 17, 3, 2, 1));
  const int mean = b.add(AvgPool2d{square_window(2, 1, 1)}, {strided});
  const int wide = b.conv(mean, 8, 1, 1, 0);
  const int flat = b.add(Flatten{}, {wide});
  const int hidden = b.relu(b.linear(flat, 12));
  b.linear(hidden, 7);
  return b.network();
}

inline Network residual_network() {
  NetworkBuilder b({4, 9, 9}, 5);
  const int a = b.relu(b.conv(-1, 16, 3, 1, 1));
  const int c = b.conv(b.relu(b.conv(a, 16, 3, 1, 1)), 16, 3, 1, 1);
  const int d = b.relu(b.add(Add{}, {c, a}));
  b.add(Softmax{}, {b.linear(b.add(Flatten{}, {b.add(GlobalAvgPool{}, {d})}), 6)});
  return b.network();
}

/// Activations of one image in (h, w, c) order.
using Values = std::vector<double>;

inline Values image_values(const Network& network, const Dataset& data, std::uint64_t image) {
  Values values;
  ImageBuffer buffer;
  const auto pixels = std::get<Pixels>(data.image(image, buffer));
  for (std::size_t k = 0; k < pixels.size(); ++k) {
    const std::size_t c = k % static_cast<std::size_t>(network.input.channels);
    const Preprocess& p = network.preprocess;
    const double mean = p.mean.empty() ? 0 : p.mean[c], deviation = p.std.empty() ? 1 : p.std[c];
    values.push_back((pixels[k] * p.scale - mean) / deviation);
  }
  return values;
}

/// The input vector of one sliding window in the matrix's order (channel, kernel row, kernel column).
inline Values window_inputs(const Values& image, const ConvolutionShape& g, int window) {
  Values x;
  const WindowAxis &rows = g.window.vertical, &cols = g.window.horizontal;
  const int top = window / g.out_width() * rows.stride - rows.before;
  const int left = window % g.out_width() * cols.stride - cols.before;
  for (int c = 0; c < g.in_channels; ++c) {
    for (int i = 0; i < rows.kernel; ++i) {
      for (int j = 0; j < cols.kernel; ++j) {
        const int row = top + i * rows.dilation, col = left + j * cols.dilation;
        const bool inside = row >= 0 && row < g.height && col >= 0 && col < g.width;
        x.push_back(inside ? image[static_cast<std::size_t>((row * g.width + col) * g.in_channels + c)] : 0);
      }
    }
  }
  return x;
}

/// A convolution or linear layer in double, window by window.
inline Values plain_matrix_layer(const Network& network, int index, const Values& in) {
  const Layer& layer = network.layers[static_cast<std::size_t>(index)];
  const ConvolutionShape g = layer_geometry(network, index);
  const Matrix& weights = layer_weights(layer);
  Values out;
  for (int window = 0; window < g.out_height() * g.out_width(); ++window) {
    const Values x = window_inputs(in, g, window);
    for (Eigen::Index j = 0; j < weights.rows(); ++j) {
      const Eigen::Index first = j / (weights.rows() / g.groups) * weights.cols();  // of the group's inputs
      double sum = layer_bias(layer).empty() ? 0 : layer_bias(layer)[static_cast<std::size_t>(j)];
      for (Eigen::Index i = 0; i < weights.cols(); ++i) {
        sum += static_cast<double>(weights(j, i)) * x[static_cast<std::size_t>(first + i)];
      }
      out.push_back(sum);
    }
  }
  return out;
}

/// Pooling with square windows by definition: `average` or largest over the pixels of the window that lie in the image.
inline Values plain_pool(const Values& in, const Shape& shape, const Shape& out, const WindowAxis& square,
                         bool average) {
  const int size = square.kernel, stride = square.stride, padding = square.before;
  Values values;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < out.channels; ++c) {
        double sum = 0, largest = -1e300;
        int pixels = 0;
        for (int i = y * stride - padding; i < y * stride - padding + size; ++i) {
          for (int j = x * stride - padding; j < x * stride - padding + size; ++j) {
            if (i < 0 || j < 0 || i >= shape.height || j >= shape.width) continue;
            const double v = in[static_cast<std::size_t>((i * shape.width + j) * shape.channels + c)];
            sum += v, largest = std::max(largest, v), ++pixels;
          }
        }
        values.push_back(average ? sum / pixels : largest);
      }
    }
  }
  return values;
}

/// The floating-point network on one image, layer by layer in double: outputs of all layers.
inline std::vector<Values> plain_network(const Network& network, const Dataset& data, std::uint64_t image) {
  std::vector<Values> outputs;
  const Values pixels = image_values(network, data, image);
  const auto values = [&](int source) { return source < 0 ? pixels : outputs[static_cast<std::size_t>(source)]; };
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const Layer& layer = network.layers[k];
    const int source = layer.inputs.front();
    const Shape in = source < 0 ? network.input : network.layers[static_cast<std::size_t>(source)].output;
    Values out = values(source);
    if (std::holds_alternative<Conv2d>(layer.operation) || std::holds_alternative<Linear>(layer.operation)) {
      out = plain_matrix_layer(network, static_cast<int>(k), out);
    } else if (std::holds_alternative<Clamp>(layer.operation)) {
      const Clamp& clamp = std::get<Clamp>(layer.operation);
      for (double& v : out) v = std::clamp(v, static_cast<double>(clamp.low), static_cast<double>(clamp.high));
    } else if (const auto* pool = std::get_if<MaxPool2d>(&layer.operation)) {
      out = plain_pool(out, in, layer.output, pool->window.vertical, false);
    } else if (const auto* mean = std::get_if<AvgPool2d>(&layer.operation)) {
      out = plain_pool(out, in, layer.output, mean->window.vertical, true);
    } else if (std::holds_alternative<GlobalAvgPool>(layer.operation)) {
      out = plain_pool(out, in, layer.output, {std::max(in.height, in.width)}, true);
    } else if (std::holds_alternative<Flatten>(layer.operation)) {
      const Values before = out;
      const int pixels_in = in.height * in.width;
      for (int c = 0; c < in.channels; ++c) {
        for (int p = 0; p < pixels_in; ++p) {
          out[static_cast<std::size_t>(c * pixels_in + p)] = before[static_cast<std::size_t>(p * in.channels + c)];
        }
      }
    } else if (std::holds_alternative<Add>(layer.operation)) {
      const Values second = values(layer.inputs[1]);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += second[i];
    }
    outputs.push_back(std::move(out));
  }
  return outputs;
}

}  // namespace crossgrid::test
