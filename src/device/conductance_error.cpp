#include "crossgrid/device/conductance_error.hpp"

#include <limits>

namespace crossgrid {

template <class Real>
ConductanceError<Real> make_error(const ErrorConfig& config) {
  ConductanceError<Real> error;
  if (config.model == ErrorModel::normal_independent) error.independent = static_cast<Real>(config.magnitude);
  if (config.model == ErrorModel::normal_proportional) error.proportional = static_cast<Real>(config.magnitude);
  return error;
}

template <class Real>
ConductanceLimits<Real> make_limits(const DeviceConfig& config) {
  if (config.clip) return {static_cast<Real>(config.g_min()), Real{1}};
  return {Real{0}, std::numeric_limits<Real>::infinity()};
}

template ConductanceError<float> make_error<float>(const ErrorConfig&);
template ConductanceError<double> make_error<double>(const ErrorConfig&);
template ConductanceLimits<float> make_limits<float>(const DeviceConfig&);
template ConductanceLimits<double> make_limits<double>(const DeviceConfig&);

}  // namespace crossgrid
