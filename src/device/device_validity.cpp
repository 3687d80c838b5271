#include "crossgrid/device/device_validity.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "crossgrid/base/json.hpp"

namespace crossgrid {
namespace {

constexpr double rounding = 1e-9;  ///< limits are products of decimal numbers

bool above(double value, double limit) {
  return value > limit * (1 + rounding);
}

/// In micro- or nanounits, six digits.
std::string siemens(double value) {
  return fmt::format("{:.6g} uS", value * 1e6);
}
std::string amperes(double value) {
  return fmt::format("{:.6g} nA", value * 1e9);
}
/// To six digits, up or down: what a message proposes is allowed itself.
double rounded_up(double limit) {
  const double digit = std::pow(10, std::floor(std::log10(limit)) - 5);
  return std::ceil(limit / digit * (1 - rounding)) * digit;
}
double rounded_down(double limit) {
  const double digit = std::pow(10, std::floor(std::log10(limit)) - 5);
  return std::floor(limit / digit * (1 + rounding)) * digit;
}

using Problems = std::vector<DeviceProblem>;

void check_conductance(const DeviceConfig& device, const DeviceValidity& valid, const std::string& what,
                       Problems& problems) {
  const double g_max = device.g_max(), g_min = g_max * device.g_min();
  if (valid.g_max && above(g_max, *valid.g_max)) {
    problems.push_back(
        {fmt::format("Gmax is {} (1 / device.r_min), but {} is valid up to {}: device.r_min must be at least {:.6g}",
                     siemens(g_max), what, siemens(*valid.g_max), rounded_up(1 / *valid.g_max)),
         {"device.r_min", "device.model"}});
  }
  if (valid.g_min && above(*valid.g_min, g_max)) {
    problems.push_back(
        {fmt::format("Gmax is {} (1 / device.r_min), but {} is valid from {}: device.r_min must be at most {:.6g}",
                     siemens(g_max), what, siemens(*valid.g_min), rounded_down(1 / *valid.g_min)),
         {"device.r_min", "device.model"}});
  } else if (valid.g_min && above(*valid.g_min, g_min)) {
    // Of the Gmax that is proposed, where the one found is not allowed.
    const double largest = valid.g_max && above(g_max, *valid.g_max) ? 1 / rounded_up(1 / *valid.g_max) : g_max;
    problems.push_back({fmt::format("Gmin is {} (Gmax / device.on_off_ratio), but {} is valid from {}: "
                                    "device.on_off_ratio must be at most {:.6g}",
                                    siemens(g_min), what, siemens(*valid.g_min), rounded_down(largest / *valid.g_min)),
                        {"device.on_off_ratio", "device.model"}});
  }
  if (valid.on_off_ratio && above(device.on_off_ratio, *valid.on_off_ratio)) {
    const std::string found = std::isinf(device.on_off_ratio) ? "infinite" : fmt::format("{:.6g}", device.on_off_ratio);
    problems.push_back(
        {fmt::format("device.on_off_ratio is {}, but {} is valid up to {:.6g}", found, what, *valid.on_off_ratio),
         {"device.on_off_ratio", "device.model"}});
  }
}

void check_use(const DeviceConfig& device, const DeviceValidity& valid, const std::string& what, Problems& problems) {
  const double i_max = device.g_max() * device.read_voltage;
  if (valid.i_max && above(i_max, *valid.i_max)) {
    problems.push_back(
        {fmt::format("the largest cell current is {} (device.read_voltage / device.r_min), but {} is valid up to {}: "
                     "raise device.r_min or lower device.read_voltage",
                     amperes(i_max), what, amperes(*valid.i_max)),
         {"device.r_min", "device.read_voltage", "device.model"}});
  }
  if (valid.v_max && above(device.read_voltage, *valid.v_max)) {
    problems.push_back({fmt::format("device.read_voltage is {} V, but {} is valid up to {} V",
                                    shortest_number(device.read_voltage), what, shortest_number(*valid.v_max)),
                        {"device.read_voltage", "device.model"}});
  }
  if (valid.time && above(device.time, *valid.time)) {
    problems.push_back({fmt::format("device.time is {} s, but {} is valid up to {} s", shortest_number(device.time),
                                    what, shortest_number(*valid.time)),
                        {"device.time", "device.model"}});
  }
}

/// A part of the device that the configuration asks for.
struct Part {
  const char* parameter;  ///< that asks
  const char* key;        ///< in the file
  bool asked;
  const DeviceValidity* valid;  ///< null: the device has no such part
};

std::vector<Part> parts_of(const DeviceConfig& device) {
  const MeasuredDevice* measured = device.measured ? &*device.measured : nullptr;
  const auto valid = [&](const auto MeasuredDevice::*part) -> const DeviceValidity* {
    return measured != nullptr && measured->*part ? &(measured->*part)->valid : nullptr;
  };
  return {{"device.programming_error.model", "programming_error", device.programming_error.model == ErrorModel::device,
           valid(&MeasuredDevice::programming_error)},
          {"device.read_noise.model", "read_noise", device.read_noise.model == ErrorModel::device,
           valid(&MeasuredDevice::read_noise)},
          {"device.drift.model", "drift", device.drift == DriftModel::device, valid(&MeasuredDevice::drift)},
          {"device.iv.model", "iv", device.iv == IvModel::device, valid(&MeasuredDevice::current)}};
}

}  // namespace

std::vector<DeviceProblem> device_problems(const DeviceConfig& device) {
  Problems problems;
  if (device.iv == IvModel::cubic && above(device.read_voltage, 2)) {
    problems.push_back({fmt::format("device.read_voltage is {} V, but device.iv.model \"cubic\" is valid up to 2 V",
                                    shortest_number(device.read_voltage)),
                        {"device.read_voltage", "device.iv.model"}});
  }
  bool of_whole = false;  // limits of the device itself are told once
  for (const Part& part : parts_of(device)) {
    if (!part.asked) continue;
    if (!device.measured) {
      problems.push_back(
          {fmt::format("{} is \"device\", but device.model is \"generic\": name a device file", part.parameter),
           {part.parameter, "device.model"}});
    } else if (part.valid == nullptr) {
      problems.push_back({fmt::format("{} is \"device\", but the device '{}' has no '{}'", part.parameter,
                                      device.measured->name, part.key),
                          {part.parameter, "device.model"}});
    } else {
      const auto check = [&](const DeviceValidity& valid, const std::string& what) {
        check_conductance(device, valid, what, problems);
        check_use(device, valid, what, problems);
      };
      const std::string whole = fmt::format("the device '{}'", device.measured->name);
      if (!std::exchange(of_whole, true)) check(device.measured->valid, whole);
      check(*part.valid, fmt::format("'{}' of {}", part.key, whole));
    }
  }
  return problems;
}

}  // namespace crossgrid
