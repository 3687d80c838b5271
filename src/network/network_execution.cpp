#include "crossgrid/network/network_execution.hpp"

#include <algorithm>

#include "crossgrid/base/error.hpp"
#include "crossgrid/network/recurrent_execution.hpp"
#include "crossgrid/network/row_relay.hpp"
#include "crossgrid/network/tensor_evaluation.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

namespace {

bool same(const Converter<float>& a, const Converter<float>& b) {
  if (a.ideal || b.ideal) return a.ideal == b.ideal && a.scale == b.scale;
  return a.levels.low == b.levels.low && a.levels.high == b.levels.high && a.levels.to_code == b.levels.to_code &&
         a.levels.code_offset == b.levels.code_offset && a.levels.step == b.levels.step &&
         a.levels.base == b.levels.base;
}

std::vector<float> make_pixel_table(const Network& network, const Converter<float>& encoding) {
  std::vector<float> table;
  for (std::size_t c = 0; c < static_cast<std::size_t>(network.input.channels); ++c) {
    for (int pixel = 0; pixel < 256; ++pixel) {
      table.push_back(encoding(static_cast<float>(network.preprocess(pixel, c))));
    }
  }
  return table;
}

}  // namespace

/// One micro-batch on its way.
struct NetworkExecution::Run {
  const NetworkExecution& network;
  const Dataset& data;
  const MicroBatch& batch;
  Lane& lane;
  int role;
  const Observer& observer;

  float* tensor(int index) const {
    const ActivationTensor& t = network.graph_.tensors[static_cast<std::size_t>(index)];
    const std::size_t floats = network.graph_.slots[static_cast<std::size_t>(t.slot)];
    return lane.slot(role, t.slot, floats * static_cast<std::size_t>(batch.size));
  }
  const Shape& shape(int index) const { return network.graph_.tensors[static_cast<std::size_t>(index)].shape; }
  const Converter<float>& encoding(int index) const { return network.encodings_[static_cast<std::size_t>(index)]; }

  void load_images() const {
    const Shape& image = network.network_.input;
    const auto pixels = static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
    float* to = tensor(0);
    ImageBuffer buffer;
    for (int k = 0; k < batch.size; ++k, to += image.size()) {
      if (k < batch.begin || k >= batch.end) {
        std::fill_n(to, image.size(), 0.0f);
        continue;
      }
      const ImageView view = data.image(batch.first + static_cast<std::uint64_t>(k), buffer);
      if (const auto* bytes = std::get_if<Pixels>(&view)) {
        look_up_pixels(bytes->data(), to, pixels, image.channels, network.pixel_table_.data());
      } else {
        load_floats(std::get<Floats>(view), to);
      }
    }
  }
  void load_floats(Floats values, float* to) const {
    const auto channels = static_cast<std::size_t>(network.network_.input.channels);
    for (std::size_t k = 0; k < values.size(); ++k) {
      to[k] = encoding(0)(static_cast<float>(network.network_.preprocess(values[k], k % channels)));
    }
  }
};

NetworkExecution::NetworkExecution(const Network& network, const ExecutionGraph& graph,
                                   std::vector<MatrixStep> matrices)
    : network_(network),
      graph_(graph),
      matrices_(std::move(matrices)),
      encodings_(graph.tensors.size()),
      encoded_(graph.tensors.size(), false) {
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    if (!encodable(static_cast<int>(t))) continue;
    const int consumer = graph.tensors[t].consumers.front();
    const int matrix = graph.steps[static_cast<std::size_t>(consumer)].matrix;
    encodings_[t] = matrices_[static_cast<std::size_t>(matrix)].dac;
    encoded_[t] = true;
  }
  by_turns_.resize(graph.steps.size());
  for (std::size_t k = graph.steps.size(); k-- > 0;) by_turns_[k] = hands_rows_on(k) ? by_turns_[k + 1] : k;
  pixel_table_ = make_pixel_table(network, encodings_[0]);
  for (const MatrixLayer& layer : matrix_layers(network)) {
    outputs_of_image_.push_back(static_cast<std::size_t>(layer.mvms_per_image) * static_cast<std::size_t>(layer.cols));
  }
}

/// Null where a step is none.
const Recurrent* NetworkExecution::recurrent_of(const ExecutionStep& step) const {
  return std::get_if<Recurrent>(&network_.layers[static_cast<std::size_t>(step.layer)].operation);
}

bool NetworkExecution::inputs_encoded(int matrix) const {
  const auto step = std::ranges::find(graph_.steps, matrix, &ExecutionStep::matrix);
  return encoded_[static_cast<std::size_t>(step->inputs.front())];
}

