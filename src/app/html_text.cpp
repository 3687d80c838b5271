#include "crossgrid/app/html_text.hpp"

#include <cstdint>

namespace crossgrid {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of the UTF-8 character at the start, 0 where there is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xC2 ? 0 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond Unicode.
  if (size == 3 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) >= 0xA0))) return 0;
  if (size == 4 && ((byte(0) == 0xF0 && byte(1) < 0x90) || byte(0) > 0xF4 || (byte(0) == 0xF4 && byte(1) >= 0x90)))
    return 0;
  return size;
}

std::string_view escaped(std::string_view character) {
  switch (character[0]) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\n':
    case '\t':
      return character;
    default: {
      const auto byte = static_cast<unsigned char>(character[0]);
      const bool latin_control = byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
      return byte < 0x20 || byte == 0x7F || latin_control ? replacement : character;
    }
  }
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    html += size == 0 ? replacement : escaped(text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return html;
}

std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t count = 0, last = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) == 0x80) continue;
    if (++count == characters) last = i;
    if (count > characters) return std::string(text.substr(0, last)) + "…";
  }
  return std::string(text);
}

}  // namespace crossgrid
