#pragma once

#include <span>
#include <string>
#include <vector>

#include "crossgrid/engine/database_value.hpp"

namespace crossgrid {

struct Tick {
  double place = 0;  ///< 0 to 1
  std::string label;
};

/// Where the values of an axis stand: numbers by size, linear, or logarithmic where they grow by factors; then a 0 on a
/// logarithmic axis, and words, stand apart from them.
struct AxisScale {
  std::vector<double> places;  ///< one per value, 0 to 1, ascending
  std::vector<Tick> ticks;     ///< one per value
  std::vector<double> breaks;  ///< between what has a scale and what has none
};
/// Of values in the order of drawn_order().
AxisScale axis_scale(const std::vector<DatabaseValue>& values);

/// Whether `a` is drawn before `b`: numbers by size, words by their letters, those that mean 'no limit' last.
bool drawn_before(const DatabaseValue& a, const DatabaseValue& b);

/// A scale of numbers with round ticks; logarithmic where they are positive and span more than two decades.
class NumberScale {
 public:
  /// Of finite numbers, at least one.
  explicit NumberScale(std::span<const double> numbers);
  /// 0 to 1 for numbers between the least and the largest.
  double place(double number) const;
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  double transformed(double number) const;

  bool logarithmic_ = false;
  double low_ = 0, high_ = 1;  ///< transformed
  std::vector<Tick> ticks_;
};

}  // namespace crossgrid
