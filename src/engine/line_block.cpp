#include "crossgrid/engine/line_block.hpp"

#include <algorithm>
#include <cstring>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t usual_line_bytes = std::size_t{16} << 10;

}  // namespace

LineBuffer::LineBuffer(std::size_t most_range, std::size_t most_line, std::size_t padding)
    : most_line_(most_line),
      padding_(padding),
      // From the newline before the range to that of its last line.
      bytes_(std::make_unique_for_overwrite<char[]>(1 + most_range + std::max(most_line + 1, usual_line_bytes) +
                                                    padding)) {}

LineBlock::LineBlock(File& file, std::uint64_t begin, std::size_t range, const std::string& path, LineBuffer& buffer)
    : from_(begin == 0 ? 0 : begin - 1) {  // the newline before a line that begins with the range
  char* const bytes = buffer.bytes_.get();
  const std::size_t own = static_cast<std::size_t>(begin - from_) + range;
  std::size_t size = 0;
  const auto read_up_to = [&](std::size_t wanted) {
    const IoResult read = read_all(file, bytes + size, wanted - size, from_ + size);
    if (!read.ok()) throw input_error(path, "can't read it: " + error_text(read.error));
    size += static_cast<std::size_t>(read.value);
    text_ = std::string_view(bytes, size);
  };
  // Most lines are short: the rest of the last one is mostly among a few bytes more.
  read_up_to(own + usual_line_bytes);
  if (size == own + usual_line_bytes && text_.find('\n', own - 1) == std::string_view::npos) {
    read_up_to(own + buffer.most_line_ + 1);
  }
  std::memset(bytes + size, 0, buffer.padding_);
  own_ = std::min(size, own);
  if (begin > 0) {
    const std::size_t newline = text_.substr(0, own_).find('\n');
    at_ = newline == std::string_view::npos ? own_ : newline + 1;
  }
}

std::optional<std::string_view> LineBlock::next() {
  if (at_ >= own_) return std::nullopt;
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  const std::string_view line = text_.substr(at_, end - at_);
  line_begin_ = from_ + at_;
  at_ = end + 1;
  return line;
}

bool LineBlock::go_to(std::uint64_t begin) {
  if (begin < from_ || begin - from_ >= own_) return false;
  const auto at = static_cast<std::size_t>(begin - from_);
  if (begin > 0 && (at == 0 || text_[at - 1] != '\n')) return false;
  at_ = at;
  return true;
}

}  // namespace crossgrid
