#pragma once

#include <string>
#include <vector>

namespace crossgrid {

/// Digits only: ids go to Slurm's programs as words.
bool is_job_id(const std::string& text);

/// Jobs that `submit` handed to Slurm for an output folder: DIR/slurm/jobs.json.
struct SubmittedJobs {
  std::string sweep;   ///< id of the job, or of the array of shards
  std::string gather;  ///< id of the dependent job; empty where it was not taken
};
void write_submitted_jobs(const std::string& folder, const SubmittedJobs& jobs);
/// Nothing was submitted for the folder: two empty ids. Error(bad_input) where the file is not as it must be.
SubmittedJobs read_submitted_jobs(const std::string& folder);

/// Runs a program of Slurm with these words (no shell between) and gives what it prints; what it complains of goes to
/// the user. Error(bad_input) where it is missing or fails.
std::string run_slurm(const std::vector<std::string>& words);
/// Those of the jobs that are still waiting or at work.
std::vector<std::string> queued_jobs(const SubmittedJobs& jobs);

}  // namespace crossgrid
