#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crossgrid/engine/run_engine.hpp"

namespace crossgrid {

/// `run --verbose`: a line per unit that ended, on the way of its result into the journal.
class UnitLines : public ResultSink {
 public:
  UnitLines(ResultSink& sink, std::function<void(const std::string&)> say) : sink_(sink), say_(std::move(say)) {}

  void append(std::vector<UnitResult> results, std::function<void()> durable) override;
  bool accepts() const override { return sink_.accepts(); }
  void poll() override { sink_.poll(); }
  void flush() override { sink_.flush(); }

 private:
  ResultSink& sink_;
  std::function<void(const std::string&)> say_;
};

/// "point 3, trial 0, images 0 to 599: done in 1.25 s on node7", or why it failed.
std::string unit_line(const UnitResult& result);

}  // namespace crossgrid
