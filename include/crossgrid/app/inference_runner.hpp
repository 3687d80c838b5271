#pragma once

#include <memory>
#include <string>

#include "crossgrid/engine/unit_runner.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// What rank 0 tells every executor process, as the text that travels.
struct InferenceJob {
  Json sweep;              ///< SweepFile::resolved
  std::string sweep_path;  ///< names the sweep in messages
  std::string isa;         ///< instruction-set level that the sweep is pinned to
  std::string ranges;      ///< folder where calibrated ranges are kept (RangeFolder)

  std::string to_text() const;
  static InferenceJob from_text(const std::string& text);
};

/// Runs units of a sweep: a point's hardware on its images. Made once per executor process.
std::unique_ptr<UnitRunner> make_inference_runner(const std::string& job_text);

}  // namespace crossgrid
