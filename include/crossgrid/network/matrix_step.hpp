#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "crossgrid/network/epilogue.hpp"
#include "crossgrid/network/layer_ranges.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/prepared_matrix.hpp"

namespace crossgrid {

/// One matrix layer of a network that runs: its arrays and what is at their ends.
struct MatrixStep {
  std::shared_ptr<const PreparedMatrix> matrix;
  bool analog = false;
  Converter<float> dac;  ///< from layer units to the arrays' inputs (analog layers)
  InputScale input;      ///< what its range means
  DacConfig dac_config;  ///< where every window is driven by itself
  bool per_window = false;
  int bound_management = 0;  ///< halvings of a window's inputs while a conversion clips
  InputSlices slices;
  bool inputs_summed = false;        ///< input slices that are apart meet one ADC after their analog sum
  bool inputs_apart = false;         ///< each input slice meets a converter, a limit or draws of its own
  std::vector<AdcStage> adcs;        ///< [row block][converter]; ideal for digital layers
  std::optional<float> current_max;  ///< of every column
  std::vector<float> bias;           ///< added digitally; empty: none
  std::vector<float> bias_tile;      ///< the same for the plain path
  std::vector<double> scales;        ///< of sums, by column (CoreConfig::column_scales); empty: 1
  /// Where the DAC gives zeros another value (signed quantizer), padding goes through it too: the images get a frame of
  /// that value, as wide as `frame`'s padding, and the matrix's geometry is that of the framed images without padding.
  Window frame;
  float frame_value = 0;
  bool framed() const { return frame.padded(); }
  /// Where windows share arrays: the layer's own geometry, of whose tiles the matrix's is (tiled_geometry).
  struct Tiles {
    ConvolutionShape layer;
    WindowTile tile;
  };
  std::optional<Tiles> tiles;

  /// The geometry of what the layer leaves behind.
  const ConvolutionShape& outputs() const { return tiles ? tiles->layer : matrix->geometry; }

  const AdcStage& adc(int block, int converter) const;
  /// Layer units per unit of the first plane's current.
  double scale() const;
  /// Whether partial sums of one conversion per row block are all there is: the fast path of a direct plan.
  bool plain() const;
};

/// Currents that meet a converter.
struct ConversionView {
  int block = 0, slice = 0;
  int converter = 0;                ///< MatrixStep::adc of the block
  int first_image = 0, images = 0;  ///< of the micro-batch
  const float* currents = nullptr;  ///< images x windows x analog columns
  int idle = 0;                     ///< further conversions of every column, of no current (MatrixPlan::idle)
};
using ConversionObserver = std::function<void(const ConversionView&)>;

/// body(image of the micro-batch, currents) for the images of a view that were asked for; `count` currents each.
template <class Body>
void for_each_image(const ConversionView& view, const MicroBatch& batch, std::size_t count, const Body& body) {
  for (int image = std::max(view.first_image, batch.begin); image < std::min(view.first_image + view.images, batch.end);
       ++image) {
    body(image, view.currents + static_cast<std::size_t>(image - view.first_image) * count);
  }
}

/// Squares of what drives a product, for the variance of its lumped noise: of a whole input that is sent in slices, the
/// sum over its slices. Valid until the lane's next call.
const float* squared_inputs(const MatrixStep& step, const float* values, std::size_t count, Lane& lane);

/// A step without its arrays: how a layer of this geometry is driven, with a DAC of this range [layer units].
/// Error(bad_input) where its inputs can't be sliced.
MatrixStep driven_step(const ConvolutionShape& geometry, const LayerHardware& hardware, Interval dac_range);

/// Puts the arrays and their ADCs into a step. seed, trial and layer: of the chip, whose converters have errors too.
void put_arrays(MatrixStep& step, const LayerHardware& hardware, const LayerRanges& ranges,
                std::shared_ptr<const PreparedMatrix> prepared, const LayerStreams& streams);

/// What the ADC ranges of a layer follow from, but the slice and the rows.
AdcPlace adc_place(const MatrixStep& step, const LayerHardware& hardware, double conductance_step);

/// The range of the ADCs at a place.
Interval adc_range_at(const LayerHardware& hardware, const LayerRanges& ranges, const AdcPlace& place);

/// Weights as the arrays hold them: with the rows of a bias; of a grouped convolution, and where windows share arrays,
/// the whole block-diagonal matrix, or where groups have arrays of their own the groups' outputs side by side. Divided
/// by the column scales.
Matrix matrix_weights(const Layer& layer, const LayerHardware& hardware);
/// Hardware that holds such weights. Where groups have arrays of their own, arrays of columns of one group only: as
/// many as cols_max allows that divide a group's. Where windows share arrays, the weight limit of a single copy.
LayerHardware arrayed_hardware(const Layer& layer, const LayerHardware& hardware);

/// What a layer's arrays are driven with: `inputs` (images of shape `in`) through the DAC unless `encoded` or windows
/// are driven by themselves; framed or gathered in tiles where needed. Valid until the lane's next layer.
const float* drive(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, Lane& lane);

/// The geometry that a step's arrays see of a layer's: with an explicit frame where DAC(0) is not 0, or of tiles.
ConvolutionShape driven_geometry(const MatrixStep& step, const ConvolutionShape& layer);

/// The bias of a step's columns.
std::vector<float> step_bias(const MatrixStep& step, const std::vector<float>& bias);

/// Outputs of a layer whose conversions are shifted and added: images of windows x outputs in layer units, the bias in
/// them. inputs: of shape `in`; `encoded`: after the DAC. `observe` may be empty. halvings: by image, how often inputs
/// were halved is added; may be null.
void run_chain(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, const MicroBatch& batch,
               Lane& lane, const ConversionObserver& observe, std::uint64_t* halvings, float* outputs);

/// Shows the currents of all conversions, whatever the plan, without converting any.
void observe_currents(const MatrixStep& step, const float* inputs, const Shape& in, const MicroBatch& batch, Lane& lane,
                      const ConversionObserver& observe);

}  // namespace crossgrid
