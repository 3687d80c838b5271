#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "crossgrid/base/error.hpp"
#include "image_codecs.hpp"

namespace crossgrid {
namespace {

/// A file in memory, and libpng's way out of an error: back to where it was called. Nothing between has a destructor.
struct Reader {
  std::span<const std::uint8_t> rest;
  std::jmp_buf back;
  char message[128];

  png_structp png = nullptr;
  png_infop info = nullptr;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(reader->message, message, sizeof reader->message - 1);
  std::longjmp(reader->back, 1);
}

void ignore(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader->rest.size()) png_error(png, "the file is cut short");
  std::memcpy(to, reader->rest.data(), count);
  reader->rest = reader->rest.subspan(count);
}

/// The header, and how pixels are to be given; false with a message in the reader.
bool read_header(Reader& reader) {
  if (setjmp(reader.back) != 0) return false;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, leave, ignore);
  if (reader.png == nullptr) return false;
  reader.info = png_create_info_struct(reader.png);
  png_set_read_fn(reader.png, &reader, read_bytes);
  png_read_info(reader.png, reader.info);
  png_set_strip_16(reader.png);
  png_set_palette_to_rgb(reader.png);
  png_set_expand_gray_1_2_4_to_8(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

/// The pixels; false with a message in the reader.
bool read_rows(Reader& reader, png_bytepp rows) {
  if (setjmp(reader.back) != 0) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

}  // namespace

bool is_png(std::span<const std::uint8_t> file) {
  return file.size() >= 8 && png_sig_cmp(file.data(), 0, 8) == 0;
}

ImageHeader read_png(std::span<const std::uint8_t> file, const std::string& name, std::vector<std::uint8_t>* pixels) {
  Reader reader{.rest = file, .back = {}, .message = {}};
  const auto damaged = [&] { return input_error(name, fmt::format("damaged PNG file: {}", reader.message)); };
  if (!read_header(reader)) throw damaged();
  const ImageHeader header{{static_cast<int>(png_get_image_height(reader.png, reader.info)),
                            static_cast<int>(png_get_image_width(reader.png, reader.info))},
                           png_get_channels(reader.png, reader.info)};
  const std::size_t bytes = image_bytes(header, name);
  if (pixels == nullptr) return header;
  pixels->resize(bytes);
  std::vector<png_bytep> rows(static_cast<std::size_t>(header.size.height));
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels->data() + y * (bytes / rows.size());
  if (!read_rows(reader, rows.data())) throw damaged();
  return header;
}

}  // namespace crossgrid
