#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/output_folder.hpp"

/// What the tests of the journal and the database store.
namespace crossgrid {

/// Time that passes when the test says so.
class SampleTime : public TimeSource {
 public:
  double now = 1000;
  std::int64_t wall = 1795488519;  // 2026-11-24T02:48:39Z
  double monotonic() const override { return now; }
  std::int64_t utc() const override { return wall; }
  void pass(double seconds) {
    now += seconds;
    wall += static_cast<std::int64_t>(seconds);
  }
};

inline Id128 sample_id(std::uint64_t index) {
  return hash_text("point " + std::to_string(index));
}

inline JournalHeader sample_header() {
  JournalHeader header;
  header.physics_version = physics_version;
  header.program = "0.1.0";
  header.commit = "abc123";
  header.host = "alpha";
  header.backend = "host";
  header.numeric_class = "host avx2 oneDNN 2.6.3";
  header.seed = 1;
  header.network = sample_id(1001).hex();
  header.dataset = sample_id(1002).hex();
  header.calibration = sample_id(1003).hex();
  header.images = 200;
  header.time = "2026-11-24T02:48:39Z";
  header.sweep = Json{{"name", "sample"}};
  return header;
}

/// The metric of images [first, first + count): a sum over images, so that any cut of a range adds up to the same.
inline MetricSum sample_metric(std::uint64_t point, std::uint32_t trial, std::uint64_t first, std::uint64_t count,
                               std::uint64_t salt = 0) {
  MetricSum sum;
  for (std::uint64_t image = first; image < first + count; ++image) {
    const std::uint64_t mixed = (point * 977 + trial * 131 + image * 31 + salt * 7) % 1000;
    sum.sum += static_cast<Int128>(mixed) << 22;
    ++sum.count;
  }
  return sum;
}

inline UnitResult sample_result(std::uint64_t point, std::uint32_t trial, std::uint64_t first, std::uint32_t count) {
  UnitResult result;
  result.unit = {point, trial, first, count};
  result.metrics["top1"] = sample_metric(point, trial, first, count);
  result.metrics["loss"] = sample_metric(point, trial, first, count, 1);
  result.seconds = 0.25;
  return result;
}

inline UnitResult sample_failure(std::uint64_t point, std::uint32_t trial, std::uint64_t first, std::uint32_t count) {
  UnitResult result;
  result.unit = {point, trial, first, count};
  result.status = UnitStatus::failed;
  result.attempts = 3;
  result.reason = "killed by signal 11 (SIGSEGV)\nlast line";
  return result;
}

/// A table of `size` points with two axes; the last is deterministic and has one trial.
inline PointTable sample_points(std::uint64_t size, std::uint32_t trials = 2) {
  PointTable table;
  table.size = size;
  table.id = [](std::uint64_t index) { return sample_id(index); };
  table.trials = [size, trials](std::uint64_t index) { return index + 1 == size ? 1 : trials; };
  table.row = [size, trials](std::uint64_t index) {
    const bool last = index + 1 == size;
    PointTable::Row row{index, sample_id(index), {}, last ? 1 : trials, last};
    row.axes = {{"adc.bits", 4 + index % 5}, {"mapping", index % 2 == 0 ? "balanced" : "unit \"column\""}};
    return row;
  };
  return table;
}

inline DatabaseRequest sample_request() {
  DatabaseRequest request;
  request.name = "sample";
  request.metrics = {"top1", "loss"};
  request.images = {0, 200};
  request.dataset_split = "test";
  request.dataset_path = "data/digits";
  request.next_command = "crossgrid run sweeps/sample.json";
  return request;
}

inline OutputRequest sample_output(std::uint64_t points = 3) {
  OutputRequest request;
  request.path = "out";
  request.header = sample_header();
  request.points = sample_points(points);
  request.parameters_of = [](std::uint64_t index) { return Json{{"adc.bits", 4 + index}}; };
  request.database = sample_request();
  return request;
}

inline ProcessIdentity sample_process(const std::string& host = "alpha", std::int64_t pid = 4711) {
  return {host, pid, "boot-1", [](std::int64_t) { return false; }};
}

/// The lines of a journal: header, then 100 units of 10 points with their definitions, one of them failed.
inline std::vector<std::string> sample_journal_lines() {
  std::vector<std::string> lines{journal_line(sample_header())};
  lines.push_back(journal_line(OwnerRecord{"alpha", 4711, "boot-1", "2026-11-24T02:48:39Z", "2026-11-24T02:48:39Z"}));
  for (std::uint64_t unit = 0; unit < 100; ++unit) {
    const std::uint64_t point = unit / 10;
    if (unit % 10 == 0) {
      lines.push_back(journal_line(PointDefinition{sample_id(point), Json{{"adc.bits", point}}.dump()}));
    }
    std::string line;
    const auto trial = static_cast<std::uint32_t>(unit % 5);
    const std::uint64_t first = unit % 10 / 5 * 100;
    const UnitResult result =
        unit == 42 ? sample_failure(point, trial, first, 100) : sample_result(point, trial, first, 100);
    append_journal_line(line, sample_id(point), result, "alpha");
    lines.push_back(line);
  }
  return lines;
}

}  // namespace crossgrid
