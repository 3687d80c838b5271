#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace crossgrid {

/// A file's bytes, mapped into memory read-only: processes on one host share the pages, and only what is touched is
/// read. Error(bad_input) names the file and the system's reason.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace crossgrid
