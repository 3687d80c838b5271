#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/expected_checks.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/round_plan.hpp"

namespace crossgrid {

/// The points of a sweep as the database needs them; made on request, so 10^6 points cost no memory.
struct PointTable {
  struct Row {
    std::uint64_t index = 0;
    Id128 id;
    std::vector<std::pair<std::string, Json>> axes;
    std::uint32_t trials = 1;
    bool deterministic = false;
  };
  std::uint64_t size = 0;
  std::function<Row(std::uint64_t)> row;               ///< of the n-th point
  std::function<Id128(std::uint64_t)> id;              ///< of the n-th point
  std::function<std::uint32_t(std::uint64_t)> trials;  ///< of the n-th point
  std::vector<std::uint64_t> indices;                  ///< of the points in the grid, ascending; empty: all, from 0
  std::uint64_t index(std::uint64_t n) const { return indices.empty() ? n : indices[static_cast<std::size_t>(n)]; }
};
/// The table of points, whose grid must outlive it.
PointTable point_table(const ChosenPoints& points);

/// What the database holds of a sweep besides its points.
struct DatabaseRequest {
  std::string name;  ///< of the sweep
  std::vector<std::string> metrics;
  ImageSpan images;  ///< test images used by every trial
  std::string dataset_split;
  std::string dataset_path;
  std::string next_command;  ///< how to go on, for summary.json
  std::vector<ExpectedRequest> expected;
  std::function<std::vector<Crossing>(const RecordedWork&)> crossings;  ///< of a sweep with `bisect`
};

/// Counts of a database; `complete` says that a run has nothing left to do.
struct DatabaseCounts {
  std::uint64_t points = 0;
  std::uint64_t done = 0;        ///< all trials done
  std::uint64_t failed = 0;      ///< nothing left to do, but some trials failed
  std::uint64_t partial = 0;     ///< begun
  std::uint64_t pending = 0;     ///< not begun
  std::uint64_t not_finite = 0;  ///< of the done ones: with a metric that is not finite
  std::uint64_t trials_done = 0;
  std::uint64_t trials_failed = 0;
  ExpectedCounts expected;
  bool complete() const { return done + failed == points; }
  bool operator==(const DatabaseCounts&) const = default;
};

/// Counts only, without writing. `found`: gets, by RecordedWork::point_number(), which recorded points are among these.
DatabaseCounts count_points(const PointTable& points, const RecordedWork& work, const DatabaseRequest& request,
                            std::vector<bool>* found = nullptr);

/// Points up to which database.json, one document, is written too.
inline constexpr std::uint64_t single_document_limit = 10'000;

/// Reduces the records and replaces points.jsonl, points.meta.json, summary.json and (up to single_document_limit
/// points) database.json in `folder`, each atomically; with `crossings` crossings.jsonl too. The bytes depend on the
/// set of records, not on their order. Columns: docs/database.md. Error(storage) where a file can't be written; the old
/// one is then still whole.
DatabaseCounts write_database(FileSystem& files, const std::string& folder, const PointTable& points,
                              const JournalContent& journal, const DatabaseRequest& request);

}  // namespace crossgrid
