#include "crossgrid/device/conductance_error.hpp"

#include <limits>

namespace crossgrid {

template <class Real>
ConductanceError<Real> make_error(const ErrorConfig& config) {
  ConductanceError<Real> error;
  // A uniform variable of full width m has the standard deviation m / sqrt(12).
  const double sigma = config.law() == DrawLaw::uniform ? config.magnitude * 0.28867513459481287 : config.magnitude;
  switch (config.model) {
    case ErrorModel::none:
    case ErrorModel::device:  // its sigma is not one of these laws: measured_cell.hpp
      break;
    case ErrorModel::normal_independent:
    case ErrorModel::uniform_independent:
      error.independent = static_cast<Real>(sigma);
      break;
    case ErrorModel::normal_proportional:
    case ErrorModel::uniform_proportional:
      error.proportional = static_cast<Real>(sigma);
      break;
    case ErrorModel::normal_inverse:
    case ErrorModel::uniform_inverse:
      error.inverse = static_cast<Real>(sigma);
      break;
  }
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
