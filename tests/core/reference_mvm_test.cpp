#include "crossgrid/core/reference_mvm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/fast_mvm.hpp"
#include "core/random_matrix.hpp"

/// Programmed arrays in float against the reference that goes cell by cell in double, with equal random bits.
namespace crossgrid {
namespace {

struct Setting {
  std::string name;
  LayerHardware hardware;
};

DeviceConfig device_of(double ratio, bool clip, ErrorModel programming, ErrorModel read, NoiseSampling sampling) {
  DeviceConfig device;
  device.on_off_ratio = ratio;
  device.clip = clip;
  device.programming_error = {programming, 0.1};
  device.read_noise = {read, 0.04};
  device.read_noise_sampling = sampling;
  return device;
}

struct Errors {
  ErrorModel programming, read;
};

/// Every pair of the commonest error models, and each other one alone.
std::vector<Errors> error_pairs() {
  constexpr ErrorModel common[] = {ErrorModel::none, ErrorModel::normal_independent, ErrorModel::normal_proportional};
  std::vector<Errors> pairs;
  for (const ErrorModel programming : common) {
    for (const ErrorModel read : common) pairs.push_back({programming, read});
  }
  for (const ErrorModel model : {ErrorModel::normal_inverse, ErrorModel::uniform_independent,
                                 ErrorModel::uniform_proportional, ErrorModel::uniform_inverse}) {
    pairs.push_back({model, ErrorModel::none});
    pairs.push_back({ErrorModel::none, model});
  }
  return pairs;
}

/// Both styles times the errors, way of drawing, ratio and clip.
std::vector<Setting> settings() {
  std::vector<Setting> made;
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const double ratio : {8.0, std::numeric_limits<double>::infinity()}) {
      for (const auto& [programming, read] : error_pairs()) {
        for (const NoiseSampling sampling :
             {NoiseSampling::automatic, NoiseSampling::lumped, NoiseSampling::per_cell}) {
          for (const bool clip : {false, true}) {
            LayerHardware hardware;
            hardware.core.style = style;
            hardware.core.weight_bits = 6;
            hardware.array = {30, 7, {}, {PartitionRule::Kind::fill, {}}, {}, {}, {}};
            hardware.device = device_of(ratio, clip, programming, read, sampling);
            hardware.dac.model = ConverterModel::quantizer;
            hardware.dac.bits = 7;
            made.push_back({"style " + std::to_string(static_cast<int>(style)) + ", ratio " + std::to_string(ratio) +
                                ", programming " + std::to_string(static_cast<int>(programming)) + ", read " +
                                std::to_string(static_cast<int>(read)) + ", sampling " +
                                std::to_string(static_cast<int>(sampling)) + ", clip " + std::to_string(clip),
                            hardware});
          }
        }
      }
    }
  }
  LayerHardware two_sided = made.front().hardware;
  two_sided.core.two_sided = true;
  two_sided.device =
      device_of(8, false, ErrorModel::normal_proportional, ErrorModel::normal_independent, NoiseSampling::per_cell);
  made.push_back({"two-sided", two_sided});
  LayerHardware faulty = two_sided;
  faulty.device.faults = {0.1, 0.2};
  made.push_back({"stuck cells", faulty});
  return made;
}

const Matrix weights = random_matrix(11, 50, 21);
const std::vector<double> inputs = random_inputs(50, 22);
const ReferenceMvm mvm{{0, 1}, {}, 9, 8, 7, 6, 5};

TEST(ReferenceMvm, ArraysGiveTheSameOutputs) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const std::vector<double> exact = reference_mvm(weights, setting.hardware, inputs, mvm);
    const std::vector<float> fast = fast_mvm(weights, setting.hardware, inputs, mvm);
    for (std::size_t k = 0; k < exact.size(); ++k) ASSERT_NEAR(fast[k], exact[k], 2e-5) << "output " << k;
  }
}

/// Behind an ADC a code may differ where a current is within 1e-6 of the range of a threshold, nowhere else.
TEST(ReferenceMvm, ArraysGiveTheSameCodes) {
  int compared = 0;
  for (Setting setting : settings()) {
    SCOPED_TRACE(setting.name);
    setting.hardware.adc.model = ConverterModel::quantizer;
    setting.hardware.adc.bits = 7;
    setting.hardware.adc.range = RangeRule::fixed;
    const Interval range = setting.hardware.core.style == CoreStyle::balanced ? Interval{-4, 4} : Interval{0, 9};
    setting.hardware.adc.fixed_ranges = {range};
    const double codes_per_current = 127 / (range.high - range.low);
    const ReferenceResult reference = reference_chain(weights, setting.hardware, inputs, mvm);
    const std::vector<double>& exact = reference.outputs;
    const std::vector<float> fast = fast_mvm(weights, setting.hardware, inputs, mvm);
    for (std::size_t k = 0; k < exact.size(); ++k) {
      bool at_threshold = false;
      for (const ReferenceConversion& conversion : reference.conversions) {
        if (conversion.column != static_cast<int>(k)) continue;
        const double code = (conversion.value - range.low) * codes_per_current;
        at_threshold |= std::abs(code - std::floor(code) - 0.5) < 1e-6 * 127;
      }
      if (at_threshold) continue;
      ASSERT_NEAR(fast[k], exact[k], 2e-5) << "output " << k;
      ++compared;
    }
  }
  EXPECT_GT(compared, 2000);
}

TEST(ReferenceMvm, SeesAnErrorOfOneCell) {
  LayerHardware hardware = settings().back().hardware;
  ReferenceMvm other = mvm;
  const std::vector<double> first = reference_mvm(weights, hardware, inputs, mvm);
  other.window += 1;
  EXPECT_NE(first, reference_mvm(weights, hardware, inputs, other));
  other = mvm, other.image += 1;
  EXPECT_NE(first, reference_mvm(weights, hardware, inputs, other));
  Matrix changed = weights;
  changed(3, 17) += 0.2f;
  EXPECT_GT(std::abs(first[3] - reference_mvm(changed, hardware, inputs, mvm)[3]), 1e-3);
}

}  // namespace
}  // namespace crossgrid
