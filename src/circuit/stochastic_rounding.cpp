#include "crossgrid/circuit/stochastic_rounding.hpp"

#include <vector>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/standard_draws.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const RoundAtRandom& element) {
  for_each_index(count, element);
}

class StochasticAdc : public CircuitAdc {
 public:
  StochasticAdc(const AdcConfig& config, Interval range, PhiloxKey draws)
      : adc_{make_adc<double>(config, range).levels}, draws_(draws) {}

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride,
               const ConversionPlace& place) const override {
    std::vector<float> uniforms(static_cast<std::size_t>(cols));
    for (int window = 0; window < windows; ++window) {
      fill_draws(DrawLaw::uniform, uniforms, {draws_, place.image, place.cycle}, first_draw(place, window));
      run(uniforms.size(), RoundAtRandom{currents + window * stride, uniforms.data(), adc_});
    }
  }

  Interval range() const override { return {adc_.levels.low, adc_.levels.high}; }

 private:
  StochasticRounding adc_;
  PhiloxKey draws_;
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_stochastic_adc(const AdcConfig& config, Interval range, int,
                                                      const AdcStreams& streams) {
  return std::make_shared<StochasticAdc>(config, range, streams.draws);
}

}  // namespace crossgrid
