#pragma once

#include <memory>

#include "crossgrid/circuit/circuit_adc.hpp"

/// One maker per kind of converter: what make_circuit_adc() chooses from.
namespace crossgrid {

using AdcMaker = std::shared_ptr<const CircuitAdc>(const AdcConfig& config, Interval range, int cols,
                                                   const AdcStreams& streams);
AdcMaker make_ramp_adc, make_sar_adc, make_pipeline_adc, make_level_adc, make_measured_adc, make_stochastic_adc;

}  // namespace crossgrid
