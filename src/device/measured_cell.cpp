#include "crossgrid/device/measured_cell.hpp"

#include <cmath>

namespace crossgrid {

double flicker_growth(double t, double t_read) {
  const double ratio = (t + t_read) / (2 * t_read);
  return ratio > 1 ? std::sqrt(portable_log(ratio)) : 0;  // a correctly rounded root: the same bits everywhere
}

}  // namespace crossgrid
