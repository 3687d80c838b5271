#include "crossgrid/engine/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <locale>
#include <random>
#include <set>
#include <sstream>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/database_file.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

/// A journal of records in memory, and the database that is gathered from it.
class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() { disk_.create_folder("out"); }

  void add(const UnitResult& result) {
    append_journal_line(lines_.emplace_back(), sample_id(result.unit.point), result, "alpha");
  }
  /// All units of two points of three; the last is deterministic.
  void add_all() {
    for (std::uint64_t point = 0; point < 3; ++point) {
      for (std::uint32_t trial = 0; trial < (point == 2 ? 1u : 3u); ++trial) {
        for (std::uint64_t first = 0; first < 200; first += 50) add(sample_result(point, trial, first, 50));
      }
    }
  }
  JournalContent journal_of_lines() {
    std::string text = journal_line(sample_header());
    for (const std::string& line : lines_) text += line;
    disk_.put("out/journal-000001.jsonl", text);
    return read_journal(disk_, "out");
  }
  DatabaseCounts gather(std::uint64_t points = 3, std::uint32_t trials = 3) {
    return write_database(disk_, "out", sample_points(points, trials), journal_of_lines(), sample_request());
  }
  std::vector<Json> rows() {
    std::vector<Json> result;
    std::istringstream text(disk_.content("out/points.jsonl"));
    for (std::string line; std::getline(text, line);) result.push_back(parse_json(line, "points.jsonl"));
    return result;
  }
  Json document(const std::string& name) { return parse_json(disk_.content("out/" + name), name); }
  std::vector<std::string> bytes() {
    std::vector<std::string> result;
    for (const char* name : {"points.jsonl", "points.meta.json", "summary.json", "database.json"}) {
      result.push_back(disk_.content(std::string("out/") + name));
    }
    return result;
  }

  ForgettingDisk disk_;
  std::vector<std::string> lines_;
};

double mean_of(std::uint64_t point, std::uint32_t trial, std::uint64_t salt) {
  return static_cast<double>(sample_metric(point, trial, 0, 200, salt).sum) / 4294967296.0 / 200;
}

TEST_F(DatabaseTest, APointIsALineWithFlatColumns) {
  add_all();
  const DatabaseCounts counts = gather();
  EXPECT_EQ(counts.done, 3u);
  EXPECT_TRUE(counts.complete());
  const std::vector<Json> found = rows();
  ASSERT_EQ(found.size(), 3u);
  std::vector<std::string> columns;
  for (const auto& [name, value] : found[0].items()) columns.push_back(name);
  EXPECT_THAT(columns, testing::ElementsAre("index", "adc.bits", "mapping", "status", "trials.done", "trials.failed",
                                            "deterministic", "images", "top1.mean", "top1.std", "top1.ci95.low",
                                            "top1.ci95.high", "top1.not_finite", "top1.clamped", "top1.se_images",
                                            "loss.mean", "loss.std", "loss.ci95.low", "loss.ci95.high",
                                            "loss.not_finite", "loss.clamped", "point"));
  const Json& row = found[1];
  EXPECT_EQ(row["index"], 1);
  EXPECT_EQ(row["point"], sample_id(1).hex());
  EXPECT_EQ(row["status"], "done");
  EXPECT_EQ(row["images"], 200);
  EXPECT_EQ(row["mapping"], "unit \"column\"");
  const double a = mean_of(1, 0, 1), b = mean_of(1, 1, 1), c = mean_of(1, 2, 1);
  const double mean = (a + b + c) / 3;
  const double std = std::sqrt(((a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean)) / 2);
  EXPECT_NEAR(row["loss.mean"].get<double>(), mean, 1e-12);
  EXPECT_NEAR(row["loss.std"].get<double>(), std, 1e-12);
  const double half = 0.95 * std::sqrt(2 / (1 - 0.95 * 0.95)) * std / std::sqrt(3.0);
  EXPECT_NEAR(row["loss.ci95.low"].get<double>(), mean - half, 1e-12);
  EXPECT_NEAR(row["loss.ci95.high"].get<double>(), mean + half, 1e-12);
  const double top1 = row["top1.mean"].get<double>();
  EXPECT_NEAR(row["top1.se_images"].get<double>(), std::sqrt(top1 * (1 - top1) / 200), 1e-12);
}

TEST_F(DatabaseTest, ADeterministicPointHasNoSpread) {
  add_all();
  gather();
  const Json row = rows()[2];
  EXPECT_EQ(row["deterministic"], true);
  EXPECT_EQ(row["trials.done"], 1);
  EXPECT_EQ(row["top1.std"], 0.0);
  EXPECT_TRUE(row["top1.ci95.low"].is_null());
}

