#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace crossgrid {

/// ONNX's element types (TensorProto.DataType) that tensors can have here.
enum class ElementType {
  float32,
  float64,
  float16,
  bfloat16,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  boolean
};
/// As ONNX writes it, e.g. "float".
std::string type_name(ElementType type);
bool is_real(ElementType type);
/// Its number in ONNX (TensorProto.DataType), and the other way round; none: texts and others.
std::int64_t type_number(ElementType type);
std::optional<ElementType> numbered_type(std::int64_t number);

using Extents = std::vector<std::int64_t>;
/// Product of the extents: 1 of a scalar's.
std::int64_t element_count(const Extents& dims);
/// "2 x 3 x 4", "scalar" for none.
std::string extents_text(const Extents& dims);

/// A value of an ONNX graph, dense, last dimension fastest. Real types but float64 are held in float32, after rounding
/// to their precision; integers and booleans in 64 bits, after wrapping to their width.
class OnnxTensor {
 public:
  OnnxTensor() = default;
  static OnnxTensor of_reals(ElementType type, Extents dims, std::vector<double> values);
  static OnnxTensor of_floats(Extents dims, std::vector<float> values);
  static OnnxTensor of_integers(ElementType type, Extents dims, std::vector<std::int64_t> values);
  static OnnxTensor of_booleans(Extents dims, std::vector<std::int64_t> values);

  ElementType type() const { return type_; }
  bool real() const { return is_real(type_); }
  const Extents& dims() const { return dims_; }
  int rank() const { return static_cast<int>(dims_.size()); }
  std::int64_t size() const { return element_count(dims_); }

  /// All values in double; exact, but for integers beyond 2^53.
  std::vector<double> as_reals() const;
  /// All values as integers; reals are cut off towards zero.
  std::vector<std::int64_t> as_integers() const;
  /// The floats of a tensor that holds such; null else.
  const std::vector<float>* floats() const { return std::get_if<std::vector<float>>(&values_); }

  /// The same values in another shape of as many.
  OnnxTensor reshaped(Extents dims) const;
  /// The values at `sources` (-1: `fill`), in the shape `dims`: all that data movement is.
  OnnxTensor picked(Extents dims, std::span<const std::int64_t> sources, double fill = 0) const;
  /// Another element type: reals to integers towards zero, anything but 0 is true.
  OnnxTensor cast(ElementType type) const;

 private:
  ElementType type_ = ElementType::float32;
  Extents dims_ = {0};
  std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>> values_;
};

}  // namespace crossgrid
