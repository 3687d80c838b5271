#include "crossgrid/data/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// zlib counts bytes in 32 bits.
uInt clamped(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

/// One zlib stream over bytes in memory.
class Inflater {
 public:
  Inflater(std::span<const std::uint8_t> packed, const std::string& file) : packed_(packed), file_(file) {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw Error(ExitCode::internal, "zlib can't be started");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out` as far as there is data and returns the bytes written; 0 is the end.
  std::size_t fill(std::span<std::uint8_t> out) {
    std::size_t written = 0;
    while (written < out.size() && !ended_) {
      const std::size_t step = advance(out.subspan(written));
      written += step;
      total_ += step;
    }
    return written;
  }

 private:
  std::size_t advance(std::span<std::uint8_t> out) {
    const uInt input = clamped(packed_.size());
    const uInt room = clamped(out.size());
    stream_.next_in = const_cast<Bytef*>(packed_.data());
    stream_.avail_in = input;
    stream_.next_out = out.data();
    stream_.avail_out = room;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    packed_ = packed_.subspan(input - stream_.avail_in);
    const std::size_t written = room - stream_.avail_out;
    if (result == Z_STREAM_END) {
      end_member();
    } else if (result == Z_BUF_ERROR) {
      throw input_error(file_, fmt::format("gzip file cut short: it stops after {} unpacked bytes", total_ + written));
    } else if (result != Z_OK) {
      throw input_error(file_, fmt::format("damaged gzip file: {} after {} unpacked bytes",
                                           stream_.msg != nullptr ? stream_.msg : "unknown error", total_ + written));
    }
    return written;
  }

  /// A gzip file may be several joined together (pigz and cat make such).
  void end_member() {
    if (packed_.empty()) {
      ended_ = true;
    } else if (is_gzip(packed_)) {
      inflateReset(&stream_);
    } else {
      throw input_error(file_,
                        fmt::format("found {} bytes after the end of the gzip data, expected none", packed_.size()));
    }
  }

  std::span<const std::uint8_t> packed_;
  const std::string& file_;
  z_stream stream_{};
  std::size_t total_ = 0;
  bool ended_ = false;
};

}  // namespace

bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

std::vector<std::uint8_t> gunzip(std::span<const std::uint8_t> packed, std::size_t at_most, const std::string& file) {
  Inflater inflater(packed, file);
  std::vector<std::uint8_t> out;
  for (std::size_t filled = 0;;) {
    constexpr std::size_t smallest_block = 1 << 16;
    out.resize(std::min(at_most, filled + std::max(filled, smallest_block)));
    filled += inflater.fill(std::span(out).subspan(filled));
    if (filled < out.size() || filled == at_most) {
      out.resize(filled);
      return out;
    }
  }
}

std::size_t gunzip_into(std::span<const std::uint8_t> packed, std::span<std::uint8_t> out, const std::string& file) {
  Inflater inflater(packed, file);
  std::uint8_t more = 0;
  const std::size_t filled = inflater.fill(out);
  return filled < out.size() ? filled : filled + inflater.fill({&more, 1});
}

std::size_t most_unpacked(std::size_t packed) {
  return 1032 * packed;
}

}  // namespace crossgrid
