#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/matrix.hpp"
#include "crossgrid/base/window.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"
#include "crossgrid/onnx/recurrent_cell.hpp"

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
  Window window;   ///< padded with zeros
  int groups = 1;  ///< equal groups of channels: outputs of the one see inputs of the same one only
  Matrix weights;  ///< out_channels x (in_channels / groups * kh * kw), columns channel-major: (c, kh, kw)
  std::vector<float> bias;
};
struct Linear {
  Matrix weights;  ///< outputs x inputs; after Flatten inputs are channel-major: (c, h, w)
  std::vector<float> bias;
};
/// One direction of an RNN, GRU or LSTM over the sequences of an image: at each step the matrix is multiplied by the
/// step's input and the state, one after the other. It sees pixels of input channels, steps x sequences; it makes
/// pixels of `cell.hidden` channels: the states behind all steps, steps x sequences, once more those behind the last
/// one (in its direction), and an LSTM's cells there.
struct Recurrent {
  RecurrentCell cell;
  Matrix weights;           ///< the cell's blocks, one after the other, x (inputs, then state)
  std::vector<float> bias;  ///< one per output
  int steps = 1, sequences = 1;
  bool reverse = false;              ///< from the last step to the first
  std::vector<double> state, cells;  ///< before the first step: sequences x hidden; cells: of an LSTM

  int inputs() const { return static_cast<int>(weights.cols()) - static_cast<int>(cell.hidden); }
  int mvms() const { return steps * sequences * cell.products(); }
};
/// Limits every value; NaN stays NaN. ReLU as it is.
struct Clamp {
  float low = 0, high = std::numeric_limits<float>::infinity();
  bool operator==(const Clamp&) const = default;
};
/// Lets all values through.
inline constexpr Clamp no_clamp{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
struct MaxPool2d {
  Window window = square_window(2, 2, 0);  ///< padding never wins
};
struct AvgPool2d {
  Window window = square_window(2, 2, 0);
  bool padding_counts = false;  ///< as zeros, in the mean
};
struct GlobalAvgPool {};
struct Flatten {};  ///< to a vector in (c, h, w) order
struct Add {};      ///< sum of its two inputs
struct Softmax {};  ///< over the channels of every pixel
/// Every channel scaled and shifted: batch norms that no product precedes.
struct ChannelAffine {
  std::vector<float> scale, shift;
};

/// Values moved around: the output is made of runs of values of its inputs, one after the other.
struct Rearrange {
  struct Run {
    int input = 0;  ///< -1: `fill`
    std::int32_t first = 0, count = 0;
  };
  std::vector<Run> runs;
  float fill = 0;
  Shape output;
};

/// Any other operation, as its ONNX operator does it, image by image.
struct TensorOperation {
  /// A node's input: a constant, an input of the layer, or left out (neither).
  struct Operand {
    std::optional<OnnxTensor> constant;
    int input = -1;  ///< of the layer
    Extents dims;    ///< of the value of one image
    ElementType type = ElementType::float32;
    std::vector<std::int64_t> sources;  ///< where memory has each of its elements; empty: in order
  };
  std::shared_ptr<const OnnxNode> node;
  std::vector<Operand> operands;
  int result = 0;                           ///< which of the node's outputs
  Extents dims;                             ///< of it, of one image, as memory holds it
  ElementType type = ElementType::float32;  ///< of it; memory holds float32
  /// Images are one more in their first dimension, which is 1: all can go through it at once.
  bool elementwise = false;
  Shape output;
};

using Operation = std::variant<Conv2d, Linear, Recurrent, Clamp, MaxPool2d, AvgPool2d, GlobalAvgPool, Flatten, Add,
                               Softmax, ChannelAffine, Rearrange, TensorOperation>;

/// Values that a quantised model holds as integers q from `low` to `high`: (q - zero_point) * scale.
struct QuantizedGrid {
  double scale = 1;
  int zero_point = 0, low = 0, high = 0;

  double smallest() const { return (low - zero_point) * scale; }
  double largest() const { return (high - zero_point) * scale; }
  bool operator==(const QuantizedGrid&) const = default;
};
/// What a quantised model says of a matrix layer (QuantizeLinear and DequantizeLinear in front of it).
struct ModelGrids {
  std::optional<QuantizedGrid> inputs = std::nullopt;
  std::optional<QuantizedGrid> weights = std::nullopt;
  /// Where each output's weights have a scale of their own: over that of `weights`, the largest. Empty: all 1.
  std::vector<double> weight_factors = {};
  bool other_scales = false;  ///< weights have several scales, but not one for each output
};

struct Layer {
  std::string name;  ///< unique, e.g. "/conv1/Conv"
  Operation operation;
  std::vector<int> inputs;                         ///< indices of earlier layers; -1 is the image
  Shape output;                                    ///< found when the network is read
  std::optional<Shape> input_view = std::nullopt;  ///< how it sees its first input, where not as that was made
  ModelGrids grids = {};                           ///< of a matrix layer
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
  int rows = 0;  ///< inputs of the matrix (bias not counted), of all groups together
  int cols = 0;  ///< outputs
  int mvms_per_image = 1;
  bool convolution = false;
  bool bias = false;                  ///< whether it has one
  int groups = 1;                     ///< of a convolution's channels
  int out_height = 1, out_width = 1;  ///< windows of a convolution
  ModelGrids grids = {};
};
std::vector<MatrixLayer> matrix_layers(const Network& network);
/// What a layer sees as its first input.
const Shape& input_shape(const Network& network, const Layer& layer);

/// The shape that an operation makes of its inputs' shapes. Error(bad_input) names `where`, what was found and what was
/// expected: sizes that don't fit the weights, windows larger than the image, inputs of an Add that differ.
Shape output_shape(const Operation& operation, std::span<const Shape> inputs, const std::string& where);

/// Reads a network file: ONNX where its name ends so (read_onnx), else the interim format. Error(bad_input) names the
/// file and the JSON pointer.
Network read_network(const std::string& path);

}  // namespace crossgrid
