#include "crossgrid/network/recurrent_execution.hpp"

#include <algorithm>

namespace crossgrid {

namespace {

/// One micro-batch on its way through the steps. Vectors are those of all sequences of all images.
class RecurrentRun {
 public:
  RecurrentRun(const Recurrent& layer, const MatrixStep& step, const ImagesOf& images, const MicroBatch& batch,
               Lane& lane, const RecurrentObserver& observe, std::uint64_t* halvings)
      : layer_(layer),
        step_(step),
        images_(images),
        batch_(batch),
        lane_(lane),
        observe_(observe),
        halvings_(halvings),
        sequences_(static_cast<std::size_t>(layer.sequences)),
        vectors_(static_cast<std::size_t>(batch.size) * sequences_),
        inputs_(static_cast<std::size_t>(layer.inputs())),
        hidden_(layer.cell.hidden),
        columns_(static_cast<std::size_t>(layer.weights.rows())),
        driven_(lane.scratch(Lane::step_inputs, vectors_ * (inputs_ + hidden_))),
        found_(lane.scratch(Lane::step_products, vectors_ * columns_)),
        values_(vectors_ * columns_) {
    for (int image = 0; image < batch.size; ++image) {
      state_.insert(state_.end(), layer.state.begin(), layer.state.end());
      cells_.insert(cells_.end(), layer.cells.begin(), layer.cells.end());
    }
    if (observe.outputs) all_ = lane.scratch(Lane::all_products, vectors_ * products_of_sequence() * columns_);
  }

  void run(float* outputs) {
    const auto steps = static_cast<std::size_t>(layer_.steps);
    for (std::size_t k = 0; k < steps; ++k) {
      const std::size_t at = layer_.reverse ? steps - 1 - k : k;
      for (int product = 0; product < layer_.cell.products(); ++product) {
        drive(at, product);
        multiply(k * static_cast<std::size_t>(layer_.cell.products()) + static_cast<std::size_t>(product));
        take(k, product);
      }
      for (std::size_t v = 0; v < vectors_; ++v) layer_.cell.step(part(values_, v, columns_), state(v), cells(v));
      write(state_, outputs, at);
    }
    write(state_, outputs, steps);
    if (layer_.cell.kind == RecurrentKind::lstm) write(cells_, outputs, steps + 1);
    if (observe_.outputs) observe_.outputs(all_);
  }

 private:
  static std::span<double> part(std::vector<double>& all, std::size_t k, std::size_t size) {
    return std::span(all).subspan(k * size, size);
  }
  std::span<double> state(std::size_t vector) { return part(state_, vector, hidden_); }
  std::span<double> cells(std::size_t vector) {
    return cells_.empty() ? std::span<double>() : part(cells_, vector, hidden_);
  }
  std::size_t products_of_sequence() const {
    return static_cast<std::size_t>(layer_.steps) * static_cast<std::size_t>(layer_.cell.products());
  }

  /// The step's inputs and the state. Of a second product only the state's rows are driven, by what is left of it.
  void drive(std::size_t at, int product) {
    std::vector<double> kept(hidden_);
    float* to = driven_;
    for (std::size_t v = 0; v < vectors_; ++v) {
      const std::size_t image = v / sequences_, sequence = v % sequences_;
      std::span<const double> second = state(v);
      if (product == 0) {
        to = std::copy_n(images_.values + image * images_.size + (at * sequences_ + sequence) * inputs_, inputs_, to);
      } else {
        to = std::fill_n(to, inputs_, 0.0f);
        layer_.cell.reset_state(part(values_, v, columns_), second, kept);
        second = kept;
      }
      to = std::ranges::transform(second, to, [](double value) { return static_cast<float>(value); }).out;
    }
    if (observe_.inputs) observe_.inputs(driven_);
  }

  /// product: its number of all of the layer's.
  void multiply(std::size_t product) {
    MicroBatch batch = batch_;
    batch.first_window = static_cast<std::uint32_t>(product * sequences_);
    if (step_.analog) {
      const Shape in{static_cast<int>(inputs_ + hidden_), 1, layer_.sequences};
      return run_chain(step_, driven_, in, false, batch, lane_, observe_.currents, halvings_, found_);
    }
    direct_currents(*step_.matrix, step_.matrix->bands, 0, 0, {driven_, nullptr, 0}, batch, lane_, found_);
    finish({{}, 1, step_.bias_tile, no_clamp, {}}, found_, nullptr, found_, vectors_, static_cast<int>(columns_));
  }

  void take(std::size_t k, int product) {
    const auto [first, end] = layer_.cell.values_of(product);
    for (std::size_t v = 0; v < vectors_; ++v) {
      const float* const from = found_ + v * columns_;
      std::copy(from + first, from + end, values_.begin() + static_cast<std::ptrdiff_t>(v * columns_ + first));
      if (all_ == nullptr) continue;
      const std::size_t image = v / sequences_, sequence = v % sequences_;
      const std::size_t number =
          k * static_cast<std::size_t>(layer_.cell.products()) + static_cast<std::size_t>(product);
      float* const to = all_ + ((image * products_of_sequence() + number) * sequences_ + sequence) * columns_;
      std::fill_n(to, columns_, 0.0f);
      std::copy(from + first, from + end, to + first);
    }
  }

  /// As the `place`-th of the vectors that each sequence has in the output.
  void write(const std::vector<double>& from, float* outputs, std::size_t place) const {
    const std::size_t last = layer_.cell.kind == RecurrentKind::lstm ? 2 : 1;
    const std::size_t count = sequences_ * hidden_, of_image = (static_cast<std::size_t>(layer_.steps) + last) * count;
    for (std::size_t image = 0; image < static_cast<std::size_t>(batch_.size); ++image) {
      float* const to = outputs + image * of_image + place * count;
      for (std::size_t k = 0; k < count; ++k) to[k] = static_cast<float>(from[image * count + k]);
    }
  }

  const Recurrent& layer_;
  const MatrixStep& step_;
  const ImagesOf& images_;
  const MicroBatch& batch_;
  Lane& lane_;
  const RecurrentObserver& observe_;
  std::uint64_t* halvings_;
  std::size_t sequences_, vectors_, inputs_, hidden_, columns_;
  float* driven_;
  float* found_;
  float* all_ = nullptr;        ///< of all steps; null: nobody looks
  std::vector<double> values_;  ///< of a step
  std::vector<double> state_, cells_;
};

}  // namespace

void run_recurrent(const Recurrent& layer, const MatrixStep& step, const ImagesOf& images, const MicroBatch& batch,
                   Lane& lane, const RecurrentObserver& observe, std::uint64_t* halvings, float* outputs) {
  RecurrentRun(layer, step, images, batch, lane, observe, halvings).run(outputs);
}

}  // namespace crossgrid
