#pragma once

#include "engine/efficiency_simulation.hpp"

namespace crossgrid::efficiency {

struct MeasuredSpread {
  const char* sweep;
  Spread spread;
};

/// Of the unit records (`seconds`) of the sweeps in sweeps/, run on 2 cores by one worker of two threads.
inline constexpr std::array<MeasuredSpread, 4> measured_spreads{
    {{"quickstart", {0.39, 0.75, 0.80, 0.82, 0.85, 0.86, 0.89, 0.91, 0.93, 0.95, 0.97,
                     1.00, 1.02, 1.04, 1.06, 1.08, 1.11, 1.14, 1.18, 1.23, 5.95}},
     {"gated", {0.04, 0.04, 0.04, 0.05, 0.05, 0.06, 0.18, 0.19, 0.21, 0.22, 0.52,
                0.61, 0.73, 1.30, 1.38, 1.59, 1.80, 1.84, 2.90, 3.80, 4.04}},
     {"wires", {0.35, 0.44, 0.48, 0.51, 0.53, 0.54, 0.57, 0.58, 0.59, 0.61, 0.63,
                0.65, 0.71, 0.76, 1.29, 1.45, 1.69, 1.80, 1.96, 2.20, 5.35}},
     {"fashion-mnist", {0.59, 0.62, 0.73, 0.87, 0.89, 0.90, 0.91, 0.94, 0.96, 1.01, 1.03,
                        1.05, 1.06, 1.07, 1.08, 1.10, 1.13, 1.16, 1.18, 1.21, 1.98}}}};

}  // namespace crossgrid::efficiency
