#include "crossgrid/engine/database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <set>
#include <tuple>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/database_file.hpp"
#include "crossgrid/engine/statistics.hpp"
#include "crossgrid/sweep/parameter_unit.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t most_failures_listed = 20;

struct MetricReduction {
  TrialStatistics statistics;
  std::uint64_t not_finite = 0;
  std::uint64_t clamped = 0;
};

/// How far a point has come.
struct PointProgress {
  std::string_view status;
  std::uint64_t trials_done = 0;
  std::uint64_t trials_failed = 0;
};

struct PointReduction : PointProgress {
  std::vector<MetricReduction> metrics;                        ///< as in the request
  std::vector<std::pair<std::uint32_t, FailedSpan>> failures;  ///< with their trial
};

/// Over the trials that are done, in their order. A metric with any image that is not finite has no mean: leaving that
/// image out would be a silent lie.
MetricReduction reduce_metric(const std::vector<TrialState>& done, const std::string& metric, bool deterministic) {
  MetricReduction result;
  std::vector<double> means;
  for (const TrialState& trial : done) {
    const MetricSum& sum = trial.metrics.at(metric);
    result.not_finite += sum.not_finite;
    result.clamped += sum.clamped;
    if (sum.count > 0) means.push_back(sum.mean());
  }
  if (result.not_finite > 0 || means.size() < done.size()) means.clear();
  result.statistics = trial_statistics(means);
  if (deterministic && !means.empty()) result.statistics.std = 0;
  return result;
}

std::string_view status_of(const PointProgress& point, std::uint32_t trials, bool finite, bool begun) {
  if (point.trials_done == trials) return finite ? "done" : "not_finite";
  if (point.trials_done + point.trials_failed == trials) return "failed";
  return begun ? "partial" : "pending";
}

/// The same as reduce_point() comes to, which is slower.
PointProgress progress_of(const Id128& id, std::uint32_t trials, const RecordedWork& work,
                          const DatabaseRequest& request) {
  PointProgress point;
  bool finite = true;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const TrialProgress found = work.progress(id, trial, request.images, request.metrics);
    finite = finite && found.finite;
    if (found.done) {
      ++point.trials_done;
    } else if (found.settled) {
      ++point.trials_failed;
    }
  }
  point.status = status_of(point, trials, finite, true);
  return point;
}

PointReduction reduce_point(const PointTable::Row& row, const RecordedWork& work, const DatabaseRequest& request) {
  PointReduction result;
  std::vector<TrialState> done;
  if (work.has_point(row.id)) {
    for (std::uint32_t trial = 0; trial < row.trials; ++trial) {
      TrialState state = work.trial(row.id, trial, request.images, request.metrics);
      for (FailedSpan& failure : state.failed) result.failures.emplace_back(trial, std::move(failure));
      if (state.done) {
        done.push_back(std::move(state));
      } else if (state.settled) {
        ++result.trials_failed;
      }
    }
  }
  result.trials_done = done.size();
  for (const std::string& metric : request.metrics) {
    result.metrics.push_back(reduce_metric(done, metric, row.deterministic));
  }
  const bool finite = std::all_of(result.metrics.begin(), result.metrics.end(),
                                  [](const MetricReduction& metric) { return metric.not_finite == 0; });
  result.status = status_of(result, row.trials, finite, work.has_point(row.id));
  return result;
}

void count(DatabaseCounts& counts, const PointProgress& point) {
  ++counts.points;
  counts.trials_done += point.trials_done;
  counts.trials_failed += point.trials_failed;
  if (point.status == "done" || point.status == "not_finite") ++counts.done;
  if (point.status == "not_finite") ++counts.not_finite;
  if (point.status == "failed") ++counts.failed;
  if (point.status == "partial") ++counts.partial;
  if (point.status == "pending") ++counts.pending;
}