TEST_F(DatabaseTest, StatusSaysHowFarAPointIs) {
  for (std::uint64_t first = 0; first < 200; first += 100) {
    add(sample_result(0, 0, first, 100));
    add(sample_result(0, 1, first, 100));
  }
  add(sample_result(1, 0, 0, 200));
  add(sample_failure(1, 1, 0, 100));
  add(sample_result(1, 1, 100, 100));
  add(sample_result(2, 0, 0, 100));
  const DatabaseCounts counts = gather(5, 2);
  const std::vector<Json> found = rows();
  EXPECT_EQ(found[0]["status"], "done");
  EXPECT_EQ(found[1]["status"], "failed");
  EXPECT_EQ(found[1]["trials.done"], 1);
  EXPECT_EQ(found[1]["trials.failed"], 1);
  EXPECT_TRUE(found[1]["top1.std"].is_null());
  EXPECT_EQ(found[2]["status"], "partial");
  EXPECT_TRUE(found[2]["top1.mean"].is_null());
  EXPECT_EQ(found[3]["status"], "pending");
  EXPECT_FALSE(counts.complete());
  EXPECT_EQ(counts.done, 1u);
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.partial, 1u);
  EXPECT_EQ(counts.pending, 2u);
  EXPECT_EQ(counts, count_points(sample_points(5, 2), read_journal(disk_, "out").work, sample_request()));
  const Json summary = document("summary.json");
  EXPECT_EQ(summary["points"]["failed"], 1);
  EXPECT_EQ(summary["complete"], false);
  ASSERT_EQ(summary["failures"].size(), 1u);
  EXPECT_EQ(summary["failures"][0]["index"], 1);
  EXPECT_EQ(summary["failures"][0]["reason"], "killed by signal 11 (SIGSEGV)\nlast line");
  EXPECT_EQ(summary["next"], "crossgrid run sweeps/sample.json");
}

TEST_F(DatabaseTest, AMetricThatIsNotFiniteIsNullWithACountAndAStatus) {
  for (std::uint32_t trial = 0; trial < 2; ++trial) {
    UnitResult result = sample_result(0, trial, 0, 200);
    if (trial == 1) {
      result.metrics["loss"].count = 198;
      result.metrics["loss"].not_finite = 2;
      result.metrics["loss"].clamped = 3;
    }
    add(result);
  }
  const DatabaseCounts counts = gather(2, 2);
  const Json row = rows()[0];
  EXPECT_EQ(row["status"], "not_finite");
  EXPECT_TRUE(row["loss.mean"].is_null());
  EXPECT_EQ(row["loss.not_finite"], 2);
  EXPECT_EQ(row["loss.clamped"], 3);
  EXPECT_TRUE(row["top1.mean"].is_number());
  EXPECT_EQ(counts.not_finite, 1u);
  EXPECT_EQ(counts.done, 1u);
}

TEST_F(DatabaseTest, EqualPointsShareTheirRecords) {
  add(sample_result(0, 0, 0, 200));
  std::string text = journal_line(sample_header()) + lines_[0];
  disk_.put("out/journal-000001.jsonl", text);
  PointTable table = sample_points(2, 1);
  table.id = [](std::uint64_t) { return sample_id(0); };
  const auto row = table.row;
  table.row = [row](std::uint64_t index) {
    PointTable::Row result = row(index);
    result.id = sample_id(0);
    return result;
  };
  const DatabaseCounts counts = write_database(disk_, "out", table, read_journal(disk_, "out"), sample_request());
  EXPECT_EQ(counts.done, 2u);
}

TEST_F(DatabaseTest, BytesDoNotDependOnTheJournalsOrder) {
  add_all();
  add(sample_failure(0, 0, 0, 200));
  add(lines_.size() % 2 == 0 ? sample_result(0, 0, 0, 50) : sample_result(0, 0, 50, 50));
  gather();
  const std::vector<std::string> expected = bytes();
  std::mt19937 random(3);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(lines_.begin(), lines_.end(), random);
    gather();
    EXPECT_EQ(bytes(), expected);
  }
}

TEST_F(DatabaseTest, HoldsNoTimings) {
  add_all();
  gather();
  const std::vector<std::string> expected = bytes();
  for (std::string& line : lines_) {
    line.clear();
  }
  lines_.clear();
  for (std::uint64_t point = 0; point < 3; ++point) {
    for (std::uint32_t trial = 0; trial < (point == 2 ? 1u : 3u); ++trial) {
      for (std::uint64_t first = 0; first < 200; first += 50) {
        UnitResult result = sample_result(point, trial, first, 50);
        result.seconds = 17;
        add(result);
      }
    }
  }
  gather();
  EXPECT_EQ(bytes(), expected);
}

