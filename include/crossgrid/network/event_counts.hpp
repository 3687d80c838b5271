#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"

/// How often each part of a chip works for one image: what an energy or latency model multiplies with its costs.
namespace crossgrid {

/// How one MVM of one array becomes several conversions, and several arrays.
struct ConversionCounts {
  int weight_slices = 1;           ///< arrays that share a weight's bits, each with conversions of its own
  int input_slices = 1;            ///< cycles that share an input's bits
  int conversions_per_input = 1;   ///< input slices that are converted apart; 1: their analog sum is
  std::optional<int> rows_active;  ///< rows that are driven at once, a conversion for each group; none: all
  int pair_conversions = 1;        ///< 2 where the currents of a balanced pair are converted apart
  bool unit_column = false;        ///< each array has a further column, which is converted with the others
};

/// What this hardware asks for.
ConversionCounts conversion_counts(const LayerHardware& hardware);

/// Events of one layer and one image. Rows of padding are driven and count.
struct LayerEvents {
  std::string layer;
  bool analog = true;  ///< false: only `digital_multiplications` is not 0
  std::uint64_t mvms = 0;
  int arrays = 0;  ///< a balanced pair counts as one, unless its currents are converted apart
  std::uint64_t cells = 0;
  std::uint64_t array_activations = 0;  ///< an array with some of its rows driven, once per input slice and row group
  std::uint64_t cells_read = 0;         ///< cells in driven rows
  std::optional<int> dac_bits;          ///< of one input slice; none: ideal
  std::uint64_t dac_conversions = 0;    ///< a driven row of an array (or pair): each array has its own DACs
  std::optional<int> adc_bits;          ///< none: ideal
  std::uint64_t adc_conversions = 0;    ///< a column of an array
  std::uint64_t additions = 0;          ///< digital, of the partial sums of one output without a shift
  std::uint64_t shift_adds = 0;         ///< digital, of sums of different weight and input slices
  std::uint64_t offset_additions = 0;   ///< the sum of an MVM's inputs, or a unit column, taken off every output
  std::uint64_t digital_multiplications = 0;  ///< of layers that are computed digitally
};

/// Closed form: nothing is run.
LayerEvents count_events(const MatrixLayer& layer, const LayerHardware& hardware, const ConversionCounts& counts);

}  // namespace crossgrid