/// A point's result in a column that values can be expected of (expected_columns()).
double result_in(const PointReduction& point, const DatabaseRequest& request, const std::string& column) {
  for (std::size_t i = 0; i < request.metrics.size(); ++i) {
    if (!column.starts_with(request.metrics[i] + ".")) continue;
    const std::string_view part = std::string_view(column).substr(request.metrics[i].size() + 1);
    const TrialStatistics& statistics = point.metrics[i].statistics;
    return part == "mean"       ? statistics.mean
           : part == "std"      ? statistics.std
           : part == "ci95.low" ? statistics.ci95_low
                                : statistics.ci95_high;
  }
  throw Error(ExitCode::internal, "no column " + column);
}

void check_expected(ExpectedChecks& checks, const PointTable::Row& row, const PointReduction& point,
                    const DatabaseRequest& request) {
  checks.see(row.index, row.axes, [&](const std::string& column) { return result_in(point, request, column); });
}

/// A line of points.jsonl, written member by member: building a document per point costs five times as much.
class RowText {
 public:
  template <typename Value>
  void add(std::string_view name, const Value& value) {
    text_ += text_.empty() ? '{' : ',';
    text_ += Json(name).dump();
    text_ += ':';
    text_ += Json(value).dump();  // numbers in the shortest form that reads back, not finite ones as null
  }
  std::string finish() { return std::move(text_) + "}"; }

 private:
  std::string text_;
};

std::string row_text(const PointTable::Row& row, const PointReduction& point, const DatabaseRequest& request) {
  RowText text;
  text.add("index", row.index);
  for (const auto& [name, value] : row.axes) text.add(name, value);
  text.add("status", point.status);
  text.add("trials.done", point.trials_done);
  text.add("trials.failed", point.trials_failed);
  text.add("deterministic", row.deterministic);
  text.add("images", request.images.count);
  for (std::size_t i = 0; i < request.metrics.size(); ++i) {
    const std::string& name = request.metrics[i];
    const MetricReduction& metric = point.metrics[i];
    text.add(name + ".mean", metric.statistics.mean);
    text.add(name + ".std", metric.statistics.std);
    text.add(name + ".ci95.low", metric.statistics.ci95_low);
    text.add(name + ".ci95.high", metric.statistics.ci95_high);
    text.add(name + ".not_finite", metric.not_finite);
    text.add(name + ".clamped", metric.clamped);
    if (name == "top1") text.add("top1.se_images", binomial_error(metric.statistics.mean, request.images.count));
  }
  text.add("point", row.id.hex());
  return text.finish();
}

/// The best and the worst point of each metric, and the first failures, as summary.json tells them.
class Highlights {
 public:
  explicit Highlights(const DatabaseRequest& request) : request_(request), extremes_(request.metrics.size()) {}

  void see(const PointTable::Row& row, const PointReduction& point) {
    for (std::size_t i = 0; i < extremes_.size(); ++i) {
      const double mean = point.metrics[i].statistics.mean;
      if (std::isnan(mean)) continue;
      const bool higher_is_better = request_.metrics[i].starts_with("top");
      Extremes& extremes = extremes_[i];
      const auto beats = [&](double other) { return higher_is_better ? mean > other : mean < other; };
      if (extremes.best.is_null() || beats(extremes.best_value)) {
        extremes.best = place(row, mean);
        extremes.best_value = mean;
      }
      if (extremes.worst.is_null() || (mean != extremes.worst_value && !beats(extremes.worst_value))) {
        extremes.worst = place(row, mean);
        extremes.worst_value = mean;
      }
    }
    for (const auto& [trial, failure] : point.failures) {
      if (failures_.size() == most_failures_listed) return;
      const Unit unit{row.index, trial, failure.images.first, static_cast<std::uint32_t>(failure.images.count)};
      failures_.push_back(Json{{"index", row.index},
                               {"trial", trial},
                               {"first", failure.images.first},
                               {"count", failure.images.count},
                               {"attempts", failure.attempts},
                               {"host", failure.host},
                               {"reason", failure.reason},
                               {"signal", failure.signal},
                               {"log", failure.log},
                               {"replay", command_to_replay(".", row.id, unit)}});
    }
  }

