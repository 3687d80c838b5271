#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/data/decoded_bytes.hpp"
#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {

/// An array of unsigned bytes in the IDX format of the MNIST family (http://yann.lecun.com/exdb/mnist): two zero
/// bytes, the type 0x08, the number of dimensions, each size as 32 bits big-endian, then the bytes, last dimension
/// fastest. Plain files are mapped, gzipped ones (told by their first bytes, not by their name) unpacked once.
class IdxFile {
 public:
  /// Reads and checks all of a file that must have `dimensions` dimensions. Error(bad_input) names the file, what was
  /// found and what was expected.
  IdxFile(const std::string& path, int dimensions);

  const std::string& path() const { return path_; }
  std::span<const std::uint32_t> shape() const { return shape_; }
  /// The array without its header.
  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::string path_;
  std::vector<std::uint32_t> shape_;
  std::variant<MappedFile, DecodedBytes> storage_;  // both keep their bytes in place when moved
  std::span<const std::uint8_t> bytes_;
};

}  // namespace crossgrid
