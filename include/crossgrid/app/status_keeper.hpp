#pragma once

#include <optional>

#include "crossgrid/app/status_file.hpp"
#include "crossgrid/engine/output_folder.hpp"
#include "crossgrid/engine/run_engine.hpp"

namespace crossgrid {

/// Keeps the status file of a large sweep while its run goes on, between results on their way into the journal. A small
/// one is counted by whoever asks.
class StatusKeeper : public ResultSink {
 public:
  /// All must outlive it.
  StatusKeeper(ResultSink& sink, OutputFolder& folder, const SweepContext& context, FileSystem& files,
               const TimeSource& clock, StatusFile& file, std::string path);

  void append(std::vector<UnitResult> results, std::function<void()> durable) override;
  bool accepts() const override { return sink_.accepts(); }
  void poll() override;
  void flush() override { sink_.flush(); }

 private:
  bool worth_keeping() const;
  void keep();

  ResultSink& sink_;
  OutputFolder& folder_;
  const SweepContext& context_;
  FileSystem& files_;
  const TimeSource& clock_;
  StatusFile& file_;
  std::string path_;
  double due_at_;  ///< monotonic
  std::optional<SweepState> state_;
  std::uint64_t counted_ = 0;  ///< this run's records that are in state_
};

}  // namespace crossgrid
