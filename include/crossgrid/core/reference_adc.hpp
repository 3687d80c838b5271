#pragma once

#include "crossgrid/circuit/circuit_adc.hpp"

namespace crossgrid {

/// The plain truth about one conversion: any ADC model in double, with its own formulas (physics.md section 3) and the
/// same random draws as the fast ones. current [cell currents at g = 1, x = 1]; place.first_window is its window.
double reference_adc(const AdcConfig& config, double current, Interval range, const AdcStreams& streams,
                     int column_in_array, const ConversionPlace& place);

/// Value at the nearest of `steps` + 1 equal levels from low to high, ties to the even one.
double reference_round(double value, double low, double high, double steps);
/// Value at the nearest of 2^bits - 1 levels from -limit to limit.
double reference_sign_magnitude(double value, double limit, int bits);

}  // namespace crossgrid
