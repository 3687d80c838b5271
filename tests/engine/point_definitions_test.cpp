// What a journal says of its points' parameters, read as docs/journal-format.md tells it.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <sstream>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/journal_writer.hpp"
#include "engine/storage_sample.hpp"
#include "sweep/sample_sweep.hpp"

namespace crossgrid {
namespace {

/// By id, as sorted JSON: the order of parameters means nothing.
using Parameters = std::map<std::string, nlohmann::json>;

/// A journal written point by point, and its definitions.
class PointDefinitions : public testing::Test {
 protected:
  PointDefinitions() {
    disk_.create_folder("out");
    files_.only_writes = true;
  }

  std::unique_ptr<JournalWriter> open(std::uint64_t segment_bytes = 1 << 20) {
    JournalWriterOptions options;
    options.segment_bytes = segment_bytes;
    return std::make_unique<JournalWriter>(files_, time_, "out", sample_header(), read_journal(disk_, "out"), options);
  }

  /// One batch of points [begin, end).
  AppendOutcome append(JournalWriter& writer, std::uint64_t begin, std::uint64_t end) {
    std::vector<UnitResult> results;
    for (std::uint64_t index = begin; index < end; ++index) results.push_back(sample_result(index, 0, 0, 100));
    std::vector<JournalWriter::Entry> entries;
    for (const UnitResult& result : results) entries.push_back({grid_.id(result.unit.point), &result});
    return writer.append(entries, "alpha", [&](std::uint64_t index) { return grid_.resolved(index); });
  }

  /// Of all segments; `wholes` counts the definitions that need no other.
  Parameters definitions(std::size_t* wholes = nullptr) {
    Parameters all;
    for (const std::string& path : journal_segments(disk_, "out")) {
      Parameters whole;  // of this segment
      std::istringstream text(disk_.content(path));
      for (std::string line; std::getline(text, line);) {
        const nlohmann::json record = nlohmann::json::parse(line);
        if (record.at("kind") != "point") continue;
        const std::string id = record.at("id");
        EXPECT_FALSE(all.contains(id)) << "defined twice: " << line;
        nlohmann::json parameters = record.at("parameters");
        if (record.contains("base")) {
          const std::string base = record.at("base");
          if (!whole.contains(base)) {
            ADD_FAILURE() << path << " has no whole definition before this: " << line;
            continue;
          }
          nlohmann::json changed = whole.at(base);
          for (const auto& [name, value] : parameters.items()) {
            if (value.is_null()) {
              EXPECT_EQ(changed.erase(name), 1u) << name;
            } else {
              changed[name] = value;
            }
          }
          parameters = changed;
        } else {
          whole[id] = parameters;
          if (wholes != nullptr) ++*wholes;
        }
        all[id] = parameters;
      }
    }
    return all;
  }

  /// As the grid has them, of points [0, end).
  Parameters expected(std::uint64_t end) const {
    Parameters all;
    for (std::uint64_t index = 0; index < end; ++index) {
      all[grid_.id(index).hex()] = nlohmann::json::parse(grid_.resolved(index).dump());
    }
    return all;
  }

  // Models change which parameters there are; an ideal converter makes points of unequal bits equal.
  Grid grid_ = sample_grid(R"({"hardware": {"device.programming_error.model": "normal_independent"}, "grid": {
      "core.style": ["balanced", "offset"], "adc.model": ["quantizer", "ideal"],
      "adc.bits": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      "device.programming_error.magnitude": {"from": 0.01, "to": 0.5, "count": 60}}})");
  ForgettingDisk disk_;
  FailingFiles files_{disk_};
  SampleTime time_;
};

TEST_F(PointDefinitions, SayTheParametersOfEveryPoint) {
  const auto writer = open();
  for (std::uint64_t begin = 0; begin < grid_.size(); begin += 64) {
    append(*writer, begin, std::min(begin + 64, grid_.size()));
  }
  std::size_t wholes = 0;
  EXPECT_EQ(definitions(&wholes), expected(grid_.size()));
  // The damage that a lost line does has an end.
  EXPECT_GE(wholes * 1001, definitions().size());
  EXPECT_LT(wholes * 100, definitions().size());
}

TEST_F(PointDefinitions, AreWholeOncePerSegmentAndRun) {
  for (std::uint64_t begin = 0; begin < 400; begin += 100) {
    const auto writer = open(8000);
    for (std::uint64_t index = begin; index < begin + 100; ++index) append(*writer, index, index + 1);
  }
  EXPECT_GE(journal_segments(disk_, "out").size(), 4u);
  EXPECT_EQ(definitions(), expected(400));
}

TEST_F(PointDefinitions, RestOnNothingThatAFullDiskDidNotTake) {
  const auto writer = open();
  files_.fail_at = files_.calls + 1;
  files_.error = ENOSPC;
  EXPECT_EQ(append(*writer, 0, 3), AppendOutcome::disk_full);
  files_.fail_at = 0;
  EXPECT_EQ(append(*writer, 1, 3), AppendOutcome::written);
  EXPECT_EQ(append(*writer, 0, 4), AppendOutcome::written);
  EXPECT_EQ(definitions(), expected(4));
}

}  // namespace
}  // namespace crossgrid
