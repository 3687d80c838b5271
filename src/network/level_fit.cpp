#include "crossgrid/network/level_fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "crossgrid/network/float_histogram.hpp"

namespace crossgrid {
namespace {

/// Count, sum and sum of squares of the values below a point, by interpolation inside the bin that holds it.
class Moments {
 public:
  struct Sums {
    double count = 0, first = 0, second = 0;
    Sums operator-(const Sums& other) const {
      return {count - other.count, first - other.first, second - other.second};
    }
  };

  /// In fractions of the range; values outside stand at its ends.
  Moments(const FloatHistogram& values, Interval range) {
    const double width = range.high - range.low;
    std::vector<Piece> inside;
    double before = 0, after = 0;
    for (const FloatHistogram::Bin& bin : values.bins()) {
      const auto count = static_cast<double>(bin.count);
      const double low = std::clamp(bin.low, range.low, range.high), high = std::clamp(bin.high, range.low, range.high);
      const double spread = bin.high - bin.low;  // a bin that reaches over an end is split there
      const double part_before = spread > 0 ? (low - bin.low) / spread : bin.low < range.low ? 1 : 0;
      const double part_after = spread > 0 ? (bin.high - high) / spread : bin.low > range.high ? 1 : 0;
      before += count * std::min(part_before, 1.0);
      after += count * std::min(part_after, 1.0);
      if (bin.high < range.low || bin.low > range.high) continue;
      inside.push_back({(low - range.low) / width, (high - range.low) / width, count * (1 - part_before - part_after)});
    }
    add({0, 0, before});
    for (const Piece& piece : inside) add(piece);
    add({1, 1, after});
  }

  bool empty() const { return bins_.empty(); }
  Sums all() const { return below_.back(); }

  /// Values at the point itself are not below it.
  Sums below(double point) const {
    const auto after = std::partition_point(bins_.begin(), bins_.end(), [&](const Piece& b) { return b.high < point; });
    Sums sums = below_[static_cast<std::size_t>(after - bins_.begin())];
    if (after != bins_.end() && after->low < point) {
      const double part = (point - after->low) / (after->high - after->low);
      const Sums cut = sums_of(after->low, point, after->count * part);
      sums = {sums.count + cut.count, sums.first + cut.first, sums.second + cut.second};
    }
    return sums;
  }

 private:
  struct Piece {
    double low, high, count;
  };

  static Sums sums_of(double low, double high, double count) {
    return {count, count * (low + high) / 2, count * (low * low + low * high + high * high) / 3};
  }

  void add(const Piece& piece) {
    if (!(piece.count > 0)) return;
    bins_.push_back(piece);
    const Sums own = sums_of(piece.low, piece.high, piece.count), before = below_.back();
    below_.push_back({before.count + own.count, before.first + own.first, before.second + own.second});
  }

  std::vector<Piece> bins_;      ///< ascending
  std::vector<Sums> below_{{}};  ///< of the pieces before each, and of all
};

double error_of(const Moments& moments, const std::vector<double>& levels) {
  double sum = 0;
  Moments::Sums before;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const auto until = k + 1 < levels.size() ? moments.below((levels[k] + levels[k + 1]) / 2) : moments.all();
    const auto cell = until - before;
    sum += cell.second - 2 * levels[k] * cell.first + levels[k] * levels[k] * cell.count;
    before = until;
  }
  return std::max(sum, 0.0) / moments.all().count;
}

/// Every level to the mean of the values that are nearest to it. Largest move.
double improve(const Moments& moments, std::vector<double>& levels) {
  const std::vector<double> old = levels;
  double moved = 0;
  Moments::Sums before;
  for (std::size_t k = 0; k < old.size(); ++k) {
    const auto until = k + 1 < old.size() ? moments.below((old[k] + old[k + 1]) / 2) : moments.all();
    const auto cell = until - before;
    // Rounding may leave a count of almost nothing: such a level stays where it is.
    if (cell.count > 1e-9 * moments.all().count) levels[k] = cell.first / cell.count;
    moved = std::max(moved, std::abs(levels[k] - old[k]));
    before = until;
  }
  return moved;
}

}  // namespace

std::vector<double> fit_lloyd_max(const FloatHistogram& values, Interval range, int count) {
  std::vector<double> levels;
  levels.reserve(static_cast<std::size_t>(count));
  // In the middles of equal cells: the optimum of a uniform density.
  for (int k = 0; k < count; ++k) levels.push_back((k + 0.5) / count);
  if (!(range.high > range.low)) return levels;
  const Moments moments(values, range);
  if (moments.empty()) return levels;
  constexpr int most_rounds = 20000;
  for (int round = 0; round < most_rounds && improve(moments, levels) > 1e-9; ++round) {
  }
  for (double& level : levels) level = std::clamp(level, 0.0, 1.0);
  return levels;
}

double level_error(const FloatHistogram& values, Interval range, const std::vector<double>& levels) {
  return error_of(Moments(values, range), levels);
}

}  // namespace crossgrid
