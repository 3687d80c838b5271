#pragma once

#include <memory>

#include "crossgrid/data/dataset.hpp"
#include "crossgrid/engine/round_plan.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/sweep/grid.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// A sweep with everything that it names, read and checked: what rank 0 plans with and what an executor runs.
struct SweepContext {
  SweepFile sweep;
  Network network;
  std::shared_ptr<const Dataset> test;
  std::shared_ptr<const Dataset>
      calibration;  ///< null where nothing is calibrated on images and there may be no such split
  std::shared_ptr<const RangeFile> ranges;  ///< calibration.file; null: none
  Grid grid;
  std::uint64_t first_image = 0;  ///< of the test split, in file order
  std::uint64_t image_count = 0;

  CalibrationPlan calibration_plan() const;
};

/// What of a sweep is run, round by round. `context` must outlive it.
RoundPlan round_plan(const SweepContext& context);

/// Error(usage) where shards could not decide a sweep's rounds: no shard sees the results of the others while it runs.
void refuse_shards_in_rounds(const SweepFile& sweep);

/// What a calibration split that can't be opened means where something is calibrated: an error, or that ranges come
/// from elsewhere.
enum class MissingSplit { refused, allowed };

/// Reads the network and the data sets of a sweep and makes its grid. Error(bad_input) where the network's input and
/// the images differ in shape, labels exceed the network's classes, or a calibration image equals a test image (by
/// content).
SweepContext load_sweep_context(SweepFile sweep, MissingSplit missing = MissingSplit::refused);

}  // namespace crossgrid
