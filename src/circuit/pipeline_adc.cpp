#include "crossgrid/circuit/pipeline_adc.hpp"

#include <algorithm>
#include <vector>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/circuit/adc_mismatch.hpp"

namespace crossgrid {
namespace {

constexpr int lanes = 8;

/// Columns of one converter side by side.
CROSSGRID_HD_INLINE void convert_columns(float* values, int count, const MidRise& scale, const PipelineConverter& adc) {
  double ratio[lanes], residue[lanes], code[lanes];
  for (int k = 0; k < lanes; ++k) {
    ratio[k] = scale.ratio(k < count ? values[k] : 0.0f);
    residue[k] = ratio[k];
    code[k] = 0;
  }
  for (int bit = 0; bit < adc.bits - 1; ++bit) {
    const PipelineStage& stage = adc.stages[bit * adc.stride];
    for (int k = 0; k < lanes; ++k) PipelineConverter::stage(stage, residue[k], code[k]);
  }
  for (int k = 0; k < std::min(count, lanes); ++k) {
    values[k] = scale.output(adc.finish(residue[k], code[k]), ratio[k]);
  }
}

CROSSGRID_MULTIVERSION
void run(float* row, int cols, int group_size, const MidRise& scale, const PipelineConverter& first, int stages,
         const double* last) {
  PipelineConverter adc = first;
  for (int from = 0; from < cols; from += group_size, adc.stages += stages) {
    adc.last = *last++;
    const int to = std::min(cols - from, group_size);
    for (int k = 0; k < to; k += lanes) convert_columns(row + from + k, to - k, scale, adc);
  }
}

class PipelineAdc : public CircuitAdc {
 public:
  PipelineAdc(const AdcConfig& config, Interval range, int cols, PhiloxKey mismatch)
      : range_(range),
        scale_(mid_rise(range, config.bits)),
        bits_(config.bits),
        group_size_(config.group),
        cyclic_(config.model == ConverterModel::cyclic),
        group_stages_(cyclic_ ? 1 : config.bits - 1) {
    const double sigma = config.errors.sigma_comparator;
    for (int group = 0; group * config.group < cols; ++group) {
      const auto offset = [&](int which) { return sigma > 0 ? sigma * comparator_draw(mismatch, group, which) : 0; };
      for (int stage = 0; stage < group_stages_; ++stage) {
        PipelineStage made = make_stage(config.errors, mismatch, group, stage);
        made.upper = 0.25 - offset(2 * stage);
        made.lower = -0.25 - offset(2 * stage + 1);
        stages_.push_back(made);
      }
      last_.push_back(-offset(2 * group_stages_));
    }
  }

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride, const ConversionPlace&) const override {
    const PipelineConverter first{stages_.data(), cyclic_ ? 0 : 1, bits_, 0};
    for (int window = 0; window < windows; ++window) {
      run(currents + window * stride, cols, group_size_, scale_, first, group_stages_, last_.data());
    }
  }

  Interval range() const override { return range_; }

 private:
  static PipelineStage make_stage(const AdcErrors& errors, PhiloxKey mismatch, int group, int stage) {
    const auto moved = [&](double nominal, double sigma, StagePart part) {
      return sigma > 0 ? nominal + sigma * stage_draw(mismatch, group, stage, part) : nominal;
    };
    const double c1 = moved(1, errors.sigma_c1, StagePart::c1);
    const double c2 = moved(1, errors.sigma_c2, StagePart::c2);
    const double parasitic = moved(0, errors.sigma_cpar, StagePart::parasitic);
    const double divisor = 1 + (c1 + c2 + parasitic) / c1 / amplifier_gain(errors.gain_db);
    PipelineStage made;
    made.gain = (1 + c2 / c1) / divisor;
    made.shift = c2 / c1 / divisor;
    return made;
  }

  Interval range_;
  MidRise scale_;
  int bits_, group_size_;
  bool cyclic_;
  int group_stages_;
  std::vector<PipelineStage> stages_;  ///< group_stages_ per group
  std::vector<double> last_;           ///< one per group
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_pipeline_adc(const AdcConfig& config, Interval range, int cols,
                                                    const AdcStreams& streams) {
  return std::make_shared<PipelineAdc>(config, range, cols, streams.mismatch);
}

}  // namespace crossgrid