/// Whether all that read the tensor do so through equal DACs.
bool NetworkExecution::encodable(int tensor) const {
  const ActivationTensor& t = graph_.tensors[static_cast<std::size_t>(tensor)];
  if (tensor == graph_.logits || t.consumers.empty()) return false;
  const Converter<float>* first = nullptr;
  for (const int consumer : t.consumers) {
    const ExecutionStep& reader = graph_.steps[static_cast<std::size_t>(consumer)];
    const int matrix = reader.matrix;
    if (matrix < 0 || recurrent_of(reader) != nullptr) return false;
    const MatrixStep& step = matrices_[static_cast<std::size_t>(matrix)];
    if (!step.analog || step.per_window || (first != nullptr && !same(*first, step.dac))) return false;
    first = &step.dac;
  }
  return true;
}

/// Whether the next step may read a step's rows before all of them are there: where both compute bands from inputs as
/// they are.
bool NetworkExecution::hands_rows_on(std::size_t index) const {
  const ExecutionStep& step = graph_.steps[index];
  if (static_cast<std::size_t>(step.chain_end) == index) return false;
  const MatrixStep& layer = matrices_[static_cast<std::size_t>(step.matrix)];
  const MatrixStep& next = matrices_[static_cast<std::size_t>(graph_.steps[index + 1].matrix)];
  const auto by_bands = [](const MatrixStep& s) {
    return s.plain() && s.matrix->bands.size() > 1 && s.matrix->blocks.front().planes.front().powers.empty();
  };
  const bool driven = !next.analog || (encoded_[static_cast<std::size_t>(step.output)] && !next.framed());
  return by_bands(layer) && by_bands(next) && driven && next.matrix->noise != NoisePath::lumped;
}

/// Whether a matrix step leaves its currents as they are for the max pooling that follows: converter, scale, bias and
/// clamp never decrease, so the largest of a window's results is the result of its largest, to the bit, and only a
/// quarter of the values need them.
bool NetworkExecution::finished_by_pool(const ExecutionStep& step, const Observer& observer) const {
  const ActivationTensor& output = graph_.tensors[static_cast<std::size_t>(step.output)];
  if (step.matrix < 0 || recurrent_of(step) != nullptr || observer.outputs) return false;
  if (output.consumers.size() != 1 || step.output == graph_.logits) return false;
  const ExecutionStep& next = graph_.steps[static_cast<std::size_t>(output.consumers.front())];
  const Layer& layer = network_.layers[static_cast<std::size_t>(next.layer)];
  if (!std::holds_alternative<MaxPool2d>(layer.operation) || next.input.channels != output.shape.channels) return false;
  const MatrixStep& matrix = matrices_[static_cast<std::size_t>(step.matrix)];
  return matrix.matrix->blocks.size() == 1 && matrix.plain() && matrix.scale() > 0;
}

const float* NetworkExecution::run(const Dataset& data, const MicroBatch& batch, Lane& lane, int role,
                                   const Observer& observer) const {
  Run run{*this, data, batch, lane, role, observer};
  run.load_images();
  for (std::size_t k = 0; k < graph_.steps.size(); ++k) {
    const ExecutionStep& step = graph_.steps[k];
    if (by_turns_[k] > k && !observer.looks_inside()) {
      run_by_turns(run, k, by_turns_[k]);
      k = by_turns_[k];
    } else if (step.matrix >= 0) {
      run_matrix(run, step);
    } else {
      run_digital(run, step);
    }
  }
  return run.tensor(graph_.logits);
}

DrivenInputs NetworkExecution::driven_inputs(Run& run, const ExecutionStep& step) const {
  const MatrixStep& layer = matrices_[static_cast<std::size_t>(step.matrix)];
  const PreparedMatrix& matrix = *layer.matrix;
  const auto images = static_cast<std::size_t>(run.batch.size);
  const int source = step.inputs.front();
  DrivenInputs driven{run.tensor(source), nullptr, 0};
  if (layer.analog) {
    driven.values = drive(layer, driven.values, step.input, encoded_[static_cast<std::size_t>(source)], run.lane);
  }
  if (matrix.noise == NoisePath::lumped) {
    driven.squares = squared_inputs(layer, driven.values, images * matrix.inputs_per_image(), run.lane);
  }
  return driven;
}

