#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/circuit/converter.hpp"

namespace crossgrid {

/// A converter known by measurement (AdcTable): the ideal value is shifted by the table's mean and a normal error of
/// the table's sigma there, then quantised.
struct MeasuredAdc {
  const double* value;
  const double* mean;
  const double* sigma;
  int count;
  UniformConverter<double> levels;

  CROSSGRID_HD_INLINE float operator()(float current, float normal) const {
    const double x = limited(static_cast<double>(current), value[0], value[count - 1]);
    int left = 0, right = count - 1;  // value[left] <= x <= value[right]
    while (right - left > 1) {
      const int middle = (left + right) / 2;
      if (value[middle] <= x) {
        left = middle;
      } else {
        right = middle;
      }
    }
    const double width = value[right] - value[left];
    const double part = width > 0 ? (x - value[left]) / width : 0.0;
    const double shift = fused(part, mean[right] - mean[left], mean[left]);
    const double deviation = fused(part, sigma[right] - sigma[left], sigma[left]);
    const double moved = fused(deviation, static_cast<double>(normal), static_cast<double>(current) + shift);
    return static_cast<float>(levels(moved));
  }
};

/// Element i of one row, in place. normals: null where no sigma is above 0.
struct ConvertMeasured {
  float* values;
  const float* normals;
  MeasuredAdc adc;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    values[i] = adc(values[i], normals != nullptr ? normals[i] : 0.0f);
  }
};

}  // namespace crossgrid
