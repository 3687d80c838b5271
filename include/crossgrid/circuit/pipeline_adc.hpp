#pragma once

#include <cstddef>

#include "crossgrid/circuit/mid_rise.hpp"

namespace crossgrid {

/// A stage of 1.5 bits (physics.md section 3), in ratios to Vref: residue' = gain residue + d shift with d = -1 above
/// `upper`, +1 below `lower`.
struct PipelineStage {
  double gain = 2;
  double shift = 1;
  double upper = 0.25;
  double lower = -0.25;
};

/// A pipeline of bits - 1 stages and a last comparator, or with stride 0 a cyclic converter, which uses one stage again
/// and again.
struct PipelineConverter {
  const PipelineStage* stages;
  std::ptrdiff_t stride;  ///< 1 pipeline, 0 cyclic
  int bits;
  double last;  ///< the last bit is set above it

  /// One stage: `code` gains a signed digit.
  CROSSGRID_HD_INLINE static void stage(const PipelineStage& s, double& residue, double& code) {
    const double digit = residue > s.upper ? 1.0 : residue < s.lower ? -1.0 : 0.0;
    residue = fused(residue, s.gain, -digit * s.shift);
    code = code + code + digit;
  }
  CROSSGRID_HD_INLINE double finish(double residue, double digits) const {
    return digits + static_cast<double>(1 << (bits - 1)) - (residue > last ? 0.0 : 1.0);
  }
  CROSSGRID_HD_INLINE double code(double ratio) const {
    double residue = ratio, digits = 0;
    for (int k = 0; k < bits - 1; ++k) stage(stages[k * stride], residue, digits);
    return finish(residue, digits);
  }
};

/// Element i of the columns of one converter, in place.
struct ConvertPipeline {
  float* values;
  MidRise scale;
  PipelineConverter adc;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double ratio = scale.ratio(values[i]);
    values[i] = scale.output(adc.code(ratio), ratio);
  }
};

}  // namespace crossgrid
