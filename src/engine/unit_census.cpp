#include "crossgrid/engine/unit_census.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <variant>
#include <vector>

#include "crossgrid/engine/journal_reader.hpp"

namespace crossgrid {

namespace {

Id128 unit_key(const UnitRecord& record) {
  const Unit& unit = record.result.unit;
  std::string text = fmt::format("{} {} {} {}", record.point.hex(), unit.trial, unit.first, unit.count);
  for (const auto& [metric, sum] : record.result.metrics) text += " " + metric;
  return hash_text(text);
}

}  // namespace

UnitCensus count_units(FileSystem& files, const std::string& folder) {
  UnitCensus census;
  std::unordered_map<Id128, const std::string*, Id128Hasher> first_seen;  // names live in census.records
  std::vector<JournalLoss> losses;                                        // read_journal() tells them
  for (const std::string& path : journal_segments(files, folder)) {
    const auto journal = census.records.try_emplace(journal_shard(path)).first;
    const auto on_record = [&](JournalRecord&& record) {
      const auto* unit = std::get_if<UnitRecord>(&record);
      if (unit == nullptr) return true;
      ++journal->second;
      if (unit->result.status != UnitStatus::done) return true;
      const auto [seen, added] = first_seen.try_emplace(unit_key(*unit), &journal->first);
      if (added) {
        ++census.units;
      } else {
        ++census.repeated[{*seen->second, journal->first}];
      }
      return true;
    };
    read_segment(files, path, on_record, losses);
  }
  return census;
}

}  // namespace crossgrid
