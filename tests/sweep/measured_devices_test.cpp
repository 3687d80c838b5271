#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "core/fast_mvm.hpp"
#include "core/random_matrix.hpp"
#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/device/cell_current.hpp"
#include "crossgrid/device/clipped_normal.hpp"
#include "crossgrid/device/measured_cell.hpp"
#include "crossgrid/sweep/device_file.hpp"

/// The devices that ship against their published curves (physics.md section 4, typed in again here), and cells of all
/// devices against the plain reference. All limits: two-sided, alpha = 1e-6; seeds are fixed. Every statistical claim
/// has a twin whose spread is 3 % too large, which must be rejected.
namespace crossgrid {
namespace {

constexpr double normal_limit = 4.8916;
constexpr int draws = 100000;
constexpr double day = 86400;

std::shared_ptr<const MeasuredDevice> shipped(const std::string& name) {
  return read_device_file(CROSSGRID_TEST_SOURCE_DIR "/data/devices/" + name + ".json");
}

DeviceConfig device_of(const std::string& name, double r_min) {
  DeviceConfig device;
  device.measured = shipped(name);
  device.r_min = r_min;
  return device;
}

/// Many cells of one target, programmed.
Matrix cells_of(const DeviceConfig& device, double target, Matrix* sigma = nullptr) {
  Matrix cells = Matrix::Constant(1, draws, static_cast<float>(target));
  const Matrix spread = program_plane(cells, device, {17, 3, 1}, 0);
  if (sigma != nullptr) *sigma = spread;
  return cells;
}

/// Standardised distances of a sample's mean and of its variance about the expected mean.
struct Distance {
  double mean = 0, variance = 0;
  double largest() const { return std::max(std::abs(mean), std::abs(variance)); }
};
Distance distance(const Matrix& cells, double mean, double sigma) {
  double first = 0, second = 0;
  for (Eigen::Index k = 0; k < cells.size(); ++k) {
    const double z = (static_cast<double>(cells.data()[k]) - mean) / sigma;
    first += z, second += z * z - 1;
  }
  const auto n = static_cast<double>(cells.size());
  return {first / std::sqrt(n), second / std::sqrt(2 * n)};
}

struct Programming {
  std::string name;
  double r_min;
  std::function<double(double)> sigma;  ///< [uS] of a conductance [uS]
};

double saturating(double a, double b, double x) {
  return std::max(a * (1 - std::exp(-x / b)), 0.0);
}

const std::vector<Programming>& published() {
  static const std::vector<Programming> all{
      {"pcm-joshi-2020", 4e4, [](double g) { return -0.00178767 * g * g + 0.07585724 * g + 0.28638599; }},
      {"rram-milo-2021", 1 / 225e-6, [](double g) { return -0.009107 * g + 4.782321; }},
      {"rram-wan-2022", 1 / 39.26e-6,
       [](double g) { return 1.536e-4 * g * g * g - 1.167e-2 * g * g + 0.2374 * g + 1.053; }},
      // At 0.1 V 1 uS is 100 nA.
      {"sonos-agrawal-2022", 1 / 32e-6, [](double g) { return saturating(19.88665, 176.3115, 100 * g) / 100; }},
      {"pcm-nandakumar-2019", 4e4, [](double g) {
         const double x = g / 25;
         return -1.1731 * x * x + 1.9650 * x + 0.2635;
       }}};
  return all;
}

/// Ten conductances so far above 0 that the clip is out of reach.
const std::array<double, 10> targets{0.4, 0.45, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 1.0};

TEST(MeasuredDevices, ScatterAsPublishedWhenProgrammed) {
  for (const Programming& model : published()) {
    DeviceConfig device = device_of(model.name, model.r_min);
    device.programming_error.model = ErrorModel::device;
    MeasuredDevice faulty = *device.measured;
    faulty.programming_error->sigma.value_unit *= 1.03;
    DeviceConfig twin = device;
    twin.measured = std::make_shared<const MeasuredDevice>(faulty);
    for (const double target : targets) {
      const double g = target / model.r_min * 1e6, sigma = model.sigma(g) * 1e-6 * model.r_min;
      EXPECT_LT(distance(cells_of(device, target), target, sigma).largest(), normal_limit) << model.name << ' ' << g;
      EXPECT_GT(distance(cells_of(twin, target), target, sigma).variance, normal_limit)
          << model.name << ": a spread 3 % too large goes unseen at " << g;
    }
  }
}

/// Near 0 the clip cuts: the closed form of a limited normal.
TEST(MeasuredDevices, ClipAtZero) {
  DeviceConfig device = device_of("rram-wan-2022", 1 / 39.26e-6);
  device.programming_error.model = ErrorModel::device;
  for (const double target : {0.0, 0.02, 0.1}) {
    const double g = target * 39.26, sigma = published()[2].sigma(g) / 39.26;
    const ClippedMoments expected = clipped_normal(target, sigma, 0, std::numeric_limits<double>::infinity());
    EXPECT_LT(std::abs(distance(cells_of(device, target), expected.mean, std::sqrt(expected.variance)).mean),
              normal_limit);
  }
}

/// Mean drift of SONOS [nA] over the current [nA]: ascending coefficients after 0 to 5 days (sonos_drift.json).
constexpr double sonos_shift[6][11] = {{},
                                       {0.172684, 0.0572552, -0.000685715, 3.50271e-06, -9.37682e-09, 1.40575e-11,
                                        -1.19803e-14, 5.41293e-18, -8.85448e-22, -1.66869e-25, 5.9518e-29},
                                       {0.250712, 0.0662195, -0.000683218, 2.99442e-06, -6.78255e-09, 7.70482e-12,
                                        -3.04983e-15, -2.15919e-18, 2.94617e-21, -1.23359e-24, 1.85329e-28},
                                       {-0.01753, 0.0976883, -0.000963791, 4.55551e-06, -1.22391e-08, 1.93786e-11,
                                        -1.85899e-14, 1.07659e-17, -3.58211e-21, 5.96785e-25, -3.3041e-29},
                                       {0.0403338, 0.103111, -0.0010474, 4.83961e-06, -1.28132e-08, 1.99484e-11,
                                        -1.85139e-14, 1.00008e-17, -2.84944e-21, 3.01008e-25, 1.18747e-29},
                                       {0.319927, 0.106596, -0.00104054, 4.5029e-06, -1.10352e-08, 1.56477e-11,
                                        -1.27592e-14, 5.45513e-18, -7.26841e-22, -2.43893e-25, 7.14608e-29}};
double sonos_moved(int days, double current) {
  double sum = current, power = 1;
  for (const double c : sonos_shift[days]) {
    sum += c * power;
    power *= current;
  }
  return sum;
}

/// Without scatter: a coefficient that is lost in a sample's mean is seen.
TEST(MeasuredDevices, SonosMeansMoveAsPublished) {
  const double i_max = 1800;  // nA
  DeviceConfig device = device_of("sonos-agrawal-2022", 0.1 / 1800e-9);
  MeasuredDevice still = *device.measured;
  for (Curve& sigma : still.drift->distribution->sigma) sigma.value_unit = 0;
  device.measured = std::make_shared<const MeasuredDevice>(still);
  device.drift = DriftModel::device;
  for (int days = 1; days <= 5; ++days) {
    device.time = days * day;
    for (const double target : {0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0}) {
      Matrix cell = Matrix::Constant(1, 1, static_cast<float>(target));
      program_plane(cell, device, {17, 3, 1}, 0);
      const double moved = std::max(sonos_moved(days, target * i_max), 0.0);
      EXPECT_NEAR(static_cast<double>(cell(0, 0)) * i_max, moved, 1e-6 * i_max) << days << " days, " << target;
    }
  }
}

/// SONOS: at t the mean moves by the polynomial and the spread is A(1 - exp(-I/B)) at the moved current.
TEST(MeasuredDevices, SonosDriftsAsPublished) {
  constexpr double table[6][2] = {{19.88665, 176.3115},  {25.59102, 186.85544}, {28.72753, 193.56834},
                                  {31.04318, 198.90332}, {33.76214, 204.77023}, {34.57909, 207.34309}};
  const double i_max = 1600;  // nA
  DeviceConfig device = device_of("sonos-agrawal-2022", 0.1 / 1600e-9);
  device.drift = DriftModel::device;
  device.programming_error.model = ErrorModel::device;
  for (const double t : {0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0}) {
    const int k = std::min(static_cast<int>(t), 4);
    const double part = t - k;
    const double a = table[k][0] + part * (table[k + 1][0] - table[k][0]);
    const double b = table[k][1] + part * (table[k + 1][1] - table[k][1]);
    device.time = t * day;
    for (const double target : targets) {
      const double current = target * i_max;
      const double moved = (1 - part) * sonos_moved(k, current) + part * sonos_moved(k + 1, current);
      const double sigma = saturating(a, b, moved);
      const Matrix cells = cells_of(device, target);
      EXPECT_LT(distance(cells, moved / i_max, sigma / i_max).largest(), normal_limit) << t << " days, " << current;
      EXPECT_GT(std::abs(distance(cells, moved / i_max, 1.03 * sigma / i_max).variance), normal_limit);
    }
  }
}

/// PCM: nu = -ln(g(t)/g) / ln(t/t0) is normal with the published mean and spread.
TEST(MeasuredDevices, PcmExponentsAreAsPublished) {
  DeviceConfig device = device_of("pcm-nandakumar-2019", 4e4);
  device.drift = DriftModel::device;
  for (const double t : {3600.0, day, 365 * day}) {
    device.time = t;
    for (const double target : targets) {
      const double mu = std::clamp(-0.0155 * std::log(target) + 0.0244, 0.049, 0.1);
      const double sigma = std::clamp(-0.0125 * std::log(target) - 0.0059, 0.008, 0.045);
      Matrix nu = cells_of(device, target);
      for (float& g : nu.reshaped()) {
        g = static_cast<float>(-std::log(static_cast<double>(g) / target) / std::log(t / 20));
      }
      EXPECT_LT(distance(nu, mu, sigma).largest(), normal_limit) << t << ' ' << target;
      EXPECT_GT(std::abs(distance(nu, mu, 1.03 * sigma).variance), normal_limit);
    }
  }
}

/// Where nu meets 0 its median still is mu: half of the cells have kept more than g (t/t0)^-mu.
TEST(MeasuredDevices, PcmDriftsByItsMedianExponent) {
  DeviceConfig device = device_of("pcm-nandakumar-2019", 4e4);
  device.drift = DriftModel::device;
  device.time = day;
  for (const double target : {0.003, 0.01, 0.05, 0.2}) {
    const double mu = std::clamp(-0.0155 * std::log(target) + 0.0244, 0.049, 0.1);
    const double median = target * std::pow(day / 20, -mu);
    const auto above = (cells_of(device, target).array() > static_cast<float>(median)).count();
    EXPECT_LT(std::abs(static_cast<double>(above) - draws / 2.0) / std::sqrt(draws / 4.0), normal_limit) << target;
    EXPECT_LE(cells_of(device, target).maxCoeff(), static_cast<float>(target)) << "no cell gains";
  }
}

TEST(MeasuredDevices, DoNotDriftBeforeTheirFirstRead) {
  DeviceConfig device = device_of("pcm-nandakumar-2019", 4e4);
  device.drift = DriftModel::device;
  device.time = 20;
  EXPECT_FALSE(device.random());
  EXPECT_EQ(cells_of(device, 0.5), Matrix::Constant(1, draws, 0.5f));
}

double flicker(double g, double g_then, double t) {
  return g_then * std::min(0.0088 * std::pow(g, -0.65), 0.2) * std::sqrt(std::log((t + 250e-9) / (2 * 250e-9)));
}

TEST(MeasuredDevices, FlickerNoiseGrowsWithTime) {
  DeviceConfig device = device_of("pcm-nandakumar-2019", 4e4);
  device.read_noise.model = ErrorModel::device;
  for (const double t : {0.0, 20.0, 3600.0, 30 * day}) {
    device.time = t;
    for (const double target : {0.001, 0.1, 0.5, 1.0}) {
      Matrix sigma;
      cells_of(device, target, &sigma);
      EXPECT_NEAR(sigma(0, 0), flicker(target, target, std::max(t, 20.0)), 1e-6 * flicker(target, target, day));
    }
  }
  // With drift: Q of what was programmed, times what is left.
  device.drift = DriftModel::device;
  device.programming_error.model = ErrorModel::none;
  Matrix sigma;
  const Matrix cells = cells_of(device, 0.5, &sigma);
  for (Eigen::Index k = 0; k < 100; ++k) {
    EXPECT_NEAR(sigma(0, k), flicker(0.5, static_cast<double>(cells(0, k)), 30 * day), 1e-6);
  }
}

TEST(MeasuredDevices, ReadNoiseOfSonosIsAsPublishedAtEveryCurrent) {
  DeviceConfig device = device_of("sonos-agrawal-2022", 0.1 / 3200e-9);
  device.read_noise.model = ErrorModel::device;
  for (const double current : {0.0, 1.0, 10.0, 50.0, 100.0, 200.0, 400.0, 1000.0, 2000.0, 3200.0}) {
    Matrix cell = Matrix::Constant(1, 1, static_cast<float>(current / 3200));
    const Matrix sigma = program_plane(cell, device, {17, 3, 1}, 0);
    EXPECT_NEAR(static_cast<double>(sigma(0, 0)) * 3200, saturating(12.58037, 215.36557, current), 1e-5) << current;
  }
}

TEST(MeasuredDevices, HaveReadNoiseWhereItIsPublished) {
  for (const Programming& model : published()) {
    const bool measured = model.name == "sonos-agrawal-2022" || model.name == "pcm-nandakumar-2019";
    EXPECT_EQ(shipped(model.name)->read_noise.has_value(), measured) << model.name;
  }
}

/// I = G V + N2 V^2 + N3 V^3 of Milo et al. 2021, V signed, N2 and N3 over L = log10 of G in siemens.
TEST(MeasuredDevices, MiloConductsAsPublished) {
  DeviceConfig device = device_of("rram-milo-2021", 1 / 225e-6);
  device.iv = IvModel::device;
  for (const double voltage : {0.1, 0.3, 0.5}) {
    device.read_voltage = voltage;
    const CellCurrent current = make_cell_current(device);
    for (const double siemens : {0.5e-9, 2e-9, 1e-7, 1e-6, 1e-5, 5e-5, 1e-4, 1.5e-4, 2e-4, 2.25e-4}) {
      const double l = std::log10(siemens);
      const double n2 = siemens < 1e-9 ? 0 : 0.0001388 * l * l * l + 0.001541 * l * l + 0.005711 * l + 0.007063;
      const double n3 = siemens < 1e-9 ? 0 : 8.8710e-5 * l * l + 6.7919e-4 * l + 1.2968e-3;
      for (const double x : {-1.0, -0.4, 0.4, 1.0}) {
        const double v = x * voltage, expected = siemens * v + n2 * v * v + n3 * v * v * v;
        EXPECT_NEAR(current(siemens / 225e-6, x) * 225e-6 * voltage, expected, 1e-12 * 225e-6) << siemens << ' ' << v;
      }
    }
  }
}

/// Reads of one chip: balanced pairs of (1, 0), of which only the first scatters.
Matrix reads(const DeviceConfig& device, NoiseSampling sampling) {
  LayerHardware hardware;
  hardware.device = device;
  hardware.device.read_noise_sampling = sampling;
  const ProgrammedMatrix chip = program_matrix(Matrix::Ones(2000, 1), hardware, 3, 0, 0);
  Matrix values(50, 2000);
  for (std::uint32_t window = 0; window < 50; ++window) {
    const auto y = fast_mvm(chip, hardware, std::vector<double>{1}, {{0, 1}, {}, 3, 0, 0, 0, window});
    std::copy(y.begin(), y.end(), values.row(window).begin());
  }
  return values;
}

TEST(MeasuredDevices, ReadsScatterAsPublished) {
  struct Case {
    std::string name;
    double r_min, time, sigma;
  };
  for (const Case& c : {Case{"pcm-nandakumar-2019", 4e4, 0, flicker(1, 1, 20)},
                        Case{"pcm-nandakumar-2019", 4e4, day, flicker(1, 1, day)},
                        Case{"sonos-agrawal-2022", 0.1 / 1000e-9, 0, saturating(12.58037, 215.36557, 1000) / 1000}}) {
    DeviceConfig device = device_of(c.name, c.r_min);
    device.read_noise.model = ErrorModel::device;
    device.time = c.time;
    for (const NoiseSampling sampling : {NoiseSampling::per_cell, NoiseSampling::lumped}) {
      const Matrix values = reads(device, sampling);
      EXPECT_LT(distance(values, 1, c.sigma).largest(), normal_limit) << c.name << ' ' << c.time;
      EXPECT_GT(std::abs(distance(values, 1, 1.03 * c.sigma).variance), normal_limit);
    }
  }
}

/// The same draws at every time and rate: points of a grid differ by the parameter alone.
TEST(MeasuredDevices, AreTheSameChipAtEveryTime) {
  DeviceConfig pcm = device_of("pcm-nandakumar-2019", 4e4);
  pcm.drift = DriftModel::device;
  pcm.time = 3600;
  const Matrix early = cells_of(pcm, 0.5);
  pcm.time = day;
  const Matrix late = cells_of(pcm, 0.5);
  DeviceConfig sonos = device_of("sonos-agrawal-2022", 0.1 / 1600e-9);
  sonos.programming_error.model = ErrorModel::device;
  const Matrix fresh = cells_of(sonos, 0.5);
  sonos.drift = DriftModel::device;
  sonos.time = day;
  const Matrix drifted = cells_of(sonos, 0.5);
  const double power = std::log(day / 20) / std::log(3600.0 / 20);
  const float middle_fresh = fresh.mean(), middle = drifted.mean();
  for (Eigen::Index k = 0; k < 1000; ++k) {
    EXPECT_NEAR(late(0, k), 0.5 * std::pow(static_cast<double>(early(0, k)) / 0.5, power), 1e-6);
    if (std::abs(fresh(0, k) - middle_fresh) > 0.005f) {
      EXPECT_EQ(drifted(0, k) > middle, fresh(0, k) > middle_fresh);
    }
  }
}

LayerHardware hardware_of(const DeviceConfig& device, CoreStyle style = CoreStyle::balanced) {
  LayerHardware hardware;
  hardware.core.style = style;
  hardware.device = device;
  return hardware;
}

TEST(MeasuredDevices, GlobalCompensationRestoresTheMean) {
  DeviceConfig device = device_of("pcm-nandakumar-2019", 4e4);
  device.drift = DriftModel::device;
  device.time = 30 * day;
  LayerHardware hardware = hardware_of(device, CoreStyle::offset);
  hardware.adc.model = ConverterModel::quantizer;  // keeps the offset out of the conductances
  hardware.array.rows_max = 32;
  const Matrix weights = random_matrix(40, 64, 3);
  const auto total = [&](const ProgrammedMatrix& matrix) {
    return static_cast<double>(matrix.arrays[1].conductance.sum());
  };
  for (const bool unit_column : {false, true}) {  // one of the array's columns: counted
    hardware.core.unit_column = unit_column;
    const double nominal = total(nominal_matrix(weights, hardware));
    hardware.device.compensation = DriftCompensation::none;
    EXPECT_LT(total(program_matrix(weights, hardware, 1, 2, 3)), 0.6 * nominal);
    hardware.device.compensation = DriftCompensation::global;
    EXPECT_NEAR(total(program_matrix(weights, hardware, 1, 2, 3)), nominal, 1e-5 * nominal);
  }
}

DeviceConfig with_dead_lines(double rows, double columns) {
  DeviceConfig device;
  device.faults.dead_rows = rows;
  device.faults.dead_columns = columns;
  return device;
}

/// Programmed planes of 0.5: which of their lines conduct nothing.
Matrix planes_of(const DeviceConfig& device, int plane) {
  Matrix cells = Matrix::Constant(1000, 800, 0.5f);
  program_plane(cells, device, {17, 3, 1}, plane);
  return cells;
}

TEST(DeadLines, AreTheStatedFractionAndTheSameAtEveryRate) {
  const Matrix few = planes_of(with_dead_lines(0.05, 0.1), 0), more = planes_of(with_dead_lines(0.1, 0.2), 0);
  const auto dead_rows = [](const Matrix& cells) { return (cells.rowwise().maxCoeff().array() == 0).count(); };
  const auto dead_columns = [](const Matrix& cells) { return (cells.colwise().maxCoeff().array() == 0).count(); };
  const auto z = [](Eigen::Index found, double n, double p) {
    return std::abs(static_cast<double>(found) - n * p) / std::sqrt(n * p * (1 - p));
  };
  EXPECT_LT(z(dead_rows(few), 1000, 0.05), normal_limit);
  EXPECT_LT(z(dead_columns(few), 800, 0.1), normal_limit);
  EXPECT_LT(z(dead_rows(more), 1000, 0.1), normal_limit);
  EXPECT_GT(z(dead_rows(more), 1000, 0.05), normal_limit) << "twice the rate goes unseen";
  for (Eigen::Index k = 0; k < few.size(); ++k) ASSERT_GE(few.data()[k], more.data()[k]);
}

TEST(DeadLines, OfRowsAreSharedByAPairAndOfColumnsNot) {
  EXPECT_EQ(planes_of(with_dead_lines(0.1, 0), 0), planes_of(with_dead_lines(0.1, 0), 1));
  EXPECT_NE(planes_of(with_dead_lines(0, 0.1), 0), planes_of(with_dead_lines(0, 0.1), 1));
}

TEST(DeadLines, AreSilent) {
  DeviceConfig device = with_dead_lines(0, 1);
  device.on_off_ratio = 5;
  device.clip = true;
  device.read_noise = {ErrorModel::normal_independent, 0.1};
  for (const NoiseSampling sampling : {NoiseSampling::per_cell, NoiseSampling::lumped}) {
    device.read_noise_sampling = sampling;
    const auto y =
        fast_mvm(random_matrix(5, 70, 1), hardware_of(device), random_inputs(70, 2), {{0, 1}, {}, 1, 2, 3, 4, 5});
    for (const float value : y) EXPECT_EQ(value, 0);
  }
}

std::shared_ptr<const FaultMap> some_map(int planes, int rows, int cols) {
  FaultMap map{
      planes, rows, cols, std::vector<std::uint8_t>(static_cast<std::size_t>(planes * rows * cols), 0), {1, 2}};
  // Other places and states in each plane.
  for (std::size_t k = 0; k < map.states.size(); k += 11) map.states[k] = static_cast<std::uint8_t>(1 + k / 11 % 2);
  return std::make_shared<const FaultMap>(map);
}

struct Setting {
  std::string name;
  DeviceConfig device;
  bool levels = false;
};

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const Programming& model : published()) {
    DeviceConfig device = device_of(model.name, model.r_min);
    device.programming_error.model = ErrorModel::device;
    device.on_off_ratio = 4;
    all.push_back({model.name, device});
  }
  DeviceConfig pcm = all.back().device;
  pcm.read_noise.model = ErrorModel::device;
  all.push_back({"pcm, read noise", pcm});
  pcm.drift = DriftModel::device;
  pcm.time = day;
  all.push_back({"pcm, drift and read noise", pcm});
  pcm.compensation = DriftCompensation::global;
  all.push_back({"pcm, compensated", pcm});
  pcm.clip = true;
  pcm.read_noise_sampling = NoiseSampling::per_cell;
  pcm.faults.stuck_off = pcm.faults.stuck_on = pcm.faults.dead_rows = pcm.faults.dead_columns = 0.1;
  all.push_back({"pcm, everything", pcm});
  DeviceConfig sonos = device_of("sonos-agrawal-2022", 0.1 / 1600e-9);
  sonos.drift = DriftModel::device;
  sonos.read_noise.model = ErrorModel::device;
  sonos.time = 2.5 * day;
  all.push_back({"sonos, drift and read noise", sonos});
  sonos.compensation = DriftCompensation::global;
  sonos.faults.map = some_map(2, 70, 6);
  all.push_back({"sonos, map of faults", sonos});
  DeviceConfig generic = with_dead_lines(0.2, 0.2);
  generic.read_noise = {ErrorModel::uniform_proportional, 0.1};
  generic.levels = {0, 0.1, 0.25, 0.6, 1};
  all.push_back({"levels and dead lines", generic});
  return all;
}

