#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// An array of NumPy's NPY format, versions 1 to 3
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> values;  ///< last dimension fastest, however the file has them
  Id128 content;               ///< of the file's bytes
};

/// An array as it lies in memory.
struct NpyView {
  std::vector<std::size_t> shape;
  std::string type;       ///< as NumPy writes it: "|u1", "<f4"
  std::size_t width = 0;  ///< bytes of a number
  bool fortran_order = false;
  std::span<const std::uint8_t> numbers;
};

/// The array in the bytes of an NPY file; `name` is that of errors, which are those of read_npy().
NpyView view_npy(std::span<const std::uint8_t> bytes, const std::string& name);
/// All numbers, last dimension fastest.
std::vector<double> npy_values(const NpyView& view);

/// Reads real little-endian numbers: bool, u1, i1, u2, i2, u4, i4, u8, i8, f4, f8 (8-byte integers up to 2^53 exactly).
/// Error(bad_input) names the file, what was found and what was expected.
NpyArray read_npy(const std::string& path);

}  // namespace crossgrid
