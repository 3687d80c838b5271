#include "crossgrid/base/metric_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {
constexpr double limit = 1099511627776.0;  // 2^40
constexpr double unit = 4294967296.0;      // 2^32
}  // namespace

void MetricSum::add(double value) {
  if (!std::isfinite(value)) {
    ++not_finite;
    return;
  }
  if (std::abs(value) > limit) {
    ++clamped;
    value = std::copysign(limit, value);
  }
  // The product with a power of two is exact, so the only rounding is nearbyint's, half to even.
  sum += static_cast<Int128>(std::nearbyint(value * unit));
  ++count;
}

MetricSum& MetricSum::operator+=(const MetricSum& other) {
  sum += other.sum;
  count += other.count;
  clamped += other.clamped;
  not_finite += other.not_finite;
  return *this;
}

double MetricSum::mean() const {
  if (count == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return static_cast<double>(sum) / static_cast<double>(count) / unit;
}

std::string int128_to_text(Int128 value) {
  const bool negative = value < 0;
  std::string text;
  do {
    // Digits are taken from the signed value, so that the smallest integer needs no special case.
    text.push_back(static_cast<char>('0' + (negative ? -static_cast<int>(value % 10) : static_cast<int>(value % 10))));
    value /= 10;
  } while (value != 0);
  if (negative) {
    text.push_back('-');
  }
  std::reverse(text.begin(), text.end());
  return text;
}

Int128 int128_from_text(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative ? text.substr(1) : text;
  Int128 value = 0;
  bool good = !digits.empty();
  for (const char digit : digits) {
    good = good && digit >= '0' && digit <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
           !__builtin_add_overflow(value, negative ? '0' - digit : digit - '0', &value);
  }
  if (!good) {
    throw Error(ExitCode::bad_input, "'" + std::string(text.substr(0, 60)) + "' is not a 128-bit decimal integer");
  }
  return value;
}

}  // namespace crossgrid
