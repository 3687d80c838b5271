#pragma once

namespace crossgrid {

/// slurm/job.sh and slurm/gather.sh, compiled in.
extern const char* const job_template;
extern const char* const gather_template;

}  // namespace crossgrid
