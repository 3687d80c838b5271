#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crossgrid/base/file.hpp"

namespace crossgrid {

/// Room for the lines that begin in a range of a file; used again from range to range.
class LineBuffer {
 public:
  /// For ranges of up to `most_range` bytes and lines of up to `most_line`; `padding` zeros follow what was read.
  LineBuffer(std::size_t most_range, std::size_t most_line, std::size_t padding);

 private:
  friend class LineBlock;
  std::size_t most_line_;
  std::size_t padding_;
  std::unique_ptr<char[]> bytes_;
};

/// The lines of a file that begin in a range of its bytes, the last one read to its end. Of a line beyond what the
/// buffer is for there is one byte more than that.
class LineBlock {
 public:
  /// Error(bad_input) with `path` where it can't be read. The lines lie in the buffer.
  LineBlock(File& file, std::uint64_t begin, std::size_t range, const std::string& path, LineBuffer& buffer);

  /// The next line without its newline, if one is left.
  std::optional<std::string_view> next();
  /// Makes the line that begins there in the file the next one; false where none of the block's does.
  bool go_to(std::uint64_t begin);
  /// Where the line that next() gave begins in the file.
  std::uint64_t line_begin() const { return line_begin_; }

 private:
  std::string_view text_;
  std::uint64_t from_;   ///< place of the text in the file
  std::size_t own_ = 0;  ///< lines begin before here
  std::size_t at_ = 0;
  std::uint64_t line_begin_ = 0;
};

}  // namespace crossgrid
