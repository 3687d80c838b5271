#pragma once

#include <boost/container/deque.hpp>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crossgrid/base/id_set.hpp"
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

/// How far the records say that one trial of one point has come.
struct TrialProgress {
  bool done = false;     ///< every metric asked for covers every image
  bool settled = false;  ///< done, or what is missing has failed
  bool finite = true;    ///< where done: no image has a metric that is not finite
};

/// What the records say about one trial of one point.
struct TrialState {
  std::map<std::string, MetricSum> metrics;  ///< over all images; filled only where `done`
  bool done = false;                         ///< as in TrialProgress
  bool settled = false;
  std::vector<FailedSpan> failed;  ///< images that are failed and not done since
};

/// All unit records of a journal, by point, trial and image range: what is done, failed and missing. Units of one trial
/// may be cut differently in different runs; what counts is which images each metric covers. The answers depend on the
/// set of records, not on their order.
class RecordedWork {
 public:
  /// Takes a record in. A record equal to an earlier one is counted as a duplicate; one of the same unit with other
  /// metrics is Error(bad_input) naming both hosts: results are not reproducible there.
  void add(const UnitRecord& record);

  /// A record of this point is soon to be added.
  void prefetch(const Id128& point) const { points_.prefetch(point); }

  /// Images of `whole` that still have to be run so that each of `metrics` covers it, ascending and disjoint. Failed
  /// images are left out unless `retry_failed`.
  std::vector<ImageSpan> missing(const Id128& point, std::uint32_t trial, ImageSpan whole,
                                 std::span<const std::string> metrics, bool retry_failed = false) const;
  TrialState trial(const Id128& point, std::uint32_t trial, ImageSpan whole,
                   std::span<const std::string> metrics) const;
  /// What trial() comes to, at a fraction of its cost where one record holds the whole trial.
  TrialProgress progress(const Id128& point, std::uint32_t trial, ImageSpan whole,
                         std::span<const std::string> metrics) const;

  bool has_point(const Id128& point) const { return point_number(point).has_value(); }
  /// Points with at least one record.
  std::size_t point_count() const { return points_.size(); }
  /// A number below point_count() that a point with a record has alone; fastest where points are asked for in the order
  /// of their first records.
  std::optional<std::uint32_t> point_number(const Id128& point) const;
  std::uint64_t records() const { return records_; }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Failure {
    std::string reason, log;
    int signal = 0;
  };
  /// Sizes are such that a point with one trial on one record of two metrics needs no allocation of its own.
  struct Metric {
    [[no_unique_address]] MetricSum sum;
    std::uint32_t number = 0;  ///< in metrics_
  };
  struct Piece {
    ImageSpan images;
    UnitStatus status = UnitStatus::done;
    std::uint32_t attempts = 0;
    std::uint32_t host = 0;  ///< number in hosts_
    boost::container::small_vector<Metric, 2> metrics;
    std::shared_ptr<const Failure> failure;  ///< where failed
  };
  /// Ascending by first image, then count; no two with the same images.
  using Pieces = boost::container::small_vector<Piece, 1>;
  struct Trial {
    std::uint32_t number = 0;
    Pieces pieces;
  };
  using Trials = boost::container::small_vector<Trial, 1>;  ///< ascending by number
  /// Names as small numbers.
  struct NameTable {
    std::vector<std::string> names;
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::size_t next = 0;  ///< after the one asked for last: records name the same ones in the same order
    std::uint32_t number(const std::string& name);
  };

  Piece piece_of(const UnitRecord& record);
  void merge(Piece& old, Piece&& incoming, const UnitRecord& record);
  const Pieces& pieces(const Id128& point, std::uint32_t trial) const;
  std::vector<const Piece*> cover(const Pieces& pieces, const std::string& metric, ImageSpan whole) const;
  std::vector<ImageSpan> uncovered(const Pieces& pieces, ImageSpan whole, std::span<const std::string> metrics) const;

  const Piece* whole_trial(const Pieces& pieces, ImageSpan whole, std::span<const std::string> metrics) const;

  IdSet points_;
  /// By number in points_; grows without moving what is there.
  boost::container::deque<Trials, void, boost::container::deque_options_t<boost::container::block_size<1024>>> trials_;
  NameTable metrics_;
  NameTable hosts_;
  std::uint64_t records_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace crossgrid
