#include "crossgrid/engine/database_value.hpp"

#include <cmath>
#include <limits>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

/// Numbers, texts, nulls.
int rank(const DatabaseValue& value) {
  return value.is_number() ? 0 : value.is_none() ? 2 : 1;
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
