#pragma once

#include <functional>
#include <span>
#include <vector>

#include "crossgrid/network/row_band.hpp"

namespace crossgrid {

/// Convolutions of one image, each of the last one's output, by turns: a band is computed as soon as the rows that it
/// reads are there, so that rows between two convolutions are used while they are in the cache.
class RowRelay {
 public:
  struct Runner {
    std::span<const RowBand> bands;
    float* output = nullptr;  ///< all rows of the last runner; the others hold here what the next one still reads
    std::size_t row = 0;      ///< floats of a row of its output
    int first = 0, end = 0;   ///< rows that output holds
    int needed = 0;           ///< the first row that its band reads of the runner before
    int capacity = 0;         ///< rows
    std::size_t next = 0;     ///< band
  };
  /// Computes a runner's band. inputs: from row first_row on; null for the first runner.
  using Compute =
      std::function<void(std::size_t runner, const RowBand& band, const float* inputs, int first_row, float* output)>;

  /// Of runners: bands, output (room for all rows) and row.
  RowRelay(std::vector<Runner> runners, Compute compute);
  void run();

 private:
  void produce(std::size_t index, int until);
  float* place(Runner& runner, const Runner& reader, int rows);

  std::vector<Runner> runners_;
  Compute compute_;
};

}  // namespace crossgrid
