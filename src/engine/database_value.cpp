#include "crossgrid/engine/database_value.hpp"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

/// Numbers, texts, nulls.
int rank(const DatabaseValue& value) {
  return value.is_number() ? 0 : value.is_none() ? 2 : 1;
}

/// The integer that a real number is, else the value as it is: each number in one form only.
DatabaseValue canonical(const DatabaseValue& value) {
  if (value.kind() != DatabaseValue::Kind::real) return value;
  const double real = value.number();
  const bool fits = real >= -0x1p63 && real < 0x1p63 && real == std::trunc(real);
  return fits ? DatabaseValue(static_cast<std::int64_t>(real)) : value;
}

}  // namespace

DatabaseValue::DatabaseValue(double value) : kind_(std::isfinite(value) ? Kind::real : Kind::none), real_(value) {}

double DatabaseValue::number() const {
  switch (kind_) {
    case Kind::integer:
      return static_cast<double>(integer_);
    case Kind::natural:
      return static_cast<double>(natural_);
    case Kind::real:
      return real_;
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

std::uint64_t DatabaseValue::bits() const {
  return kind_ == Kind::real      ? std::bit_cast<std::uint64_t>(real_)
         : kind_ == Kind::natural ? natural_
                                  : static_cast<std::uint64_t>(integer_);
}

std::string DatabaseValue::plain() const {
  switch (kind_) {
    case Kind::none:
      return "";
    case Kind::integer:
      return std::to_string(integer_);
    case Kind::natural:
      return std::to_string(natural_);
    case Kind::real:
      return shortest_number(real_);
    default:
      return std::string(text());
  }
}

std::string DatabaseValue::to_json() const {
  if (kind_ == Kind::none) return "null";
  return kind_ == Kind::text ? Json(text()).dump() : plain();
}

bool same(const DatabaseValue& a, const DatabaseValue& b) {
  const DatabaseValue left = canonical(a), right = canonical(b);
  if (left.kind() != right.kind()) return false;
  return left.is_number() ? left.bits() == right.bits() : left.is_none() || left.text() == right.text();
}

std::size_t hash_of(const DatabaseValue& value) {
  if (value.is_none()) return 0;
  return value.is_number() ? std::hash<std::uint64_t>()(canonical(value).bits() * 0x9e3779b97f4a7c15)
                           : std::hash<std::string_view>()(value.text());
}

bool comparable(const DatabaseValue& a, const DatabaseValue& b) {
  return rank(a) == rank(b);
}

int compare(const DatabaseValue& a, const DatabaseValue& b) {
  if (!comparable(a, b)) return rank(a) < rank(b) ? -1 : 1;
  if (a.is_number()) return a.number() < b.number() ? -1 : a.number() > b.number() ? 1 : 0;
  if (a.is_none()) return 0;
  const int order = a.text().compare(b.text());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

}  // namespace crossgrid
