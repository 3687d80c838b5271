#include "crossgrid/data/npy_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/mapped_file.hpp"

static_assert(std::endian::native == std::endian::little, "numbers are taken as they are in the file");

namespace crossgrid {
namespace {

constexpr std::size_t most_values = std::size_t{1} << 48;  ///< far above any array, far below an overflow
constexpr std::size_t most_dimensions = 32;                ///< NumPy's own limit

/// How one type's bytes become a number.
struct NumberType {
  const char* descr;  ///< as NumPy writes it
  std::size_t width;
  double (*read)(const std::uint8_t*);
};

template <class T>
double number_at(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

constexpr std::array<NumberType, 11> number_types{{{"|b1", 1, number_at<std::uint8_t>},
                                                   {"|u1", 1, number_at<std::uint8_t>},
                                                   {"|i1", 1, number_at<std::int8_t>},
                                                   {"<u2", 2, number_at<std::uint16_t>},
                                                   {"<i2", 2, number_at<std::int16_t>},
                                                   {"<u4", 4, number_at<std::uint32_t>},
                                                   {"<i4", 4, number_at<std::int32_t>},
                                                   {"<u8", 8, number_at<std::uint64_t>},
                                                   {"<i8", 8, number_at<std::int64_t>},
                                                   {"<f4", 4, number_at<float>},
                                                   {"<f8", 8, number_at<double>}}};

/// The dictionary in the header: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
class Header {
 public:
  Header(std::string_view text, const std::string& file) : text_(text), file_(file) { read(); }

  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    const std::string_view rest = text_.substr(std::min(at_, text_.size()), 24);
    throw input_error(file_, fmt::format("NPY header: found '{}', expected {}", rest, expected));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.substr(std::min(at_, text_.size())).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail(fmt::format("'{}'", token));
  }
  std::string quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail("a quoted word");
    std::string word(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return word;
  }
  std::size_t size() {
    skip_blanks();
    const std::size_t first = at_;
    std::size_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<std::size_t>(text_[at_] - '0');
      if (value > most_values) fail("a smaller size");
    }
    if (at_ == first) fail("a size");
    return value;
  }
  void read_shape() {
    expect("(");
    while (!take(")")) {
      shape.push_back(size());
      if (shape.size() > most_dimensions) fail("fewer dimensions");
      if (!take(",")) {
        expect(")");
        break;
      }
    }
  }
  void read() {
    bool has_descr = false, has_order = false, has_shape = false;
    expect("{");
    while (!take("}")) {
      const std::size_t start = at_;
      const std::string key = quoted();
      expect(":");
      if (key == "descr" && !has_descr) {
        skip_blanks();
        if (at_ < text_.size() && text_[at_] == '[') {
          throw input_error(file_, "found an array of records, expected an array of numbers");
        }
        descr = quoted();
        has_descr = true;
      } else if (key == "fortran_order" && !has_order) {
        fortran_order = take("True");
        if (!fortran_order) expect("False");
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        read_shape();
        has_shape = true;
      } else {
        at_ = start;
        fail("descr, fortran_order and shape, each once");
      }
      if (!take(",")) {
        expect("}");
        break;
      }
    }
    if (!has_descr || !has_order || !has_shape) fail("descr, fortran_order and shape");
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

/// The header's text and where the numbers begin.
std::pair<std::string_view, std::size_t> header_text(std::span<const std::uint8_t> bytes, const std::string& path) {
  constexpr std::string_view magic = "\x93NUMPY";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(magic)) throw input_error(path, "not an NPY file: it does not begin with \\x93NUMPY");
  const int version = bytes.size() > magic.size() ? bytes[magic.size()] : 0;
  if (version < 1 || version > 3) {
    throw input_error(path, fmt::format("NPY format version {}, expected 1, 2 or 3", version));
  }
  const std::size_t width = version == 1 ? 2 : 4, begin = magic.size() + 2 + width;
  std::size_t length = 0;
  for (std::size_t k = 0; k < width && begin <= bytes.size(); ++k) {
    length |= static_cast<std::size_t>(bytes[magic.size() + 2 + k]) << (8 * k);
  }
  if (begin > bytes.size() || length > bytes.size() - begin) {
    throw input_error(path, fmt::format("the file ends within its NPY header, after {} bytes", bytes.size()));
  }
  return {text.substr(begin, length), begin + length};
}

const NumberType& number_type(const Header& header, const std::string& path) {
  std::string descr = header.descr;
  // '=' and, for single bytes, any order mean the same here.
  if (!descr.empty() && (descr[0] == '=' || (descr.size() == 3 && descr[2] == '1'))) {
    descr[0] = descr.size() == 3 && descr[2] == '1' ? '|' : '<';
  }
  const auto found = std::find_if(number_types.begin(), number_types.end(),
                                  [&](const NumberType& type) { return descr == type.descr; });
  if (found == number_types.end()) {
    std::vector<std::string> known;
    known.reserve(number_types.size());
    for (const NumberType& type : number_types) known.emplace_back(type.descr);
    throw input_error(path,
                      fmt::format("numbers of type '{}', expected one of {}", header.descr, fmt::join(known, ", ")));
  }
  return *found;
}

/// Place in the file of each value in C order, where the file has the first dimension fastest.
std::vector<double> from_fortran(const std::vector<double>& file, const std::vector<std::size_t>& shape) {
  std::vector<double> values(file.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (double& value : values) {
    std::size_t place = 0;
    for (std::size_t k = shape.size(); k-- > 0;) place = place * shape[k] + index[k];
    value = file[place];
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return values;
}

}  // namespace

NpyView view_npy(std::span<const std::uint8_t> bytes, const std::string& name) {
  const auto [text, begin] = header_text(bytes, name);
  const Header header(text, name);
  const NumberType& type = number_type(header, name);
  std::size_t count = 1;
  for (const std::size_t size : header.shape) {
    if (size != 0 && count > most_values / size) {
      throw input_error(name, fmt::format("an array of more than {} numbers", most_values));
    }
    count *= size;
  }
  if (bytes.size() - begin != count * type.width) {
    throw input_error(name, fmt::format("found {} bytes of numbers, expected {}: {} numbers of type '{}' (shape {})",
                                        bytes.size() - begin, count * type.width, count, header.descr,
                                        fmt::join(header.shape, " x ")));
  }
  return {header.shape, type.descr, type.width, header.fortran_order, bytes.subspan(begin)};
}

std::vector<double> npy_values(const NpyView& view) {
  const auto type =
      std::ranges::find_if(number_types, [&](const NumberType& known) { return view.type == known.descr; });
  std::vector<double> values(view.numbers.size() / view.width);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = type->read(view.numbers.data() + k * view.width);
  return view.fortran_order && view.shape.size() > 1 ? from_fortran(values, view.shape) : values;
}

NpyArray read_npy(const std::string& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const NpyView view = view_npy(bytes, path);
  return {view.shape, npy_values(view), hash_bytes(bytes.data(), bytes.size())};
}

}  // namespace crossgrid
