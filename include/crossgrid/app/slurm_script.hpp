#pragma once

#include <string>
#include <vector>

#include "crossgrid/app/site_profile.hpp"

namespace crossgrid {

/// What `submit` hands to Slurm. Paths are absolute.
struct SlurmRequest {
  SiteProfile profile;
  std::string name;               ///< of the sweep
  std::string program;            ///< this program
  std::string work_folder;        ///< where relative names of the command line start
  std::string folder;             ///< the output folder
  std::vector<std::string> run;   ///< words after 'crossgrid run'
  std::vector<std::string> draw;  ///< the command that draws, empty: none
  std::uint32_t shards = 1;
};

/// The scripts that sbatch takes: slurm/job.sh and slurm/gather.sh, filled in. Words of the user are quoted, for bash
/// and for sbatch's own reading of its #SBATCH lines.
std::string job_script(const SlurmRequest& request);
std::string gather_script(const SlurmRequest& request);

/// A value in an #SBATCH line, in quotes where sbatch needs them. Error(usage) where it has a newline.
std::string sbatch_word(const std::string& word);

}  // namespace crossgrid
