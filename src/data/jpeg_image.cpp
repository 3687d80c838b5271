#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include "crossgrid/base/error.hpp"
#include "image_codecs.hpp"

namespace crossgrid {
namespace {

/// libjpeg's way out of an error: back to where it was called. Nothing between has a destructor.
struct Failure {
  jpeg_error_mgr manager;  // first: libjpeg hands out its address
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  info->err->format_message(info, failure->message);
  std::longjmp(failure->back, 1);
}

/// Most warnings are of no consequence, as for PIL; that data ends too early is.
void warn(j_common_ptr info, int level) {
  if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER)) leave(info);
}

struct Decompressor {
  jpeg_decompress_struct info{};
  Failure failure{};
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

/// The header; false with a message in `failure`.
bool read_header(Decompressor& jpeg, std::span<const std::uint8_t> file) {
  if (setjmp(jpeg.failure.back) != 0) return false;
  jpeg_create_decompress(&jpeg.info);
  jpeg_mem_src(&jpeg.info, file.data(), file.size());
  jpeg_read_header(&jpeg.info, TRUE);
  return true;
}

/// The pixels, row by row; false with a message in `failure`.
bool read_rows(Decompressor& jpeg, int channels, std::uint8_t* to) {
  if (setjmp(jpeg.failure.back) != 0) return false;
  jpeg.info.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&jpeg.info);
  const std::size_t row = std::size_t{jpeg.info.output_width} * static_cast<std::size_t>(channels);
  while (jpeg.info.output_scanline < jpeg.info.output_height) {
    JSAMPROW line = to + jpeg.info.output_scanline * row;
    jpeg_read_scanlines(&jpeg.info, &line, 1);
  }
  jpeg_finish_decompress(&jpeg.info);
  return true;
}

}  // namespace

bool is_jpeg(std::span<const std::uint8_t> file) {
  return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff;
}

ImageHeader read_jpeg(std::span<const std::uint8_t> file, const std::string& name, std::vector<std::uint8_t>* pixels) {
  Decompressor jpeg;
  jpeg.info.err = jpeg_std_error(&jpeg.failure.manager);
  jpeg.failure.manager.error_exit = leave;
  jpeg.failure.manager.emit_message = warn;
  const auto damaged = [&] { return input_error(name, fmt::format("damaged JPEG file: {}", jpeg.failure.message)); };
  if (!read_header(jpeg, file)) throw damaged();
  if (jpeg.info.num_components != 1 && jpeg.info.num_components != 3) {
    throw input_error(name, fmt::format("found a JPEG image of {} components (CMYK has 4), expected grey or RGB",
                                        jpeg.info.num_components));
  }
  const ImageHeader header{{static_cast<int>(jpeg.info.image_height), static_cast<int>(jpeg.info.image_width)},
                           jpeg.info.num_components};
  const std::size_t bytes = image_bytes(header, name);
  if (pixels == nullptr) return header;
  pixels->resize(bytes);
  if (!read_rows(jpeg, header.channels, pixels->data())) throw damaged();
  return header;
}

}  // namespace crossgrid
