#pragma once

#include <cstddef>
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

/// Reads real little-endian numbers: bool, u1, i1, u2, i2, u4, i4, i8, f4, f8 (8-byte integers up to 2^53 exactly).
/// Error(bad_input) names the file, what was found and what was expected.
NpyArray read_npy(const std::string& path);

}  // namespace crossgrid
