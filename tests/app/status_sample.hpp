#pragma once

#include <string>

#include "base/forgetting_disk.hpp"
#include "crossgrid/app/output_request.hpp"
#include "crossgrid/app/status_file.hpp"
#include "engine/storage_sample.hpp"

/// What the tests of the status file and its keeper count.
namespace crossgrid {

/// A sweep of `magnitudes` x 2 points; where the magnitude is 0 there is one trial, else there are 3.
inline SweepContext status_context(const Json& magnitudes, std::uint64_t images = 40) {
  const std::string source = CROSSGRID_TEST_SOURCE_DIR;
  const Json sweep = {
      {"name", "state"},
      {"network", source + "/data/digits-cnn.json"},
      {"dataset", {{"path", source + "/data/digits"}, {"images", {{"first", 0}, {"count", images}}}}},
      {"hardware", {{"adc.model", "quantizer"}, {"device.programming_error.model", "normal_independent"}}},
      {"grid", {{"device.programming_error.magnitude", magnitudes}, {"adc.bits", {4, 5}}}},
      {"trials", 3},
      {"metrics", {"top1"}}};
  return load_sweep_context(parse_sweep(sweep, source + "/state.json"));
}

inline OutputRequest status_request(const SweepContext& context, const std::string& shard = "") {
  OutputRequest request = output_request(context, "out", "host avx2", "", false);
  request.journal.shard = shard;
  return request;
}

inline UnitResult status_result(std::uint64_t point, std::uint32_t trial, std::uint64_t first = 0,
                                std::uint32_t count = 40) {
  UnitResult result;
  result.unit = {point, trial, first, count};
  result.metrics["top1"] = sample_metric(point, trial, first, count);
  result.seconds = 0.25;
  return result;
}

inline void record(OutputFolder& folder, const UnitResult& result) {
  if (folder.append({&result, 1}, "alpha") != AppendOutcome::written) throw Error(ExitCode::storage, "full");
}

/// The file that tells `state`: what can be compared of it.
inline std::string status_text(ForgettingDisk& disk, const SweepContext& context, const SweepState& state,
                               const JournalContent& journal) {
  ForgettingDisk copy = disk;
  const SampleTime time;
  StatusFile(copy, time, "out", sweep_copy_id(context.sweep.resolved), std::nullopt).write(state, journal);
  return copy.content("out/status.json");
}

/// What counting the journal anew comes to.
inline std::string counted_text(ForgettingDisk& disk, const SweepContext& context) {
  const JournalContent journal = read_journal(disk, "out");
  return status_text(disk, context, sweep_state(context, journal), journal);
}

/// What the file comes to; empty where it is not used.
inline std::string known_text(ForgettingDisk& disk, const SweepContext& context) {
  const auto known = read_status_file(disk, "out");
  return known ? status_text(disk, context, known->state, read_journal(disk, "out")) : "";
}

}  // namespace crossgrid
