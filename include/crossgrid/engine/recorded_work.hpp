#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// Images [first, first + count) in file order.
struct ImageSpan {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t end() const { return first + count; }
  bool operator==(const ImageSpan&) const = default;
};

/// Images of a trial that failed for good, with why.
struct FailedSpan {
  ImageSpan images;
  std::uint32_t attempts = 0;
  std::string reason;
  int signal = 0;   ///< that ended the last attempt's executor, or 0
  std::string log;  ///< its last lines
  std::string host;
};

/// What the records say about one trial of one point.
struct TrialState {
  std::map<std::string, MetricSum> metrics;  ///< over all images; filled only where `done`
  bool done = false;                         ///< every metric asked for covers every image
  bool settled = false;                      ///< done, or what is missing has failed
  std::vector<FailedSpan> failed;            ///< images that are failed and not done since
};

/// All unit records of a journal, by point, trial and image range: what is done, failed and missing. Units of one trial
/// may be cut differently in different runs; what counts is which images each metric covers. The answers depend on the
/// set of records, not on their order.
class RecordedWork {
 public:
  /// Takes a record in. A record equal to an earlier one is counted as a duplicate; one of the same unit with other
  /// metrics is Error(bad_input) naming both hosts: results are not reproducible there.
  void add(const UnitRecord& record);

  /// Images of `whole` that still have to be run so that each of `metrics` covers it, ascending and disjoint. Failed
  /// images are left out unless `retry_failed`.
  std::vector<ImageSpan> missing(const Id128& point, std::uint32_t trial, ImageSpan whole,
                                 std::span<const std::string> metrics, bool retry_failed = false) const;
  TrialState trial(const Id128& point, std::uint32_t trial, ImageSpan whole,
                   std::span<const std::string> metrics) const;

  bool has_point(const Id128& point) const { return points_.contains(point); }
  /// Points with at least one record.
  std::size_t point_count() const { return points_.size(); }
  std::uint64_t records() const { return records_; }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Failure {
    std::string reason, log;
    int signal = 0;
  };
  struct Piece {
    ImageSpan images;
    UnitStatus status = UnitStatus::done;
    std::uint32_t attempts = 0;
    std::uint32_t host = 0;                                    ///< number in hosts_
    std::vector<std::pair<std::uint32_t, MetricSum>> metrics;  ///< by number in metrics_
    std::shared_ptr<const Failure> failure;                    ///< where failed
  };
  using Pieces = std::vector<Piece>;  ///< ascending by first image, then count; no two with the same images
  using Trials = std::vector<std::pair<std::uint32_t, Pieces>>;  ///< ascending by trial
  /// Names as small numbers.
  struct NameTable {
    std::vector<std::string> names;
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::uint32_t number(const std::string& name);
  };

  Piece piece_of(const UnitRecord& record);
  void merge(Piece& old, Piece&& incoming, const UnitRecord& record);
  const Pieces& pieces(const Id128& point, std::uint32_t trial) const;
  std::vector<const Piece*> cover(const Pieces& pieces, const std::string& metric, ImageSpan whole) const;
  std::vector<ImageSpan> uncovered(const Pieces& pieces, ImageSpan whole, std::span<const std::string> metrics) const;

  std::unordered_map<Id128, Trials, Id128Hasher> points_;
  NameTable metrics_;
  NameTable hosts_;
  std::uint64_t records_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace crossgrid
