#include "crossgrid/engine/unit_census.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/forgetting_disk.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::string line(const UnitResult& result) {
  std::string text;
  append_journal_line(text, sample_id(result.unit.point), result, "alpha");
  return text;
}

TEST(UnitCensus, CountsUnitsOfAllJournals) {
  ForgettingDisk disk;
  disk.put("out/journal-000001.jsonl", journal_line(sample_header()) + line(sample_result(0, 0, 0, 100)));
  disk.put("out/journal-1of2-000001.jsonl", line(sample_result(0, 0, 100, 100)) + line(sample_failure(1, 0, 0, 100)));
  disk.put("out/journal-1of2-000002.jsonl", line(sample_result(1, 0, 0, 100)));
  const UnitCensus census = count_units(disk, "out");
  EXPECT_THAT(census.records, UnorderedElementsAre(Pair("", 1), Pair("1of2", 3)));
  EXPECT_EQ(census.units, 3u);
  EXPECT_THAT(census.repeated, IsEmpty());
}

TEST(UnitCensus, NamesTheJournalsOfARepeatedUnit) {
  ForgettingDisk disk;
  const std::string first = line(sample_result(0, 0, 0, 100)), second = line(sample_result(0, 1, 0, 100));
  disk.put("out/journal-1of2-000001.jsonl", first + second + second);
  disk.put("out/journal-2of2-000001.jsonl", first + line(sample_result(0, 0, 0, 50)));
  UnitResult with_fewer_metrics = sample_result(0, 0, 0, 100);
  with_fewer_metrics.metrics.erase("loss");
  disk.put("out/journal-copy-000001.jsonl", first + second + line(with_fewer_metrics));
  const UnitCensus census = count_units(disk, "out");
  EXPECT_EQ(census.units, 4u);
  EXPECT_THAT(census.repeated, UnorderedElementsAre(Pair(Pair("1of2", "1of2"), 1), Pair(Pair("1of2", "2of2"), 1),
                                                    Pair(Pair("1of2", "copy"), 2)));
}

}  // namespace
}  // namespace crossgrid
