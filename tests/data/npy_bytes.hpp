#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace crossgrid::testing {

using Bytes = std::vector<std::uint8_t>;

/// What numpy.save writes: the header padded so that the numbers begin at a multiple of 64.
inline Bytes npy_bytes(int version, const std::string& header, const Bytes& numbers) {
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
  const std::size_t width = version == 1 ? 2 : 4;
  std::string text = header;
  while ((bytes.size() + width + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  for (std::size_t k = 0; k < width; ++k) bytes.push_back(static_cast<std::uint8_t>(text.size() >> (8 * k)));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), numbers.begin(), numbers.end());
  return bytes;
}

template <class T>
Bytes bytes_of(const std::vector<T>& numbers) {
  Bytes bytes(numbers.size() * sizeof(T));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

inline std::string npy_header(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

/// A file of version 1.
template <class T>
Bytes npy_file(const std::string& descr, const std::string& shape, const std::vector<T>& numbers) {
  return npy_bytes(1, npy_header(descr, shape), bytes_of(numbers));
}

}  // namespace crossgrid::testing
