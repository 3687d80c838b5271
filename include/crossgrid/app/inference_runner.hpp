#pragma once

#include <memory>
#include <string>

#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/engine/unit_runner.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// What rank 0 tells every executor process, as the text that travels.
struct InferenceJob {
  Json sweep;                  ///< SweepFile::resolved
  std::string sweep_path;      ///< names the sweep in messages
  NumericClass numeric_class;  ///< that the sweep is pinned to
  std::string ranges;          ///< folder where calibrated ranges are kept (RangeFolder); empty: nowhere

  std::string to_text() const;
  static InferenceJob from_text(const std::string& text);
};

/// Runs units of a sweep: a point's hardware on its images. Made once per process, which it pins to the job's numeric
/// class; UnfitHost where this host can't compute so.
std::unique_ptr<UnitRunner> make_inference_runner(const InferenceJob& job, int threads);

}  // namespace crossgrid
