#include "plain_json.hpp"

#include <cstddef>

namespace crossgrid {

namespace {

constexpr std::ptrdiff_t most_integer_digits = 18;
constexpr std::ptrdiff_t most_fraction_digits = 99;
constexpr std::ptrdiff_t most_exponent_digits = 2;

const char* after_digits(const char* at) {
  while (*at >= '0' && *at <= '9') ++at;
  return at;
}

}  // namespace

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

const char* after_number(const char* at) {
  if (*at == '-') ++at;
  const char* const integer = at;
  at = after_digits(integer);
  if (at == integer || at - integer > most_integer_digits || (*integer == '0' && at - integer > 1)) return nullptr;
  if (*at == '.') {
    const char* const fraction = ++at;
    at = after_digits(fraction);
    if (at == fraction || at - fraction > most_fraction_digits) return nullptr;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    const char* const exponent = at;
    at = after_digits(exponent);
    if (at == exponent || at - exponent > most_exponent_digits) return nullptr;
  }
  return at;
}

}  // namespace crossgrid