void NetworkExecution::run_by_turns(Run& run, std::size_t first, std::size_t last) const {
  const DrivenInputs driven = driven_inputs(run, graph_.steps[first]);
  std::vector<RowRelay::Runner> runners;
  for (std::size_t k = first; k <= last; ++k) {
    const ExecutionStep& step = graph_.steps[k];
    const PreparedMatrix& matrix = *matrices_[static_cast<std::size_t>(step.matrix)].matrix;
    const Shape& shape = run.shape(step.output);
    runners.push_back({matrix.bands, run.tensor(step.output), shape.size() / static_cast<std::size_t>(shape.height)});
  }
  const auto compute = [&](std::size_t k, const RowBand& band, const float* inputs, int first_row, float* output) {
    DrivenInputs rows = driven;
    if (k > 0) rows = {inputs}, rows.first_row = first_row;
    run_bands(run, graph_.steps[first + k], rows, {&band, 1}, output);
  };
  RowRelay(std::move(runners), compute).run();
}

/// Band by band, where nobody looks at what is inside.
void NetworkExecution::run_plain(Run& run, const ExecutionStep& step) const {
  const PreparedMatrix& matrix = *matrices_[static_cast<std::size_t>(step.matrix)].matrix;
  const auto images = static_cast<std::size_t>(run.batch.size);
  const DrivenInputs driven = driven_inputs(run, step);
  const std::span<const RowBand> bands = matrix.bands;
  const bool nonlinear = !matrix.blocks.front().planes.front().powers.empty();
  if (run.observer.currents || run.observer.outputs || nonlinear) {
    return run_bands(run, step, driven, bands, run.tensor(step.output));
  }
  float* output = run.tensor(step.output);
  for (std::size_t k = 0; k < bands.size(); ++k) {
    const auto band = bands.subspan(k, 1);
    run_bands(run, step, driven, band, output);
    output += images * static_cast<std::size_t>(matrix.windows(band) * matrix.cols());
  }
}

/// Row blocks' partial sums in one pass each, the last one's with what follows.
void NetworkExecution::run_bands(Run& run, const ExecutionStep& step, const DrivenInputs& driven,
                                 std::span<const RowBand> bands, float* output) const {
  const MatrixStep& layer = matrices_[static_cast<std::size_t>(step.matrix)];
  const PreparedMatrix& matrix = *layer.matrix;
  const std::size_t windows =
      static_cast<std::size_t>(run.batch.size) * static_cast<std::size_t>(matrix.windows(bands));
  const std::size_t outputs = windows * static_cast<std::size_t>(matrix.cols());
  const bool by_pool = finished_by_pool(step, run.observer);
  // A product writes a line of its result several times over: of a large image it does that in a buffer that stays in
  // the cache.
  const bool in_place = by_pool || matrix.bands.size() == 1;
  float* const currents = in_place ? output : run.lane.scratch(Lane::currents, outputs);
  const int blocks = static_cast<int>(matrix.blocks.size());
  float* const partial = blocks > 1 ? run.lane.scratch(Lane::partial_sums, outputs) : nullptr;
  for (int block = 0; block < blocks; ++block) {
    direct_currents(matrix, bands, block, 0, driven, run.batch, run.lane, currents);
    if (run.observer.currents)
      run.observer.currents(step.matrix, {block, 0, 0, 0, run.batch.size, currents, matrix.plan.idle_with(block)});
    if (block + 1 < blocks) accumulate(layer.adc(block, 0).converter, currents, partial, outputs, block == 0);
  }
  if (by_pool) return;
  const Converter<float>& adc = layer.adcs.back().converter;
  const auto scale = static_cast<float>(layer.scale());
  if (!run.observer.outputs) {
    finish({adc, scale, layer.bias_tile, step.clamp, run.encoding(step.output)}, currents, partial, output, windows,
           matrix.cols());
    return;
  }
  finish({adc, scale, layer.bias_tile, no_clamp, {}}, currents, partial, output, windows, matrix.cols());
  run.observer.outputs(step.matrix, output);
  finish({{}, 1, zeros_, step.clamp, run.encoding(step.output)}, output, nullptr, output, windows, matrix.cols());
}

void NetworkExecution::run_matrix(Run& run, const ExecutionStep& step) const {
  if (const Recurrent* const recurrent = recurrent_of(step)) return run_steps(run, step, *recurrent);
  const MatrixStep& layer = matrices_[static_cast<std::size_t>(step.matrix)];
  const int source = step.inputs.front();
  if (run.observer.inputs) run.observer.inputs(step.matrix, run.tensor(source));
  if (layer.plain()) return run_plain(run, step);
  ConversionObserver observe;
  if (run.observer.currents) {
    observe = [&](const ConversionView& view) { run.observer.currents(step.matrix, view); };
  }
  float* const output = run.tensor(step.output);
  run_chain(layer, run.tensor(source), step.input, encoded_[static_cast<std::size_t>(source)], run.batch, run.lane,
            observe, run.observer.halvings, output);
  if (run.observer.outputs) run.observer.outputs(step.matrix, output);
  const std::size_t windows =
      static_cast<std::size_t>(run.batch.size) * static_cast<std::size_t>(layer.outputs().windows());
  finish({{}, 1, zeros_, step.clamp, run.encoding(step.output)}, output, nullptr, output, windows,
         layer.outputs().out_channels);
}