  Json metrics() const {
    Json result = Json::object();
    for (std::size_t i = 0; i < extremes_.size(); ++i) {
      result[request_.metrics[i]] = Json{{"best", extremes_[i].best}, {"worst", extremes_[i].worst}};
    }
    return result;
  }
  const Json& failures() const { return failures_; }

 private:
  struct Extremes {
    Json best, worst;
    double best_value = 0, worst_value = 0;
  };

  static Json place(const PointTable::Row& row, double mean) {
    Json axes = Json::object();
    for (const auto& [name, value] : row.axes) axes[name] = value;
    return Json{{"mean", mean}, {"index", row.index}, {"axes", axes}};
  }

  const DatabaseRequest& request_;
  std::vector<Extremes> extremes_;
  Json failures_ = Json::array();
};

Json summary_json(const DatabaseCounts& counts, const JournalContent& journal, const DatabaseRequest& request,
                  const Highlights& highlights, const ExpectedChecks& checks) {
  return Json{{"schema", database_schema},
              {"sweep", request.name},
              {"complete", counts.complete()},
              {"points",
               {{"total", counts.points},
                {"done", counts.done},
                {"failed", counts.failed},
                {"partial", counts.partial},
                {"pending", counts.pending},
                {"not_finite", counts.not_finite}}},
              {"trials", {{"done", counts.trials_done}, {"failed", counts.trials_failed}}},
              {"metrics", highlights.metrics()},
              {"expected", checks.json()},
              {"failures", highlights.failures()},
              {"journal",
               {{"unit_records", journal.work.records()},
                {"duplicates", journal.work.duplicates()},
                {"other_physics_version", journal.other_physics},
                {"lost_places", journal.losses.size()}}},
              {"next", request.next_command}};
}

/// The header of the latest run.
JournalHeader latest(const std::vector<JournalHeader>& headers) {
  const auto key = [](const JournalHeader& header) { return std::tie(header.time, header.host, header.commit); };
  const auto found =
      std::max_element(headers.begin(), headers.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return found == headers.end() ? JournalHeader{} : *found;
}

Json axes_json(const PointTable& points) {
  Json axes = Json::array();
  if (points.size == 0) return axes;
  for (const auto& [name, value] : points.row(0).axes) {
    axes.push_back(Json{{"name", name}, {"unit", parameter_unit(name)}});
  }
  return axes;
}

Json meta_json(const PointTable& points, const JournalContent& journal, const DatabaseRequest& request) {
  const JournalHeader header = latest(journal.headers);
  std::set<std::tuple<std::string, std::string, std::string, std::string>> runs;
  for (const JournalHeader& run : journal.headers) runs.insert({run.time, run.host, run.program, run.commit});
  Json run_list = Json::array();
  for (const auto& [time, host, program, commit] : runs) {
    run_list.push_back(Json{{"time", time}, {"host", host}, {"program", program}, {"commit", commit}});
  }
  return Json{
      {"schema", database_schema},
      {"sweep", request.name},
      {"points", points.size},
      {"axes", axes_json(points)},
      {"metrics", request.metrics},
      {"images",
       {{"dataset", request.dataset_path},
        {"split", request.dataset_split},
        {"first", request.images.first},
        {"count", request.images.count}}},
      {"seed", header.seed},
      {"backend", header.backend},
      {"numeric_class", header.numeric_class},
      {"physics_version", header.physics_version},
      {"journal_format", header.format},
      {"content", {{"network", header.network}, {"dataset", header.dataset}, {"calibration", header.calibration}}},
      {"runs", run_list}};
}

void remove_if_there(FileSystem& files, const std::string& path) {
  const IoResult removed = files.remove(path);
  if (!removed.ok() && removed.error != ENOENT) {
    throw Error(ExitCode::storage, fmt::format("{}: can't remove it: {}", path, error_text(removed.error)));
  }
}

/// A line for each combination of the axes that are not bisected.
std::string crossing_text(const Crossing& crossing) {
  RowText text;
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  for (const auto& [name, value] : crossing.others) text.add(name, value);
  text.add("case", case_name(crossing.what));
  text.add("threshold", number(crossing.threshold));
  for (const Crossing::Column& column : crossing.columns) {
    text.add(column.name, column.crossing);
    text.add(column.name + ".before", column.before);
    text.add(column.name + ".after", column.after);
  }
  text.add(crossing.metric + ".before", number(crossing.mean_before));
  text.add(crossing.metric + ".after", number(crossing.mean_after));
  return text.finish();
}

void write_crossings(FileSystem& files, const std::string& path, const RecordedWork& work,
                     const DatabaseRequest& request) {
  if (!request.crossings) {
    remove_if_there(files, path);
    return;
  }
  std::string lines;
  for (const Crossing& crossing : request.crossings(work)) lines += crossing_text(crossing) + "\n";
  replace_file(files, path, lines);
}

}  // namespace

