#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/base/metric_sum.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/layer_measures.hpp"
#include "crossgrid/network/layer_ranges.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/range_fit.hpp"
#include "crossgrid/network/range_store.hpp"

namespace crossgrid {

/// Where converters' ranges come from (rule R9): the float network's activations on these images, no random errors; or
/// they are given, and no images are needed.
struct CalibrationPlan {
  std::shared_ptr<const Dataset> data;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  RangeFit fit = RangeFit::least_squares;
  double percentile = 99.99;
  std::vector<LayerRanges> given;     ///< one per matrix layer; empty: from the images
  std::shared_ptr<RangeStore> store;  ///< where ranges from the images are kept; null: nowhere
};

struct InferenceRequest {
  std::span<const LayerHardware> hardware;  ///< one per matrix layer
  std::uint64_t seed = 0;
  std::uint32_t trial = 0;
  std::uint64_t first = 0;  ///< images, absolute indices in file order
  std::uint32_t count = 0;
  std::vector<std::string> metrics;  ///< of "top1", "top5", "loss", "layer_error", "adc_clip_rate", "input_halvings"
};

/// Runs a network on crossbars over a data set. Results depend on the request only, never on threads, caches or the
/// grouping of images into requests. Kept between calls: programmed and packed layers (256 MiB, ChipCache, and those of
/// the last 16 points), 128 calibration profiles of 512 KiB, up to 512 oneDNN primitives and one micro-batch's
/// activations per thread.
/// Metrics, per image: top1, top5: label among the largest logits, ties to the smaller class; loss: cross-entropy in
/// nats; layer_error: mean over matrix layers of |y - r| / |r|, y the layer's output before its ReLU and r the
/// floating-point network's on the same image; adc_clip_rate: share of conversions outside the ADC's range (before
/// inputs are halved); input_halvings: how often bound management halved an MVM's inputs, mean over all MVMs. Points of
/// simulation.precision float64 run through ReferenceNetwork: metrics and logits, not layer_measures() and
/// layer_outputs(), which are those of float32.
/// Images asked for in multiples of the micro-batch, from a multiple on, waste no work.
class InferenceEngine {
 public:
  InferenceEngine(Network network, std::shared_ptr<const Dataset> data, CalibrationPlan calibration, int threads);
  ~InferenceEngine();

  /// Sums over the request's images. `heartbeat` is called between micro-batches.
  std::map<std::string, MetricSum> run(const InferenceRequest& request, const std::function<void()>& heartbeat);

  /// The request's metrics of every image: count x metrics, NaN where logits are not finite.
  MatrixD image_metrics(const InferenceRequest& request);
  /// What goes on inside every matrix layer of the request's chip; its metrics don't matter.
  std::vector<LayerMeasures> layer_measures(const InferenceRequest& request);
  /// Calibrated ranges for the hardware of every matrix layer; converters that need none get [0, 1] or [-1, 1].
  std::vector<LayerRanges> ranges(std::span<const LayerHardware> hardware);
  /// Logits (count x classes) of the same run, for tests and `explain`.
  Matrix logits(const InferenceRequest& request);
  /// Outputs of one matrix layer (counted from 0) before its ReLU: count rows of windows x outputs. For tests.
  Matrix layer_outputs(const InferenceRequest& request, int matrix);
  /// Logits of the floating-point network on the same images.
  Matrix reference_logits(std::uint64_t first, std::uint32_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How one layer will be simulated: what `crossgrid explain` prints.
struct LayerPlan {
  std::string layer;
  int rows = 0, cols = 0, mvms_per_image = 0;
  int row_arrays = 0, col_arrays = 0;  ///< arrays per sign after partition
  int cells = 0;                       ///< devices used, both signs and all slices
  /// Share of the arrays' places (array.rows_max x cols_max each, else the matrix's own) that hold the layer's weights:
  /// free rows and columns don't, nor do cells between the blocks of groups and windows.
  double utilisation = 0;
  std::string execution;  ///< e.g. "one direct convolution per row block, ADC fused"
  std::string reason;
  double megaflops_per_image = 0;
};
/// Whether the reason says of lumped read noise what holds for this layer's cells, which must be programmed for it, or
/// what holds in general.
enum class CellsLookedAt { none, all };
std::vector<LayerPlan> plan_layers(const Network& network, std::span<const LayerHardware> hardware,
                                   CellsLookedAt looked = CellsLookedAt::none);
/// Images per micro-batch: from the network and the plan alone.
int micro_batch_size(const Network& network, std::span<const LayerHardware> hardware);

}  // namespace crossgrid
