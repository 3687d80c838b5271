#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/inference.hpp"

/// Why a point's accuracy is low (docs/explain.md): every non-ideality switched off alone, and on alone.
namespace crossgrid {

/// One way in which a chip departs from the floating-point network.
struct NonIdeality {
  const char* name;        ///< "programming error"
  const char* parameters;  ///< "device.programming_error": where a sweep sets it
  bool (*active)(const LayerHardware& hardware);
  void (*remove)(LayerHardware& hardware);
  /// Puts it on an ideal chip, with all that its effect depends on and that does nothing by itself.
  void (*copy)(const LayerHardware& from, LayerHardware& ideal);
};

/// The table that budgets are made from: a new kind of error is a new row.
const std::vector<NonIdeality>& non_idealities();

/// An analog layer that computes what the floating-point one does. Keeps the mapping (core.style, core.two_sided),
/// which costs nothing by itself but decides what errors do.
LayerHardware ideal_hardware(const LayerHardware& hardware);
/// The same chip without this non-ideality.
LayerHardware without(const NonIdeality& what, LayerHardware hardware);
/// An ideal chip with this non-ideality.
LayerHardware alone(const NonIdeality& what, const LayerHardware& hardware);

struct BudgetRequest {
  std::vector<LayerHardware> hardware;  ///< of the point, one per matrix layer
  std::uint64_t seed = 0;
  std::uint32_t trials = 1;
  std::uint64_t first = 0;  ///< images, absolute indices in file order
  std::uint32_t count = 0;
  bool layers = false;  ///< also layer by layer
};

/// A mean over images and chips, and the standard error that their finite numbers leave.
struct Estimate {
  double mean = 0;
  double error = 0;
};

/// Of paired differences, images x trials. Both are samples: the variance of the mean is that of the images' means plus
/// that of the chips' means less that of single values, which both hold (two-way clustering; Cameron, Gelbach and
/// Miller 2011), but not below the larger one. With one chip it is the images' alone.
Estimate paired_estimate(const MatrixD& differences);

/// Means over images and chips.
struct BudgetScore {
  double top1 = 0, loss = 0, layer_error = 0;
};

struct BudgetRow {
  std::string name;        ///< of the non-ideality, or the layer
  std::string parameters;  ///< empty for layers
  BudgetScore off;         ///< this one off, all others on
  BudgetScore alone;       ///< this one on, all others off
  Estimate gain;           ///< top1 off - top1 of the point
  Estimate drop;           ///< top1 of the floating-point network - top1 alone
};

struct ErrorBudget {
  std::uint32_t images = 0, trials = 0;
  BudgetScore floating;           ///< the floating-point network
  BudgetScore ideal;              ///< analog with everything off: the floating-point network, to rounding
  BudgetScore point;              ///< everything on
  Estimate drop;                  ///< top1 of the floating-point network - top1 of the point
  Estimate interaction;           ///< drop - sum of the rows' drops alone
  std::vector<BudgetRow> rows;    ///< non-idealities that are active in any layer, largest gain first
  std::vector<BudgetRow> layers;  ///< the same for all non-idealities of one layer, where asked for
};

/// The same chips and images in every run: differences are paired. `progress(done, total)` counts chips.
ErrorBudget error_budget(InferenceEngine& engine, const std::vector<std::string>& layer_names,
                         const BudgetRequest& request,
                         const std::function<void(std::size_t done, std::size_t total)>& progress);

}  // namespace crossgrid
