#pragma once

#include <string>

#include "crossgrid/array/crossbar.hpp"
#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// Which parts of a layer's analog sums must be computed apart, because a converter, a current limit or draws of their
/// own lie between them and their sum. What is not apart collapses into one product, exactly (design.md, principle 3).
struct ConversionScheme {
  bool rows = false;           ///< groups of rows: arrays, or rows that are driven at once
  bool slices = false;         ///< weight slices
  bool inputs = false;         ///< input slices
  bool sides = false;          ///< + and - cells of balanced pairs
  bool unit_columns = false;   ///< unit columns are columns of the product, subtracted after their converters
  bool net_converter = false;  ///< where sides are apart: they meet again before one converter

  bool operator==(const ConversionScheme&) const = default;
};
ConversionScheme conversion_scheme(const LayerHardware& hardware, NoisePath noise);

/// Conversions of one output and MVM if nothing collapsed: what brute force would multiply.
struct ConversionCount {
  int slices = 1, inputs = 1, sides = 1;
  int total() const { return slices * inputs * sides; }
};
ConversionCount brute_force_count(const LayerHardware& hardware);
/// Products that the scheme leaves.
ConversionCount scheme_count(const LayerHardware& hardware, const ConversionScheme& scheme);

/// For people: "4 weight slices x 8 input slices apart: each meets an ADC", or what collapsed and why.
std::string scheme_text(const LayerHardware& hardware, const ConversionScheme& scheme);

}  // namespace crossgrid
