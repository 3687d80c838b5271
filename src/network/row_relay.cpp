#include "crossgrid/network/row_relay.hpp"

#include <algorithm>

namespace crossgrid {

RowRelay::RowRelay(std::vector<Runner> runners, Compute compute)
    : runners_(std::move(runners)), compute_(std::move(compute)) {
  for (std::size_t k = 0; k + 1 < runners_.size(); ++k) {
    const int made = std::ranges::max(runners_[k].bands, {}, &RowBand::rows).rows;
    const int read = std::ranges::max(runners_[k + 1].bands, {}, &RowBand::input_rows).input_rows;
    // Room for some bands more than needed, lest rows that are kept be moved for each.
    runners_[k].capacity = 2 * (made + read);
  }
}

void RowRelay::run() {
  const RowBand& last = runners_.back().bands.back();
  produce(runners_.size() - 1, last.first + last.rows);
}

void RowRelay::produce(std::size_t index, int until) {
  Runner& runner = runners_[index];
  while (runner.end < until) {
    const RowBand& band = runner.bands[runner.next++];
    const float* inputs = nullptr;
    int first_row = 0;
    if (index > 0) {
      runner.needed = band.input_first;
      produce(index - 1, band.input_first + band.input_rows);
      inputs = runners_[index - 1].output, first_row = runners_[index - 1].first;
    }
    const bool last = index + 1 == runners_.size();
    float* const to = last ? runner.output + static_cast<std::size_t>(band.first) * runner.row
                           : place(runner, runners_[index + 1], band.rows);
    compute_(index, band, inputs, first_row, to);
    runner.end = band.first + band.rows;
  }
}

/// Where the next rows go; lets go of those that nobody reads any more where there is no room.
float* RowRelay::place(Runner& runner, const Runner& reader, int rows) {
  const auto values = [&](int some) { return static_cast<std::size_t>(some) * runner.row; };
  if (runner.end + rows - runner.first > runner.capacity) {
    const int kept = std::min(reader.needed, runner.end);
    std::copy(runner.output + values(kept - runner.first), runner.output + values(runner.end - runner.first),
              runner.output);
    runner.first = kept;
  }
  return runner.output + values(runner.end - runner.first);
}

}  // namespace crossgrid
