#pragma once

#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"
#include "crossgrid/network/event_counts.hpp"
#include "crossgrid/network/layer_measures.hpp"
#include "crossgrid/network/network.hpp"

namespace crossgrid {

/// What goes on inside a point's chips, layer by layer, and how often each part of them works.
struct PointMeasures {
  std::uint32_t images = 0;
  std::vector<MatrixLayer> layers;
  std::vector<std::vector<LayerMeasures>> trials;  ///< by trial and layer
  std::vector<LayerEvents> events;                 ///< by layer
};

/// What `crossgrid explain --measure` prints (docs/explain.md): means over chips with their 95 % intervals.
std::string measures_text(const PointMeasures& measures);
/// The same for energy models; numbers that do not apply are null.
Json measures_json(const PointMeasures& measures);

}  // namespace crossgrid
