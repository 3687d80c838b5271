#pragma once

#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "crossgrid/backend/executor.hpp"
#include "crossgrid/network/float_histogram.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/network_execution.hpp"

namespace crossgrid {

/// Which of a layer's ranges calibration must find.
struct CalibrationNeeds {
  bool dac = false;
  bool adc = false;
  bool levels = false;  ///< adc.levels "lloyd_max"
};
CalibrationNeeds calibration_needs(const LayerHardware& hardware);

/// Profiles the floating-point network on the calibration images (rule R9, physics.md section 3): first every matrix
/// layer's inputs, then, with inputs through the DAC, the currents of nominal arrays (quantised weights, no random
/// errors), pooled over row blocks, sides and input slices, by weight slice. Layers before it are ideal. Profiles are
/// kept by what changes them, ranges in the plan's store. Where the plan gives ranges, those are taken and nothing is
/// profiled.
class Calibration {
 public:
  Calibration(const Network& network, const NetworkExecution& reference, CalibrationPlan plan, int micro_batch,
              Executor& executor, std::vector<Lane>& lanes);
  ~Calibration();

  /// Ranges for the hardware of every matrix layer; converters that need none get [0, 1] or [-1, 1].
  std::vector<LayerRanges> ranges(std::span<const LayerHardware> hardware);

 private:
  struct CurrentProfile;
  /// 512 KiB each. More are kept only where one point needs them.
  static constexpr std::size_t profiles_kept = 128;
  /// Points whose stored ranges are kept.
  static constexpr std::size_t points_kept = 16;
  std::vector<LayerRanges> calibrated_ranges(std::span<const LayerHardware> hardware);
  std::vector<LayerRanges> stored_ranges(std::span<const LayerHardware> hardware);
  Interval dac_range(std::size_t matrix, const LayerHardware& hardware);
  void fit(const CurrentProfile& profile, const LayerHardware& hardware, LayerRanges& ranges) const;
  void profile_inputs();
  void profile_currents(std::span<CurrentProfile> wanted);
  CurrentProfile* find(const CurrentProfile& key);
  void over_images(const std::function<void(const MicroBatch& batch, int lane)>& body);

  const Network& network_;
  const NetworkExecution& reference_;
  CalibrationPlan plan_;
  int micro_batch_;
  Executor& executor_;
  std::vector<Lane>& lanes_;
  std::vector<int> layers_;             ///< of the network, by matrix layer
  std::vector<FloatHistogram> inputs_;  ///< by matrix layer; empty before the first use
  /// Input ranges found so far, by matrix layer.
  std::vector<std::vector<std::pair<DacConfig, Interval>>> input_fits_;
  std::vector<CurrentProfile> currents_;  ///< oldest first, at most profiles_kept
  /// What the store gave or was given, by the hardware that calibration sees; oldest first.
  std::deque<std::pair<std::vector<LayerHardware>, std::vector<LayerRanges>>> stored_;
};

}  // namespace crossgrid
