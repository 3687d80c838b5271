#include "crossgrid/device/cell_current.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "crossgrid/device/current_planes.hpp"

namespace crossgrid {
namespace {

/// The even term of Milo et al. 2021 alone would do; both show that signs are kept.
std::shared_ptr<const MeasuredDevice> milo() {
  auto device = std::make_shared<MeasuredDevice>();
  device->current.emplace();
  for (const auto& [power, coefficients] : {std::pair{2, std::vector<double>{0.007063, 0.005711, 0.001541, 0.0001388}},
                                            std::pair{3, std::vector<double>{1.2968e-3, 6.7919e-4, 8.8710e-5}}}) {
    MeasuredCurrent::Term term;
    term.power = power;
    term.above = 1e-9;
    term.coefficient.parameters = coefficients;
    term.coefficient.argument_log10 = true;
    term.coefficient.value = Curve::Quantity::number;
    device->current->terms.push_back(term);
  }
  return device;
}

DeviceConfig device_of(IvModel model, double voltage) {
  DeviceConfig device;
  device.iv = model;
  device.r_min = 1 / 200e-6;
  device.read_voltage = voltage;
  if (model == IvModel::device) device.measured = milo();
  return device;
}

/// physics.md section 4, in amperes.
double milo_current(double conductance, double v) {
  const double l = std::log10(conductance);
  double n2 = 0.0001388 * l * l * l + 0.001541 * l * l + 0.005711 * l + 0.007063;
  double n3 = 8.8710e-5 * l * l + 6.7919e-4 * l + 1.2968e-3;
  if (conductance < 1e-9) n2 = n3 = 0;
  return conductance * v + n2 * v * v + n3 * v * v * v;
}

TEST(CellCurrent, IsThePublishedOne) {
  for (const double voltage : {0.1, 0.5}) {
    const DeviceConfig device = device_of(IvModel::device, voltage);
    const CellCurrent current = make_cell_current(device);
    for (const double g : {0.0, 1e-6, 0.01, 0.25, 0.6, 1.0}) {
      for (const double x : {-1.0, -0.3, 0.0, 0.7, 1.0}) {
        const double expected = milo_current(g * 200e-6, x * voltage) / (200e-6 * voltage);
        EXPECT_NEAR(current(g, x), g == 0 ? 0 : expected, 1e-12) << g << ' ' << x;
        const double h = 1e-6;
        EXPECT_NEAR(current.slope(g, x), (current(g, x + h) - current(g, x - h)) / (2 * h), 1e-8);
      }
    }
  }
}

TEST(CellCurrent, TheEvenTermDoesNotChangeItsSignWithTheVoltage) {
  const DeviceConfig device = device_of(IvModel::device, 0.5);
  const CellCurrent current = make_cell_current(device);
  EXPECT_GT(std::abs(current(0.5, 1) + current(0.5, -1)), 1e-3);
}

TEST(CellCurrent, CubicCellsBend) {
  const DeviceConfig cubic = device_of(IvModel::cubic, 2), linear = device_of(IvModel::linear, 2);
  const CellCurrent current = make_cell_current(cubic);
  EXPECT_NEAR(current(0.5, 1), 0.5 * (2 - 8.0 / 4) / 2, 1e-15);
  EXPECT_NEAR(current(0.5, -0.5), 0.5 * (-1 + 1.0 / 4) / 2, 1e-15);
  EXPECT_EQ(make_cell_current(linear)(0.5, 0.25), 0.125);
}

TEST(CurrentPlanes, SumUpToTheCurrent) {
  const Matrix cells = Matrix::Random(6, 5).cwiseAbs();
  for (const IvModel model : {IvModel::linear, IvModel::cubic, IvModel::device}) {
    const DeviceConfig device = device_of(model, 0.4);
    const CellCurrent current = make_cell_current(device);
    const auto planes = current_planes(cells, device);
    EXPECT_EQ(planes.size(), model == IvModel::linear ? 1u : model == IvModel::cubic ? 2u : 3u);
    EXPECT_EQ(planes.front().coefficients, cells);
    for (const double x : {-0.8, 0.6}) {
      for (Eigen::Index k = 0; k < cells.size(); ++k) {
        double sum = 0;
        for (const CurrentPlane& plane : planes) sum += plane.coefficients.data()[k] * std::pow(x, plane.power);
        EXPECT_NEAR(sum, current(cells.data()[k], x), 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace crossgrid