PointTable point_table(const ChosenPoints& points) {
  PointTable table;
  table.size = points.size();
  table.row = [points](std::uint64_t n) {
    const ChosenPoint chosen = points[n];
    Point point = points.grid().outline(chosen.index);
    return PointTable::Row{chosen.index, point.id, std::move(point.axes), chosen.trials, point.deterministic};
  };
  table.id = [points](std::uint64_t n) { return points.grid().id(points.index(n)); };
  table.trials = [points](std::uint64_t n) { return points[n].trials; };
  for (std::uint64_t n = 0; !points.whole() && n < points.size(); ++n) table.indices.push_back(points[n].index);
  return table;
}

DatabaseCounts count_points(const PointTable& points, const RecordedWork& work, const DatabaseRequest& request,
                            std::vector<bool>* found) {
  if (found) found->assign(work.point_count(), false);
  DatabaseCounts counts;
  ExpectedChecks checks(request.expected);
  for (std::uint64_t n = 0; n < points.size; ++n) {
    const Id128 id = points.id(n);
    const std::optional<std::uint32_t> number = work.point_number(id);
    if (found && number) (*found)[*number] = true;
    if (checks.wants(points.index(n))) {
      const PointTable::Row row = points.row(n);
      const PointReduction point = reduce_point(row, work, request);
      count(counts, point);
      check_expected(checks, row, point, request);
    } else {
      count(counts, number ? progress_of(id, points.trials(n), work, request) : PointProgress{"pending"});
    }
  }
  counts.expected = checks.counts();
  return counts;
}

DatabaseCounts write_database(FileSystem& files, const std::string& folder, const PointTable& points,
                              const JournalContent& journal, const DatabaseRequest& request) {
  const bool single = points.size <= single_document_limit;
  const Json meta = meta_json(points, journal, request);
  DatabaseCounts counts;
  Highlights highlights(request);
  ExpectedChecks checks(request.expected);
  std::string document;
  {
    FileReplacement lines(files, folder + "/points.jsonl");
    for (std::uint64_t n = 0; n < points.size; ++n) {
      const PointTable::Row row = points.row(n);
      const PointReduction point = reduce_point(row, journal.work, request);
      count(counts, point);
      highlights.see(row, point);
      check_expected(checks, row, point, request);
      const std::string line = row_text(row, point, request);
      lines.write(line);
      lines.write("\n");
      if (single) document += (document.empty() ? "" : ",\n") + line;
    }
    lines.commit();
  }
  replace_file(files, folder + "/points.meta.json", meta.dump(2) + "\n");
  if (single) {
    replace_file(files, folder + "/database.json",
                 fmt::format("{{\"meta\":{},\n\"points\":[\n{}\n]}}\n", meta.dump(), document));
  } else {
    remove_if_there(files, folder + "/database.json");
  }
  write_crossings(files, folder + "/crossings.jsonl", journal.work, request);
  counts.expected = checks.counts();
  // Last: where the summary is new, so is all else.
  replace_file(files, folder + "/summary.json",
               summary_json(counts, journal, request, highlights, checks).dump(2) + "\n");
  return counts;
}

}  // namespace crossgrid
