#include "crossgrid/circuit/circuit_adc.hpp"

#include <algorithm>

#include "adc_banks.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

bool needs_circuit_adc(const AdcConfig& config) {
  switch (config.model) {
    case ConverterModel::ideal:
      return false;
    case ConverterModel::quantizer:
    case ConverterModel::sign_magnitude:
      return config.rounding == Rounding::stochastic;
    default:
      return true;
  }
}

std::shared_ptr<const CircuitAdc> make_circuit_adc(const AdcConfig& config, Interval range, int cols,
                                                   const AdcStreams& streams) {
  switch (config.model) {
    case ConverterModel::ideal:
    case ConverterModel::pulse_width:  // a DAC's
      break;
    case ConverterModel::quantizer:
    case ConverterModel::sign_magnitude:
      return make_stochastic_adc(config, range, cols, streams);
    case ConverterModel::levels:
      return make_level_adc(config, range, cols, streams);
    case ConverterModel::ramp:
      return make_ramp_adc(config, range, cols, streams);
    case ConverterModel::sar:
      return make_sar_adc(config, range, cols, streams);
    case ConverterModel::pipeline:
    case ConverterModel::cyclic:
      return make_pipeline_adc(config, range, cols, streams);
    case ConverterModel::table:
      return make_measured_adc(config, range, cols, streams);
  }
  throw Error(ExitCode::internal, "an ideal converter has no circuit");
}

bool adc_draws(const AdcConfig& config) {
  const AdcErrors& errors = config.errors;
  switch (config.model) {
    case ConverterModel::ideal:
    case ConverterModel::pulse_width:
    case ConverterModel::levels:
      return false;
    case ConverterModel::quantizer:
    case ConverterModel::sign_magnitude:
      return config.rounding == Rounding::stochastic;
    case ConverterModel::ramp:
    case ConverterModel::sar:
      return errors.sigma_capacitor > 0 || errors.sigma_comparator > 0;
    case ConverterModel::pipeline:
    case ConverterModel::cyclic:
      return errors.sigma_c1 > 0 || errors.sigma_c2 > 0 || errors.sigma_cpar > 0 || errors.sigma_comparator > 0;
    case ConverterModel::table:
      return std::ranges::any_of(config.table.sigma, [](double sigma) { return sigma > 0; });
  }
  return false;
}

}  // namespace crossgrid
