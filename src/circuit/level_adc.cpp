#include <algorithm>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/circuit/step_table.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ConvertSteps& element) {
  for_each_index(count, element);
}

/// Ties go to the even level, also at thresholds that were given.
StepTableData table_of(const AdcLevels& config, Interval range) {
  if (config.levels.empty()) throw Error(ExitCode::internal, "a converter of levels without levels");
  const auto place = [&](double fraction) { return range.low + fraction * (range.high - range.low); };
  std::vector<double> thresholds;
  std::vector<float> outputs;
  for (std::size_t k = 0; k < config.levels.size(); ++k) {
    outputs.push_back(static_cast<float>(place(config.levels[k])));
    if (k == 0) continue;
    const bool even = k % 2 == 0;
    thresholds.push_back(config.thresholds.empty()
                             ? threshold_between(place(config.levels[k - 1]), place(config.levels[k]), even)
                             : threshold_at(place(config.thresholds[k - 1]), even));
  }
  return {std::move(thresholds), std::move(outputs)};
}

class LevelAdc : public CircuitAdc {
 public:
  LevelAdc(const AdcLevels& levels, Interval range) : range_(range), table_(table_of(levels, range)) {}

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride, const ConversionPlace&) const override {
    for (int window = 0; window < windows; ++window) {
      run(static_cast<std::size_t>(cols), ConvertSteps{currents + window * stride, table_.table()});
    }
  }

  Interval range() const override { return range_; }

 private:
  Interval range_;
  StepTableData table_;
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_level_adc(const AdcConfig& config, Interval range, int, const AdcStreams&) {
  return std::make_shared<LevelAdc>(config.levels, range);
}

}  // namespace crossgrid