TEST_F(DatabaseTest, MetaNamesImagesNumericClassAndRuns) {
  add_all();
  gather();
  const Json meta = document("points.meta.json");
  EXPECT_EQ(meta["schema"], database_schema);
  EXPECT_EQ(meta["sweep"], "sample");
  EXPECT_EQ(meta["images"]["split"], "test");
  EXPECT_EQ(meta["images"]["count"], 200);
  EXPECT_EQ(meta["numeric_class"], "host avx2 oneDNN 2.6.3");
  EXPECT_EQ(meta["seed"], 1);
  EXPECT_EQ(meta["runs"][0]["commit"], "abc123");
}

/// Paths of all members, as the documentation names them: list[].member, M for a metric; what axes hold is one member.
void collect_members(const Json& json, const std::string& path, std::set<std::string>& members) {
  const bool of_axes = path.ends_with(".axes") || path.ends_with(".where");
  if (json.is_object() && !of_axes) {
    for (const auto& item : json.items()) {
      const std::string key = path == "metrics" ? "M" : item.key();
      collect_members(item.value(), path.empty() ? key : path + "." + key, members);
    }
  } else if (json.is_array() && !json.empty() && json.front().is_object()) {
    for (const Json& item : json) collect_members(item, path + "[]", members);
  } else {
    members.insert(path);
  }
}

/// Names in the first column of the table under a heading of docs/database.md.
std::set<std::string> documented(const std::string& heading) {
  std::ifstream file(CROSSGRID_TEST_SOURCE_DIR "/docs/database.md");
  std::set<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) inside = line == heading;
    if (!inside || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find(" |", 2) - 2);
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const std::size_t end = cell.find('`', at + 1);
      names.insert(cell.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return names;
}

TEST_F(DatabaseTest, TheDocumentationNamesAllThatIsWrittenAndNothingElse) {
  add_all();
  add(sample_failure(3, 0, 0, 200));
  DatabaseRequest request = sample_request();
  request.expected = {
      {parse_json(R"({"where":{"adc.bits":4},"metric":"top1.mean","value":0.5,"tolerance":0.1,"source":"x"})", "test"),
       "top1.mean",
       0.5,
       0.1,
       {0, 1}}};
  write_database(disk_, "out", sample_points(5, 3), journal_of_lines(), request);
  std::set<std::string> columns;
  const Json row = rows()[0];
  for (const auto& item : row.items()) {
    const std::string& name = item.key();
    const bool metric = name.starts_with("loss.") || (name.starts_with("top1.") && name != "top1.se_images");
    if (name != "adc.bits" && name != "mapping") columns.insert(metric ? "M" + name.substr(name.find('.')) : name);
  }
  EXPECT_EQ(columns, documented("## points.jsonl"));
  for (const char* name : {"points.meta.json", "summary.json"}) {
    std::set<std::string> members;
    collect_members(document(name), "", members);
    EXPECT_EQ(members, documented(std::string("## ") + name));
  }
}

TEST_F(DatabaseTest, ExpectedValuesAreMetMissedOrOpen) {
  add_all();  // points 0 to 2; 3 and 4 have no results
  gather();
  std::vector<double> top1;
  for (const Json& row : rows()) top1.push_back(row["top1.mean"].get<double>());
  const auto expected = [&](double value, double tolerance, std::vector<std::uint64_t> points) {
    return ExpectedRequest{Json{{"source", "test"}}, "top1.mean", value, tolerance, std::move(points)};
  };
  const double distance = std::abs(top1[1] - top1[0]);
  ASSERT_GT(distance, 1e-6);
  DatabaseRequest request = sample_request();
  request.expected = {expected(top1[0], 0, {0}),
                      expected(top1[0], distance, {0, 1}),
                      expected(top1[0], distance * (1 - 1e-9), {0, 1}),
                      expected(top1[0], 1, {0, 3}),
                      expected(top1[0] + 1, 0.5, {0, 3}),
                      expected(0.3, 0.1, {4})};
  const DatabaseCounts counts = write_database(disk_, "out", sample_points(5, 3), journal_of_lines(), request);
  EXPECT_EQ(counts.expected, (ExpectedCounts{2, 2, 2}));
  EXPECT_EQ(counts, count_points(sample_points(5, 3), read_journal(disk_, "out").work, request));
  const Json list = document("summary.json")["expected"];
  ASSERT_EQ(list.size(), 6u);
  std::string holds;
  for (const Json& entry : list) holds += entry["holds"].dump() + " ";
  EXPECT_EQ(holds, "true true false null false null ");
  EXPECT_EQ(list[2]["farthest"]["index"], 1);
  EXPECT_EQ(list[2]["farthest"]["value"], top1[1]);
  EXPECT_EQ(list[2]["farthest"]["axes"]["adc.bits"], 5);
  EXPECT_EQ(list[3]["measured"], 1);
  EXPECT_EQ(list[3]["points"], 2);
  EXPECT_TRUE(list[5]["farthest"].is_null());
  // 0.91 is within 0.01 of 0.9, though not in binary: 0.91 - 0.9 > 0.01.
  ExpectedChecks checks(request.expected = {expected(0.9, 0.01, {0})});
  checks.see(0, {}, [](const std::string&) { return 0.91; });
  EXPECT_EQ(checks.counts(), (ExpectedCounts{1, 0, 0}));
}