/// Arrays in float against cells in double, with equal random bits: rounding only.
TEST(MeasuredDevices, FastPathsEqualTheReference) {
  const Matrix weights = random_matrix(6, 70, 1);
  const std::vector<double> x = random_inputs(70, 2);
  for (const Setting& setting : settings()) {
    for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
      LayerHardware hardware = hardware_of(setting.device, style);
      if (style == CoreStyle::offset && hardware.device.faults.map) hardware.device.faults.map = some_map(1, 70, 6);
      if (!hardware.device.faults.map) hardware.array.rows_max = 36, hardware.array.cols_max = 4;
      const ReferenceMvm mvm{{0, 1}, {}, 5, 1, 2, 3, 4};
      const std::vector<double> expected = reference_mvm(weights, hardware, x, mvm);
      const std::vector<float> found = fast_mvm(weights, hardware, x, mvm);
      double largest = 0;
      for (const double y : expected) largest = std::max(largest, std::abs(y));
      for (std::size_t k = 0; k < found.size(); ++k) {
        EXPECT_NEAR(found[k], expected[k], 1e-5 * largest) << setting.name << ", output " << k;
      }
    }
  }
}

TEST(MeasuredDevices, NominalChipsHaveNoErrors) {
  for (const Setting& setting : settings()) {
    const DeviceConfig nominal = setting.device.nominal();
    EXPECT_FALSE(nominal.random());
    EXPECT_FALSE(nominal.measured);
  }
}

}  // namespace
}  // namespace crossgrid
