#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// What a run is expected to take.
RunAccount::Predicted predict_run(const WorkEstimate& work, std::uint64_t units, std::uint64_t units_in_folder,
                                  int workers, int threads);

/// Share of a run's units from which on its measured times say more than its prediction.
inline constexpr double telling_share = 0.05;

/// Measured over predicted run time of the recorded units; nothing before telling_share of the units.
std::optional<double> time_ratio(const RunAccount& account);
/// What is left of the run [s], by its prediction corrected by time_ratio(), `since` seconds after the account was
/// kept; nothing where there is no ratio.
std::optional<double> seconds_left(const RunAccount& account, double since);

/// Two lines that `status` prints, without their names: "800 units in about 9 s on 1 worker x 2 threads, ..." and
/// "40 of 800 units in 1 s, 1.2 times as long as predicted: about 11 s in all; ...". `disk_megabytes`: of the folder as
/// it is.
std::string predicted_text(const RunAccount& account);
std::string measured_text(const RunAccount& account, double disk_megabytes);

}  // namespace crossgrid
