#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "crossgrid/base/file.hpp"

namespace crossgrid {

/// How often each finished unit is recorded, and where: a count of its own beside RecordedWork, which merges.
struct UnitCensus {
  std::map<std::string, std::uint64_t> records;  ///< unit records of each journal, by SHARD, failed ones included
  std::uint64_t units = 0;                       ///< different done units
  /// Done units that a journal (second) repeats from one read before it (first; the same where it repeats its own).
  std::map<std::pair<std::string, std::string>, std::uint64_t> repeated;
};

/// Reads all journals of a folder. A unit is a trial of a point on a range of images with the same metrics.
UnitCensus count_units(FileSystem& files, const std::string& folder);

}  // namespace crossgrid
