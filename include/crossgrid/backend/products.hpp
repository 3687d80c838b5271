#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/base/window.hpp"

namespace crossgrid {

/// A convolution of a micro-batch as the MVMs of its sliding windows. Activations are NHWC and dense.
struct ConvolutionShape {
  int images = 1;
  int in_channels = 1, height = 1, width = 1;
  int out_channels = 1;
  int groups = 1;  ///< equal groups of channels, outputs of the one see inputs of the same one only
  Window window;   ///< padded with zeros

  int out_height() const { return window.vertical.windows(height); }
  int out_width() const { return window.horizontal.windows(width); }
  int windows() const { return out_height() * out_width(); }
  /// Inputs of an output.
  int rows() const { return in_channels / groups * window.size(); }
  auto operator<=>(const ConvolutionShape&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// A plain product: result (vectors x columns) = source (vectors x rows) * weights (rows x columns).
struct ProductShape {
  int vectors = 1, rows = 1, columns = 1;
  std::ptrdiff_t source_stride = 1, result_stride = 1;    ///< floats between vectors
  auto operator<=>(const ProductShape&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// Weights in the layout that a Product wants, shared between threads.
class PackedWeights {
 public:
  bool empty() const { return !impl_; }
  std::size_t bytes() const;

 private:
  friend struct ProductCode;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// oneDNN's code for one shape.
struct ProductCode;

/// Products of one fixed shape through oneDNN on one thread: the same bits for the same inputs on any thread, at any
/// time, within a numeric class. An object is for one thread at a time; packed weights may be shared by all objects of
/// equal shape.
class Product {
 public:
  /// Error(internal) where oneDNN has nothing but its reference code for the shape.
  explicit Product(const ConvolutionShape& shape);
  explicit Product(const ProductShape& shape);
  Product(Product&&) noexcept;
  Product& operator=(Product&&) noexcept;
  ~Product();

  /// weights: rows() x columns; rows of a convolution are channel-major (channel, kernel row, kernel column).
  PackedWeights pack(const Matrix& weights) const;
  /// Whether weights that another product has packed are as this one would.
  bool takes(const PackedWeights& weights) const;
  void run(const float* source, const PackedWeights& weights, float* result);
  /// oneDNN's name of the code that runs, e.g. "brgconv:avx512_core".
  const std::string& implementation() const;

 private:
  std::unique_ptr<ProductCode> code_;
};

using IntegerMatrix = Eigen::Matrix<std::int8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The same with unsigned digits as inputs and signed integers as weights: exact sums, whatever the code and the shape,
/// where `exact` says so.
class IntegerProduct {
 public:
  /// Error(internal) where oneDNN has nothing but its reference code for the shape.
  explicit IntegerProduct(const ConvolutionShape& shape);
  explicit IntegerProduct(const ProductShape& shape);
  IntegerProduct(IntegerProduct&&) noexcept;
  IntegerProduct& operator=(IntegerProduct&&) noexcept;
  ~IntegerProduct();

  /// Whether products of inputs up to largest_input with weights up to largest_weight in size are exact on the
  /// instruction-set level of this process: without VNNI the sums of two products must fit into 16 bits.
  static bool exact(int largest_input, int largest_weight, int rows);

  /// weights: rows x columns, as Product::pack() takes them.
  PackedWeights pack(const IntegerMatrix& weights) const;
  bool takes(const PackedWeights& weights) const;
  void run(const std::uint8_t* source, const PackedWeights& weights, std::int32_t* result);
  const std::string& implementation() const;

 private:
  std::unique_ptr<ProductCode> code_;
};

}  // namespace crossgrid
