#pragma once

#include <boost/container/flat_map.hpp>
#include <cstdint>
#include <string>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/metric_sum.hpp"

namespace crossgrid {

/// What a worker is handed: one trial of one point on a range of the data set's images.
struct Unit {
  std::uint64_t point = 0;  ///< index in the grid
  std::uint32_t trial = 0;
  std::uint64_t first = 0;  ///< first image, index in file order
  std::uint32_t count = 0;  ///< images
  auto operator<=>(const Unit&) const = default;
};

/// By metric name; millions of records are read with them.
using MetricSums = boost::container::flat_map<std::string, MetricSum>;

enum class UnitStatus : std::uint8_t { done, failed };

/// What became of a unit: one line of the journal.
struct UnitResult {
  Unit unit;
  UnitStatus status = UnitStatus::done;
  MetricSums metrics;
  double seconds = 0;    ///< run time in the executor; provenance, never part of a metric
  double megabytes = 0;  ///< peak memory of the executor up to its end; not in the unit's record
  double cost = 0;       ///< PlannedUnit::cost; not in the unit's record
  std::uint32_t attempts = 1;
  std::string host;    ///< of the worker that ran it last; empty where nobody knows
  std::string reason;  ///< why it failed: exception text, or how its executor ended
  int signal = 0;      ///< that ended its executor; 0: none did
  std::string log;     ///< the last lines that its executor wrote
};

}  // namespace crossgrid
