#include "crossgrid/circuit/measured_adc.hpp"

#include <vector>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/standard_draws.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ConvertMeasured& element) {
  for_each_index(count, element);
}

UniformConverter<double> quantizer(const AdcConfig& config, Interval range) {
  AdcConfig plain;
  plain.model = ConverterModel::quantizer;
  plain.bits = config.bits;
  return make_adc<double>(plain, range).levels;
}

class TableAdc : public CircuitAdc {
 public:
  TableAdc(const AdcConfig& config, Interval range, PhiloxKey draws)
      : range_(range),
        table_(config.table),
        levels_(quantizer(config, range)),
        draws_(draws),
        random_(adc_draws(config)) {
    if (table_.value.empty()) throw Error(ExitCode::internal, "a measured converter without a table");
  }

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride,
               const ConversionPlace& place) const override {
    const MeasuredAdc adc{table_.value.data(), table_.mean.data(), table_.sigma.data(),
                          static_cast<int>(table_.value.size()), levels_};
    std::vector<float> normals(random_ ? static_cast<std::size_t>(cols) : 0);
    for (int window = 0; window < windows; ++window) {
      if (random_) {
        fill_draws(DrawLaw::normal, normals, {draws_, place.image, place.cycle}, first_draw(place, window));
      }
      run(static_cast<std::size_t>(cols),
          ConvertMeasured{currents + window * stride, random_ ? normals.data() : nullptr, adc});
    }
  }

  Interval range() const override { return range_; }

 private:
  Interval range_;
  AdcTable table_;
  UniformConverter<double> levels_;
  PhiloxKey draws_;
  bool random_;
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_measured_adc(const AdcConfig& config, Interval range, int,
                                                    const AdcStreams& streams) {
  return std::make_shared<TableAdc>(config, range, streams.draws);
}

}  // namespace crossgrid
