#pragma once

#include <cstdint>
#include <string>

#include "crossgrid/app/sweep_context.hpp"

namespace crossgrid {

/// What a sweep costs before anything has run. Points are looked at one by one up to a limit, then sampled evenly.
struct WorkEstimate {
  std::uint64_t points = 0;       ///< of the grid
  std::uint64_t duplicates = 0;   ///< points equal to an earlier one: computed once
  std::uint64_t chips = 0;        ///< (point, trial) pairs that are computed
  std::uint64_t inferences = 0;   ///< chips x images
  double gigaflops = 0;           ///< of all products
  double seconds_per_thread = 0;  ///< predicted, at `nominal_flops`
  double megabytes = 0;           ///< of one executor process: network, images, largest programmed layer set
};
WorkEstimate estimate_work(const SweepContext& context);

/// "12 s", "3 min 20 s", "5 h 02 min", "2 d 3 h".
std::string duration_text(double seconds);
/// "about 12 s", but "under 1 s".
std::string about_text(double seconds);
/// 12345 -> "12,345".
std::string grouped(std::uint64_t number);
/// "1 point", "12,345 points".
std::string counted(std::uint64_t number, const char* noun);

}  // namespace crossgrid
