#include "crossgrid/onnx/onnx_tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

constexpr std::array<const char*, 13> names{"float", "double", "float16", "bfloat16", "int8",   "int16", "int32",
                                            "int64", "uint8",  "uint16",  "uint32",   "uint64", "bool"};

constexpr std::array<std::int64_t, 13> numbers{1, 11, 10, 16, 3, 5, 6, 7, 2, 4, 12, 13, 9};

/// The nearest number that has `bits` bits of significand (the leading one with them), ties to even.
double rounded_to(double value, int bits, int least_exponent) {
  if (!std::isfinite(value) || value == 0) return value;
  const int exponent = std::max(std::ilogb(value), least_exponent);
  const double step = std::ldexp(1.0, exponent - bits + 1);
  return std::nearbyint(value / step) * step;
}

double rounded(ElementType type, double value) {
  if (type == ElementType::float16) {
    const double half = rounded_to(value, 11, -14);
    return std::abs(half) > 65504 ? std::copysign(std::numeric_limits<double>::infinity(), half) : half;
  }
  if (type == ElementType::bfloat16) return rounded_to(value, 8, -126);
  return value;
}

template <class Narrow>
std::int64_t wrapped_to(std::int64_t value) {
  return static_cast<std::int64_t>(static_cast<Narrow>(value));
}

std::int64_t wrapped(ElementType type, std::int64_t value) {
  switch (type) {
    case ElementType::int8:
      return wrapped_to<std::int8_t>(value);
    case ElementType::int16:
      return wrapped_to<std::int16_t>(value);
    case ElementType::int32:
      return wrapped_to<std::int32_t>(value);
    case ElementType::uint8:
      return wrapped_to<std::uint8_t>(value);
    case ElementType::uint16:
      return wrapped_to<std::uint16_t>(value);
    case ElementType::uint32:
      return wrapped_to<std::uint32_t>(value);
    case ElementType::boolean:
      return value != 0 ? 1 : 0;
    default:
      return value;
  }
}

void check_count(const Extents& dims, std::size_t found) {
  if (element_count(dims) == static_cast<std::int64_t>(found)) return;
  throw Error(ExitCode::internal, fmt::format("a tensor of {} is made of {} values", extents_text(dims), found));
}

/// Reals to integers: towards zero; what doesn't fit becomes the nearest end.
std::int64_t cut_off(double value) {
  if (!(value == value)) return 0;
  if (value >= 9223372036854775807.0) return std::numeric_limits<std::int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string type_name(ElementType type) {
  return names[static_cast<std::size_t>(type)];
}

std::int64_t type_number(ElementType type) {
  return numbers[static_cast<std::size_t>(type)];
}

std::optional<ElementType> numbered_type(std::int64_t number) {
  const auto found = std::ranges::find(numbers, number);
  if (found == numbers.end()) return std::nullopt;
  return static_cast<ElementType>(found - numbers.begin());
}

bool is_real(ElementType type) {
  return type <= ElementType::bfloat16;
}

std::int64_t element_count(const Extents& dims) {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) count *= extent;
  return count;
}

std::string extents_text(const Extents& dims) {
  return dims.empty() ? "scalar" : fmt::format("{}", fmt::join(dims, " x "));
}

OnnxTensor OnnxTensor::of_reals(ElementType type, Extents dims, std::vector<double> values) {
  check_count(dims, values.size());
  OnnxTensor tensor;
  tensor.type_ = type;
  tensor.dims_ = std::move(dims);
  if (type == ElementType::float64) {
    tensor.values_ = std::move(values);
    return tensor;
  }
  std::vector<float> floats(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) floats[k] = static_cast<float>(rounded(type, values[k]));
  tensor.values_ = std::move(floats);
  return tensor;
}

OnnxTensor OnnxTensor::of_floats(Extents dims, std::vector<float> values) {
  check_count(dims, values.size());
  OnnxTensor tensor;
  tensor.dims_ = std::move(dims);
  tensor.values_ = std::move(values);
  return tensor;
}

OnnxTensor OnnxTensor::of_integers(ElementType type, Extents dims, std::vector<std::int64_t> values) {
  check_count(dims, values.size());
  for (std::int64_t& value : values) value = wrapped(type, value);
  OnnxTensor tensor;
  tensor.type_ = type;
  tensor.dims_ = std::move(dims);
  tensor.values_ = std::move(values);
  return tensor;
}

OnnxTensor OnnxTensor::of_booleans(Extents dims, std::vector<std::int64_t> values) {
  return of_integers(ElementType::boolean, std::move(dims), std::move(values));
}

std::vector<double> OnnxTensor::as_reals() const {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, values_);
}

std::vector<std::int64_t> OnnxTensor::as_integers() const {
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&values_)) return *integers;
  std::vector<std::int64_t> integers;
  for (const double value : as_reals()) integers.push_back(cut_off(value));
  return integers;
}

OnnxTensor OnnxTensor::reshaped(Extents dims) const {
  check_count(dims, static_cast<std::size_t>(size()));
  OnnxTensor tensor = *this;
  tensor.dims_ = std::move(dims);
  return tensor;
}

OnnxTensor OnnxTensor::picked(Extents dims, std::span<const std::int64_t> sources, double fill) const {
  check_count(dims, sources.size());
  OnnxTensor tensor;
  tensor.type_ = type_;
  tensor.dims_ = std::move(dims);
  std::visit(
      [&](const auto& from) {
        using Value = typename std::decay_t<decltype(from)>::value_type;
        std::vector<Value> to(sources.size());
        for (std::size_t k = 0; k < to.size(); ++k) {
          to[k] = sources[k] < 0 ? static_cast<Value>(fill) : from[static_cast<std::size_t>(sources[k])];
        }
        tensor.values_ = std::move(to);
      },
      values_);
  return tensor;
}

OnnxTensor OnnxTensor::cast(ElementType type) const {
  if (type == type_) return *this;
  if (is_real(type)) return of_reals(type, dims_, as_reals());
  if (!real()) return of_integers(type, dims_, as_integers());
  if (type != ElementType::boolean) return of_integers(type, dims_, as_integers());
  std::vector<std::int64_t> truths;
  for (const double value : as_reals()) truths.push_back(value != 0 ? 1 : 0);
  return of_integers(type, dims_, std::move(truths));
}

}  // namespace crossgrid
