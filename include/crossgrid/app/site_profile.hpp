#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace crossgrid {

enum class Launcher {
  mpirun,  ///< survives the loss of worker ranks
  srun     ///< --mpi=pmix: a lost rank ends the step
};

/// What a cluster wants to be asked for: slurm/profiles/*.json, docs/slurm.md. Empty texts ask for nothing.
struct SiteProfile {
  std::string partition, account, qos, constraint;
  std::string time;  ///< limit of one job, as Slurm reads it: "30", "12:00:00", "1-12"
  std::uint32_t nodes = 1;
  std::uint32_t workers_per_node = 1;
  std::uint32_t cpus_per_worker = 1;
  std::string memory_per_node;  ///< "64G"
  std::uint32_t gpus_per_node = 0;
  std::string gpus_option = "--gpus-per-node={gpus}";  ///< how GPUs are asked for
  std::vector<std::string> modules;                    ///< for 'module load'
  std::vector<std::string> setup;                      ///< lines of bash to run before
  std::vector<std::string> options;                    ///< more options of sbatch, each "--name=value"
  Launcher launcher = Launcher::mpirun;
  std::uint32_t warning_seconds = 120;  ///< before the time limit: for units in flight and the queue
};

/// Error(bad_input) names the file, the JSON pointer, what was found and what was expected.
SiteProfile read_site_profile(const std::string& path);

/// Seconds of a time limit as Slurm reads it: "M", "M:S", "H:M:S", "D-H", "D-H:M", "D-H:M:S"; nothing for other texts.
std::optional<std::uint64_t> slurm_seconds(const std::string& text);

}  // namespace crossgrid
