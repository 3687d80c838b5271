#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/matrix.hpp"

/// A trained network as Crossgrid runs it: a directed acyclic graph of layers in execution order.
/// File format: docs/network-format.md (interim, until ONNX is read).
namespace crossgrid {

/// Shape of one image's activations; a vector is {features, 1, 1}. Activations are stored NHWC.
struct Shape {
  int channels = 0;
  int height = 1;
  int width = 1;
  std::size_t size() const { return static_cast<std::size_t>(channels) * height * width; }
  bool operator==(const Shape&) const = default;
};

struct Conv2d {
  int kernel_height = 1, kernel_width = 1;
  int stride = 1;
  int padding = 0;  ///< zeros on each side
  Matrix weights;   ///< out_channels x (in_channels * kh * kw), columns channel-major: (c, kh, kw)
  std::vector<float> bias;
};
struct Linear {
  Matrix weights;  ///< outputs x inputs; after Flatten inputs are channel-major: (c, h, w)
  std::vector<float> bias;
};
struct Relu {};
struct MaxPool2d {
  int size = 2, stride = 2, padding = 0;
};
struct AvgPool2d {
  int size = 2, stride = 2, padding = 0;
};  ///< padding does not count in the mean
struct GlobalAvgPool {};
struct Flatten {};  ///< to a vector in (c, h, w) order
struct Add {};      ///< sum of its two inputs
struct Softmax {};

using Operation = std::variant<Conv2d, Linear, Relu, MaxPool2d, AvgPool2d, GlobalAvgPool, Flatten, Add, Softmax>;

struct Layer {
  std::string name;  ///< unique, e.g. "/conv1/Conv"
  Operation operation;
  std::vector<int> inputs;  ///< indices of earlier layers; -1 is the image
  Shape output;             ///< found when the network is read
};

/// How the values of an image become the network's input: (value * scale - mean[c]) / std[c].
struct Preprocess {
  double scale = 1.0 / 255.0;  ///< of pixels
  std::vector<double> mean;    ///< one per channel, empty: 0
  std::vector<double> std;     ///< one per channel, empty: 1
  bool scale_given = false;    ///< by the network's file or the sweep; else images of floats are taken as they are

  double operator()(double value, std::size_t channel) const {
    return (value * scale - (mean.empty() ? 0 : mean[channel])) / (std.empty() ? 1 : std[channel]);
  }
};

struct Network {
  std::string name;
  Shape input;
  int classes = 0;
  Preprocess preprocess;
  std::vector<Layer> layers;  ///< the last one gives the logits (or a softmax of them)
  Id128 content;              ///< hash of the file's bytes
};

/// A layer whose product can run on crossbars: what a sweep needs to know of it.
struct MatrixLayer {
  int layer = 0;  ///< index in Network::layers
  std::string name;
  int rows = 0;  ///< inputs of the matrix (bias not counted)
  int cols = 0;  ///< outputs
  int mvms_per_image = 1;
  bool convolution = false;
  bool bias = false;  ///< whether it has one
};
std::vector<MatrixLayer> matrix_layers(const Network& network);

/// The shape that an operation makes of its inputs' shapes. Error(bad_input) names `where`, what was found and what was
/// expected: sizes that don't fit the weights, windows larger than the image, inputs of an Add that differ.
Shape output_shape(const Operation& operation, std::span<const Shape> inputs, const std::string& where);

/// Reads a network file: ONNX where its name ends so (read_onnx), else the interim format. Error(bad_input) names the
/// file and the JSON pointer.
Network read_network(const std::string& path);

}  // namespace crossgrid