TEST_F(DatabaseTest, TheSingleDocumentHoldsTheSameAndGoesAwayWhereItWouldBeTooLarge) {
  add_all();
  gather();
  const Json all = document("database.json");
  ASSERT_EQ(all["points"].size(), 3u);
  EXPECT_EQ(all["points"][1], rows()[1]);
  EXPECT_EQ(all["meta"], document("points.meta.json"));
  gather(single_document_limit + 1);
  EXPECT_FALSE(disk_.has("out/database.json"));
}

TEST_F(DatabaseTest, SummaryNamesTheBestAndTheWorst) {
  add_all();
  gather();
  const Json summary = document("summary.json");
  const std::vector<Json> found = rows();
  const auto by = [](const std::string& column) {
    return [column](const Json& a, const Json& b) { return a[column].get<double>() < b[column].get<double>(); };
  };
  const Json& highest = *std::max_element(found.begin(), found.end(), by("top1.mean"));
  const Json& smallest = *std::min_element(found.begin(), found.end(), by("loss.mean"));
  const Json& largest = *std::max_element(found.begin(), found.end(), by("loss.mean"));
  EXPECT_EQ(summary["metrics"]["top1"]["best"]["index"], highest["index"]);
  EXPECT_EQ(summary["metrics"]["loss"]["best"]["index"], smallest["index"]);
  EXPECT_EQ(summary["metrics"]["loss"]["worst"]["index"], largest["index"]);
  EXPECT_EQ(summary["metrics"]["loss"]["best"]["axes"]["adc.bits"], smallest["adc.bits"]);
}

TEST_F(DatabaseTest, AFailedWriteLeavesTheOldFiles) {
  add_all();
  gather();
  const std::vector<std::string> expected = bytes();
  FailingFiles files(disk_);
  files.fail_at = 3;
  files.error = ENOSPC;
  EXPECT_THROW(write_database(files, "out", sample_points(1), read_journal(disk_, "out"), sample_request()), Error);
  EXPECT_EQ(bytes(), expected);
}

// A program that waits for summary.json finds the rest new too, whichever call of the file system fails.
TEST_F(DatabaseTest, ANewSummaryImpliesThatAllElseIsNew) {
  int failures = 0;
  for (std::uint64_t call = 1;; ++call) {
    lines_.clear();
    add(sample_result(0, 0, 0, 50));
    gather();
    const std::vector<std::string> old = bytes();
    lines_.clear();
    add_all();
    const JournalContent journal = journal_of_lines();
    FailingFiles files(disk_);
    files.fail_at = call;
    try {
      write_database(files, "out", sample_points(3, 3), journal, sample_request());
    } catch (const Error&) {
      ++failures;
    }
    const std::vector<std::string> now = bytes();
    if (now[2] != old[2]) {
      EXPECT_TRUE(now[0] != old[0]) << "points.jsonl, call " << call;
      EXPECT_TRUE(now[3] != old[3]) << "database.json, call " << call;
    }
    if (files.calls < call) break;
  }
  EXPECT_GT(failures, 10);
}

/// A locale with a decimal comma and points between thousands, for streams.
struct CommaNumbers : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// Whether the C library's locale is German now; it is compiled from the system's sources where it is not installed.
bool switch_to_german() {
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr) return true;
  const std::string folder = testing::TempDir() + "crossgrid-locale";
  const std::string command =
      "mkdir -p " + folder + " && localedef -i de_DE -f UTF-8 " + folder + "/de_DE.UTF-8 >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) return false;
  ::setenv("LOCPATH", folder.c_str(), 1);
  return std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
}

TEST_F(DatabaseTest, BytesDoNotDependOnTheLocale) {
  add_all();
  gather();
  const std::vector<std::string> expected = bytes();
  const std::vector<std::string> expected_lines = lines_;
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new CommaNumbers));
  const bool german = switch_to_german();
  if (german) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", 0.5);
    EXPECT_STREQ(text, "0,5");
  }
  lines_.clear();
  add_all();
  gather();
  EXPECT_EQ(lines_, expected_lines);
  EXPECT_EQ(bytes(), expected);
  std::setlocale(LC_ALL, "C");
  std::locale::global(before);
  if (!german) GTEST_SKIP() << "SKIPPED: no de_DE.UTF-8 locale and localedef can't make one; the C++ locale was tested";
}

}  // namespace
}  // namespace crossgrid
