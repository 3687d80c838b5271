#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "crossgrid/engine/output_folder.hpp"
#include "crossgrid/engine/run_engine.hpp"

namespace crossgrid {

/// The engine's results on their way into an output folder. Where the disk is full, results are held in memory, nothing
/// new is accepted, and the write is tried again every second for `patience` seconds; then the run ends with
/// Error(storage).
class JournalSink : public ResultSink {
 public:
  JournalSink(OutputFolder& folder, const TimeSource& clock, std::string host,
              std::function<void(const std::string&)> warn, double patience = 600);

  void append(std::vector<UnitResult> results, std::function<void()> durable) override;
  bool accepts() const override { return full_since_ < 0; }
  void poll() override;
  /// Error(storage) where results are still held because the disk is full.
  void flush() override;

 private:
  struct Waiting {
    std::vector<UnitResult> results;
    std::function<void()> durable;
  };
  struct Written {
    std::uint64_t appended = 0;  ///< count of the journal just after it
    std::function<void()> durable;
  };

  void try_waiting();
  void acknowledge();

  OutputFolder& folder_;
  const TimeSource& clock_;
  std::string host_;
  std::function<void(const std::string&)> warn_;
  double patience_;
  std::deque<Waiting> waiting_;
  std::deque<Written> written_;
  double full_since_ = -1;  ///< monotonic; negative: the disk takes results
  double try_again_at_ = 0;
};

}  // namespace crossgrid
