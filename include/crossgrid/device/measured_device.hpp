#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/device/curve.hpp"

/// A device as somebody measured it (docs/device-file.md): data, not code. SI units.
namespace crossgrid {

/// Where measurements hold. A limit that is not there does not limit.
struct DeviceValidity {
  std::optional<double> g_min, g_max;  ///< [S]
  std::optional<double> i_max;         ///< of a cell at Gmax [A]
  std::optional<double> v_max;         ///< of device.read_voltage [V]
  std::optional<double> on_off_ratio;  ///< the largest
  std::optional<double> time;          ///< the latest [s]
};

/// Standard deviation over conductance or current, of a normal error.
struct MeasuredSpread {
  Curve sigma;
  DeviceValidity valid;
};

/// Read noise: of a standard deviation sigma(G); or 1/f noise, of standard deviation
/// G(t) Q(G) sqrt(ln((t + t_read) / (2 t_read))) with G as it was programmed (Nandakumar et al. 2019).
struct MeasuredReadNoise {
  Curve sigma;                   ///< Q where t_read is given
  std::optional<double> t_read;  ///< integration time of the read [s]
  DeviceValidity valid;
};

/// Drift as the whole distribution at time t, in place of the programming error: the mean moves by shift(G), and cells
/// scatter by sigma(moved mean). One curve per time [s]; parameters linear in time.
struct DistributionDrift {
  std::vector<double> times;
  std::vector<Curve> shift, sigma;
};

/// Drift of what was programmed: g(t) = g (t / t0)^-nu, nu normal with mean and sigma over the target, not below 0.
struct PowerLawDrift {
  Curve mean, sigma;
};

struct MeasuredDrift {
  std::optional<DistributionDrift> distribution;  ///< one of the two
  std::optional<PowerLawDrift> power_law;
  DeviceValidity valid;
};

/// I = G V + sum over terms of coefficient(G) V^power; V is signed, even powers too.
struct MeasuredCurrent {
  struct Term {
    int power = 2;
    Curve coefficient;  ///< a number [A / V^power]
    double above = 0;   ///< conductance below which the term is 0 [S]
  };
  std::vector<Term> terms;
  DeviceValidity valid;
};

struct MeasuredDevice {
  std::string name;
  std::string source;
  DeviceValidity valid;                   ///< of everything
  double t0 = 0;                          ///< first read after programming [s]: earlier times count as it
  std::optional<double> suggested_r_min;  ///< [ohm]
  std::optional<double> suggested_on_off_ratio;
  bool in_amperes = false;  ///< any of its curves is over or of a current: the read voltage matters
  std::optional<MeasuredSpread> programming_error;
  std::optional<MeasuredReadNoise> read_noise;
  std::optional<MeasuredDrift> drift;
  std::optional<MeasuredCurrent> current;
  Id128 content;  ///< of the file
};

}  // namespace crossgrid