void NetworkExecution::run_steps(Run& run, const ExecutionStep& step, const Recurrent& recurrent) const {
  const int matrix = step.matrix;
  RecurrentObserver observe;
  if (run.observer.inputs) observe.inputs = [&](const float* inputs) { run.observer.inputs(matrix, inputs); };
  if (run.observer.currents) {
    observe.currents = [&](const ConversionView& view) { run.observer.currents(matrix, view); };
  }
  if (run.observer.outputs) observe.outputs = [&](const float* outputs) { run.observer.outputs(matrix, outputs); };
  float* const output = run.tensor(step.output);
  const ImagesOf images{run.tensor(step.inputs.front()), step.input.size()};
  run_recurrent(recurrent, matrices_[static_cast<std::size_t>(matrix)], images, run.batch, run.lane, observe,
                run.observer.halvings, output);
  if (step.clamp == no_clamp && !encoded_[static_cast<std::size_t>(step.output)]) return;
  const std::size_t count = static_cast<std::size_t>(run.batch.size) * run.shape(step.output).size();
  finish({{}, 1, zeros_, step.clamp, run.encoding(step.output)}, output, nullptr, output, count, 1);
}

void NetworkExecution::run_digital(Run& run, const ExecutionStep& step) const {
  const Layer& layer = network_.layers[static_cast<std::size_t>(step.layer)];
  const float* const from = run.tensor(step.inputs.front());
  float* const to = run.tensor(step.output);
  const Shape &in = step.input, &out = run.shape(step.output);
  const int images = run.batch.size;
  const std::size_t count = static_cast<std::size_t>(images) * out.size();
  std::vector<ImagesOf> inputs;
  for (const int input : step.inputs) inputs.push_back({run.tensor(input), run.shape(input).size()});
  std::visit(
      [&](const auto& operation) {
        using Kind = std::decay_t<decltype(operation)>;
        if constexpr (std::is_same_v<Kind, MaxPool2d>) {
          max_pool(from, to, images, in, out, operation);
        } else if constexpr (std::is_same_v<Kind, AvgPool2d>) {
          average_pool(from, to, images, in, out, operation);
        } else if constexpr (std::is_same_v<Kind, GlobalAvgPool>) {
          global_average_pool(from, to, images, in);
        } else if constexpr (std::is_same_v<Kind, Flatten>) {
          flatten(from, to, images, in);
        } else if constexpr (std::is_same_v<Kind, Add>) {
          add(from, inputs[1].values, to, count);
        } else if constexpr (std::is_same_v<Kind, Softmax>) {
          softmax(from, to, count / static_cast<std::size_t>(in.channels), in.channels);
        } else if constexpr (std::is_same_v<Kind, ChannelAffine>) {
          channel_affine(from, to, count / static_cast<std::size_t>(in.channels), operation);
        } else if constexpr (std::is_same_v<Kind, Rearrange>) {
          rearrange(operation, inputs, to, images);
        } else if constexpr (std::is_same_v<Kind, TensorOperation>) {
          run_tensor_operation(operation, inputs, to, images);
        } else if constexpr (std::is_same_v<Kind, Clamp>) {
          finish({{}, 1, zeros_, operation, {}}, from, nullptr, to, count, 1);
        }
      },
      layer.operation);
  const int producer = graph_.tensors[static_cast<std::size_t>(step.inputs.front())].producer;
  if (producer >= 0 && finished_by_pool(graph_.steps[static_cast<std::size_t>(producer)], run.observer)) {
    const ExecutionStep& before = graph_.steps[static_cast<std::size_t>(producer)];
    const MatrixStep& matrix = matrices_[static_cast<std::size_t>(before.matrix)];
    const Epilogue epilogue{matrix.adcs.back().converter, static_cast<float>(matrix.scale()), matrix.bias_tile,
                            both(before.clamp, step.clamp), run.encoding(step.output)};
    finish(epilogue, to, nullptr, to, count / static_cast<std::size_t>(out.channels), out.channels);
    return;
  }
  if (step.clamp != no_clamp || encoded_[static_cast<std::size_t>(step.output)]) {
    finish({{}, 1, zeros_, step.clamp, run.encoding(step.output)}, to, nullptr, to, count, 1);
  }
}

}  // namespace crossgrid
