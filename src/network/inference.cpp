#include "crossgrid/network/inference.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>

#include "crossgrid/base/error.hpp"
#include "crossgrid/network/calibration.hpp"
#include "crossgrid/network/chip_cache.hpp"
#include "crossgrid/network/image_metrics.hpp"
#include "crossgrid/network/layer_observer.hpp"
#include "crossgrid/network/network_execution.hpp"
#include "crossgrid/network/reference_network.hpp"
#include "crossgrid/network/window_tiles.hpp"
#include "program_in_parallel.hpp"

namespace crossgrid {

namespace {

/// Points whose converters and prepared layers are kept together; layers beyond that live in the chip cache.
constexpr std::size_t points_kept = 16;

/// What makes a network's chips: a point and a trial.
struct PointKey {
  explicit PointKey(const InferenceRequest& request)
      : hardware(request.hardware.begin(), request.hardware.end()), seed(request.seed), trial(request.trial) {}

  bool is_of(const InferenceRequest& request) const {
    return seed == request.seed && trial == request.trial && std::ranges::equal(hardware, request.hardware);
  }

  std::vector<LayerHardware> hardware;
  std::uint64_t seed;
  std::uint32_t trial;
};

struct PreparedPoint {
  PointKey key;
  std::shared_ptr<const NetworkExecution> execution;
};

/// The last point of float64.
struct DoublePoint {
  PointKey key;
  std::shared_ptr<const ReferenceNetwork> network;
};

bool in_double(std::span<const LayerHardware> hardware) {
  return std::ranges::any_of(hardware, [](const LayerHardware& h) { return h.precision == Precision::float64; });
}

std::vector<float> to_float(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

enum Metric : std::size_t { top1, top5, loss, layer_error, adc_clip_rate, input_halvings, metric_count };

std::vector<Metric> metrics_of(const std::vector<std::string>& names) {
  std::vector<Metric> metrics;
  for (const std::string& name : names) {
    const auto& known = metric_names();
    const auto place = std::ranges::find(known, name) - known.begin();
    if (place == static_cast<std::ptrdiff_t>(known.size())) {
      throw Error(ExitCode::bad_input, "unknown metric '" + name + "'");
    }
    metrics.push_back(static_cast<Metric>(place));
  }
  return metrics;
}

/// Per image of a micro-batch: what the network's inside tells.
struct InsideMeasures {
  void begin(std::size_t images) {
    errors.assign(images, 0);
    clipped.assign(images, 0);
    conversions.assign(images, 0);
    halvings.assign(images, 0);
  }

  std::vector<std::vector<float>> reference;  ///< outputs of the floating-point network, by matrix layer
  std::vector<double> errors;                 ///< sum of relative errors over matrix layers
  std::vector<std::uint64_t> clipped, conversions;
  std::vector<std::uint64_t> halvings;  ///< of all layers' inputs
  std::vector<float> logits;            ///< of a micro-batch in double
};

}  // namespace

struct InferenceEngine::Impl {
  Impl(Network n, std::shared_ptr<const Dataset> d, CalibrationPlan plan, int threads)
      : network(std::move(n)),
        data(std::move(d)),
        executor(threads),
        lanes(static_cast<std::size_t>(executor.lanes())),
        inside(lanes.size()),
        graph(make_execution_graph(network)),
        layers(matrix_layers(network)),
        micro_batch(micro_batch_size(network, {})),
        reference(network, graph, reference_steps()),
        calibration(network, reference, std::move(plan), micro_batch, executor, lanes) {}

  ConvolutionShape geometry(std::size_t matrix) const {
    ConvolutionShape shape = layer_geometry(network, layers[matrix].layer);
    shape.images = micro_batch;
    return shape;
  }
  const Layer& layer(std::size_t matrix) const {
    return network.layers[static_cast<std::size_t>(layers[matrix].layer)];
  }

  MatrixStep digital_step(std::size_t matrix) {
    MatrixStep step;
    step.matrix = prepare_digital(geometry(matrix), layer_weights(layer(matrix)), lanes.front());
    step.adcs.resize(1);
    step.bias = layer_bias(layer(matrix));
    step.bias_tile = make_bias_tile(step.bias, layers[matrix].cols);
    return step;
  }
  std::vector<MatrixStep> reference_steps() {
    std::vector<MatrixStep> steps;
    for (std::size_t m = 0; m < layers.size(); ++m) steps.push_back(digital_step(m));
    return steps;
  }

  /// All of a layer but its arrays: what goes on at its ends.
  MatrixStep analog_step(std::size_t matrix, const LayerHardware& hardware, const LayerRanges& ranges) const {
    MatrixStep step = driven_step(geometry(matrix), hardware, ranges.dac);
    if (hardware.core.bias_row_count() == 0) step.bias = step_bias(step, layer_bias(layer(matrix)));
    step.bias_tile = make_bias_tile(step.bias, arrayed_layer(layers[matrix], hardware).cols);
    return step;
  }

  std::shared_ptr<const NetworkExecution> prepare(const InferenceRequest& request) {
    if (request.hardware.size() != layers.size()) {
      throw Error(ExitCode::internal, "inference: hardware of " + std::to_string(request.hardware.size()) +
                                          " layers for a network of " + std::to_string(layers.size()));
    }
    for (const PreparedPoint& point : points) {
      if (point.key.is_of(request)) return point.execution;
    }
    const std::vector<LayerRanges> ranges = calibration.ranges(request.hardware);
    std::vector<MatrixStep> steps;
    for (std::size_t m = 0; m < layers.size(); ++m) {
      const LayerHardware& hardware = request.hardware[m];
      steps.push_back(hardware.analog ? analog_step(m, hardware, ranges[m]) : reference.matrices()[m]);
    }
    const auto prepared = program(request, steps);
    for (std::size_t m = 0; m < layers.size(); ++m) {
      if (prepared[m])
        put_arrays(steps[m], request.hardware[m], ranges[m], prepared[m],
                   {request.seed, request.trial, static_cast<std::uint32_t>(layers[m].layer)});
    }
    if (points.size() == points_kept) points.pop_front();
    points.push_back({PointKey(request), std::make_shared<NetworkExecution>(network, graph, std::move(steps))});
    return points.back().execution;
  }

  /// Arrays of all analog layers: from the cache, else programmed in parallel.
  std::vector<std::shared_ptr<const PreparedMatrix>> program(const InferenceRequest& request,
                                                             const std::vector<MatrixStep>& steps) {
    std::vector<std::shared_ptr<const PreparedMatrix>> prepared(layers.size());
    std::vector<ChipKey> keys;
    for (std::size_t m = 0; m < layers.size(); ++m) {
      const bool blocks = layers[m].groups > 1 || steps[m].tiles.has_value();
      keys.push_back(
          make_chip_key(layers[m].layer, request.hardware[m], steps[m].framed(), blocks, request.seed, request.trial));
      if (request.hardware[m].analog) prepared[m] = chips.find(keys[m]);
    }
    const auto has_wires = [&](std::size_t m) { return request.hardware[m].array.wires.any(); };
    program_in_parallel(executor, layers.size(), has_wires, [&](std::size_t m, int lane, const ParallelLoop& loop) {
      const LayerHardware& hardware = request.hardware[m];
      if (!hardware.analog || prepared[m]) return;
      ProgrammedMatrix matrix =
          program_matrix(matrix_weights(layer(m), hardware), arrayed_hardware(layer(m), hardware), request.seed,
                         request.trial, static_cast<std::uint32_t>(layers[m].layer), loop);
      const ConvolutionShape driven = driven_geometry(steps[m], geometry(m));
      const MatrixPlan plan = plan_matrix(driven, hardware, matrix.noise);
      prepared[m] = prepare_analog(driven, std::move(matrix), plan, lanes[static_cast<std::size_t>(lane)]);
    });
    for (std::size_t m = 0; m < layers.size(); ++m) {
      if (prepared[m]) chips.insert(keys[m], prepared[m]);
    }
    return prepared;
  }

  /// Calls body(batch, lane) for the micro-batches that cover the images.
  void over_images(std::uint64_t first, std::uint32_t count, const std::function<void(const MicroBatch&, int)>& body) {
    if (first + count > data->size()) {
      throw Error(ExitCode::internal, "inference: images " + std::to_string(first) + " to " +
                                          std::to_string(first + count) + " of " + std::to_string(data->size()));
    }
    const auto size = static_cast<std::uint64_t>(micro_batch);
    const std::uint64_t begin = first / size, end = (first + count + size - 1) / size;
    executor.run(end - begin, [&](std::size_t index, int lane) {
      MicroBatch batch;
      batch.first = (begin + index) * size;
      batch.size = micro_batch;
      batch.begin = static_cast<int>(std::max(first, batch.first) - batch.first);
      batch.end = static_cast<int>(std::min(first + count, batch.first + size) - batch.first);
      body(batch, lane);
    });
  }

  /// The reference's outputs of all matrix layers on this micro-batch.
  void run_reference(const MicroBatch& batch, Lane& lane, InsideMeasures& measures) {
    measures.reference.resize(layers.size());
    NetworkExecution::Observer observer;
    observer.outputs = [&](int m, const float* outputs) {
      const auto matrix = static_cast<std::size_t>(m);
      const std::size_t count = reference.outputs_of_image(m);
      measures.reference[matrix].assign(outputs, outputs + count * static_cast<std::size_t>(batch.size));
    };
    reference.run(*data, batch, lane, 1, observer);
  }

  const float* run_measured(const NetworkExecution& execution, const MicroBatch& batch, Lane& lane, bool errors,
                            bool clips, InsideMeasures& measures) {
    measures.begin(static_cast<std::size_t>(batch.size));
    NetworkExecution::Observer observer;
    observer.halvings = measures.halvings.data();
    if (errors) {
      run_reference(batch, lane, measures);
      observer.outputs = [&](int m, const float* outputs) {
        const std::size_t count = execution.outputs_of_image(m);
        const float* const reference_outputs = measures.reference[static_cast<std::size_t>(m)].data();
        for (int image = batch.begin; image < batch.end; ++image) {
          const auto k = static_cast<std::size_t>(image);
          measures.errors[k] += relative_error(outputs + k * count, reference_outputs + k * count, count);
        }
      };
    }
    if (clips) {
      observer.currents = [&](int m, const ConversionView& view) {
        const MatrixStep& step = execution.matrices()[static_cast<std::size_t>(m)];
        const Converter<float>& adc = step.adc(view.block, view.converter).converter;
        if (adc.ideal) return;
        const std::size_t count = step.matrix->currents_per_image();
        for_each_image(view, batch, count, [&](int image, const float* currents) {
          const auto idle = static_cast<std::size_t>(view.idle) * count;  // conversions of no current
          const float zero = 0;
          measures.clipped[static_cast<std::size_t>(image)] +=
              count_clipped(currents, count, adc) + idle * count_clipped(&zero, 1, adc);
          measures.conversions[static_cast<std::size_t>(image)] += count + idle;
        });
      };
    }
    return execution.run(*data, batch, lane, 0, observer);
  }

  std::shared_ptr<const ReferenceNetwork> prepare_in_double(const InferenceRequest& request) {
    if (!double_point || !double_point->key.is_of(request)) {
      const auto made = std::make_shared<ReferenceNetwork>(
          network, request.hardware, calibration.ranges(request.hardware), request.seed, request.trial);
      executor.run(made->matrices(), [&](std::size_t m, int) { made->program(m); });
      double_point = DoublePoint{PointKey(request), made};
    }
    return double_point->network;
  }

  /// The batch's logits; the images not asked for stay as they were.
  const float* run_in_double(const ReferenceNetwork& in_double_network, const MicroBatch& batch, Lane& lane,
                             bool errors, InsideMeasures& measures) {
    measures.begin(static_cast<std::size_t>(batch.size));
    measures.logits.resize(static_cast<std::size_t>(batch.size) * static_cast<std::size_t>(network.classes));
    if (errors) run_reference(batch, lane, measures);
    for (int image = batch.begin; image < batch.end; ++image) {
      const auto k = static_cast<std::size_t>(image);
      const ReferenceNetwork::Image found =
          in_double_network.run(*data, batch.first + static_cast<std::uint64_t>(image));
      std::ranges::copy(to_float(found.logits),
                        measures.logits.begin() + static_cast<std::ptrdiff_t>(k) * network.classes);
      measures.clipped[k] = found.clipped, measures.conversions[k] = found.conversions;
      measures.halvings[k] = found.halvings;
      if (!errors) continue;
      for (std::size_t m = 0; m < layers.size(); ++m) {
        const std::vector<float> outputs = to_float(found.outputs[m]);
        measures.errors[k] +=
            relative_error(outputs.data(), measures.reference[m].data() + k * outputs.size(), outputs.size());
      }
    }
    return measures.logits.data();
  }

  /// Of one image.
  double mvms(std::span<const LayerHardware> hardware) const {
    double sum = 0;
    for (std::size_t m = 0; m < layers.size(); ++m) sum += arrayed_layer(layers[m], hardware[m]).mvms_per_image;
    return sum;
  }

  /// mvms: of an image.
  double metric(Metric which, std::size_t image, const float* logits, int label, double mvms,
                const InsideMeasures& measures) const {
    switch (which) {
      case top1:
        return top_k(logits, network.classes, label, 1);
      case top5:
        return top_k(logits, network.classes, label, 5);
      case loss:
        return cross_entropy(logits, network.classes, label);
      case layer_error:
        return layers.empty() ? 0 : measures.errors[image] / static_cast<double>(layers.size());
      case input_halvings:
        return mvms > 0 ? static_cast<double>(measures.halvings[image]) / mvms : 0;
      default: {
        const auto conversions = static_cast<double>(measures.conversions[image]);
        return conversions > 0 ? static_cast<double>(measures.clipped[image]) / conversions : 0;
      }
    }
  }

  /// each(lane, image, number of the metric, value) for all images and metrics of a request; `heartbeat` (may be empty)
  /// is called between micro-batches.
  template <class Each>
  void over_metrics(const InferenceRequest& request, const Each& each, const std::function<void()>& heartbeat) {
    const std::vector<Metric> metrics = metrics_of(request.metrics);
    const bool errors = std::ranges::find(metrics, layer_error) != metrics.end();
    const bool clips = std::ranges::find(metrics, adc_clip_rate) != metrics.end();
    const double mvms_per_image = mvms(request.hardware);
    const auto in_double_network = in_double(request.hardware) ? prepare_in_double(request) : nullptr;
    const auto execution = in_double_network ? nullptr : prepare(request);
    std::mutex heartbeat_mutex;
    over_images(request.first, request.count, [&](const MicroBatch& batch, int index) {
      const auto lane = static_cast<std::size_t>(index);
      const float* logits = in_double_network
                                ? run_in_double(*in_double_network, batch, lanes[lane], errors, inside[lane])
                                : run_measured(*execution, batch, lanes[lane], errors, clips, inside[lane]);
      for (int k = batch.begin; k < batch.end; ++k) {
        const std::uint64_t image = batch.first + static_cast<std::uint64_t>(k);
        const float* const outputs = logits + static_cast<std::ptrdiff_t>(k) * network.classes;
        for (std::size_t m = 0; m < metrics.size(); ++m) {
          each(lane, image, m,
               metric(metrics[m], static_cast<std::size_t>(k), outputs, data->label(image), mvms_per_image,
                      inside[lane]));
        }
      }
      if (!heartbeat) return;
      const std::lock_guard lock(heartbeat_mutex);
      heartbeat();
    });
  }

  /// A micro-batch of layer_measures(): tallies[matrix][image].
  void tally_layers(const NetworkExecution& execution, const MicroBatch& batch, std::size_t lane, std::uint64_t first,
                    std::vector<std::vector<LayerTally>>& tallies) {
    run_reference(batch, lanes[lane], inside[lane]);
    const auto tally = [&](std::size_t m, int k) -> LayerTally& {
      return tallies[m][batch.first + static_cast<std::uint64_t>(k) - first];
    };
    execution.run(*data, batch, lanes[lane], 0,
                  tally_observer(execution, inside[lane].reference, batch, lanes[lane], tally));
  }

  auto in_float(const NetworkExecution& execution) {
    return [&](const MicroBatch& batch, std::size_t lane) { return execution.run(*data, batch, lanes[lane], 0, {}); };
  }

  /// run(batch, lane): the logits of a micro-batch.
  template <class Run>
  Matrix collect_logits(const Run& run, std::uint64_t first, std::uint32_t count) {
    Matrix logits(count, network.classes);
    over_images(first, count, [&](const MicroBatch& batch, int lane) {
      const float* found = run(batch, static_cast<std::size_t>(lane));
      for (int k = batch.begin; k < batch.end; ++k) {
        std::copy_n(found + static_cast<std::ptrdiff_t>(k) * network.classes, network.classes,
                    logits.row(static_cast<Eigen::Index>(batch.first + static_cast<std::uint64_t>(k) - first)).data());
      }
    });
    return logits;
  }

  Network network;
  std::shared_ptr<const Dataset> data;
  HostExecutor executor;
  std::vector<Lane> lanes;
  std::vector<InsideMeasures> inside;  ///< by lane
  ExecutionGraph graph;
  std::vector<MatrixLayer> layers;
  int micro_batch;
  NetworkExecution reference;
  Calibration calibration;
  ChipCache chips;
  std::deque<PreparedPoint> points;
  std::optional<DoublePoint> double_point;
};

InferenceEngine::InferenceEngine(Network network, std::shared_ptr<const Dataset> data, CalibrationPlan calibration,
                                 int threads)
    : impl_(std::make_unique<Impl>(std::move(network), std::move(data), std::move(calibration), threads)) {}

InferenceEngine::~InferenceEngine() = default;

std::map<std::string, MetricSum> InferenceEngine::run(const InferenceRequest& request,
                                                      const std::function<void()>& heartbeat) {
  const std::size_t metrics = request.metrics.size();
  std::vector<std::vector<MetricSum>> sums(impl_->lanes.size(), std::vector<MetricSum>(metrics));
  impl_->over_metrics(
      request, [&](std::size_t lane, std::uint64_t, std::size_t m, double value) { sums[lane][m].add(value); },
      heartbeat);
  std::map<std::string, MetricSum> result;
  for (std::size_t m = 0; m < metrics; ++m) {
    MetricSum& total = result[request.metrics[m]];
    for (const auto& lane : sums) total += lane[m];
  }
  return result;
}

MatrixD InferenceEngine::image_metrics(const InferenceRequest& request) {
  MatrixD values(request.count, static_cast<Eigen::Index>(request.metrics.size()));
  impl_->over_metrics(request,
                      [&](std::size_t, std::uint64_t image, std::size_t m, double value) {
                        values(static_cast<Eigen::Index>(image - request.first), static_cast<Eigen::Index>(m)) = value;
                      },
                      {});
  return values;
}

std::vector<LayerMeasures> InferenceEngine::layer_measures(const InferenceRequest& request) {
  const auto execution = impl_->prepare(request);
  std::vector<std::vector<LayerTally>> tallies(impl_->layers.size(), std::vector<LayerTally>(request.count));
  impl_->over_images(request.first, request.count, [&](const MicroBatch& batch, int lane) {
    impl_->tally_layers(*execution, batch, static_cast<std::size_t>(lane), request.first, tallies);
  });
  std::vector<LayerMeasures> measures(impl_->layers.size());
  impl_->executor.run(measures.size(), [&](std::size_t m, int) {
    measures[m] = chip_measures(impl_->layers[m], matrix_weights(impl_->layer(m), request.hardware[m]),
                                request.hardware[m], execution->matrices()[m].adcs, request.seed, request.trial);
    add_tallies(measures[m], tallies[m]);
  });
  return measures;
}

std::vector<LayerRanges> InferenceEngine::ranges(std::span<const LayerHardware> hardware) {
  return impl_->calibration.ranges(hardware);
}

Matrix InferenceEngine::logits(const InferenceRequest& request) {
  Impl& impl = *impl_;
  if (in_double(request.hardware)) {
    const auto network = impl.prepare_in_double(request);
    const auto run = [&](const MicroBatch& batch, std::size_t lane) {
      return impl.run_in_double(*network, batch, impl.lanes[lane], false, impl.inside[lane]);
    };
    return impl.collect_logits(run, request.first, request.count);
  }
  const auto execution = impl.prepare(request);
  return impl.collect_logits(impl.in_float(*execution), request.first, request.count);
}

Matrix InferenceEngine::layer_outputs(const InferenceRequest& request, int matrix) {
  const auto execution = impl_->prepare(request);
  const std::size_t size = execution->outputs_of_image(matrix);
  Matrix outputs(request.count, static_cast<Eigen::Index>(size));
  impl_->over_images(request.first, request.count, [&](const MicroBatch& batch, int lane) {
    NetworkExecution::Observer observer;
    observer.outputs = [&](int m, const float* values) {
      if (m != matrix) return;
      for (int k = batch.begin; k < batch.end; ++k) {
        const auto row = batch.first + static_cast<std::uint64_t>(k) - request.first;
        std::copy_n(values + static_cast<std::size_t>(k) * size, size,
                    outputs.row(static_cast<Eigen::Index>(row)).data());
      }
    };
    execution->run(*impl_->data, batch, impl_->lanes[static_cast<std::size_t>(lane)], 0, observer);
  });
  return outputs;
}

Matrix InferenceEngine::reference_logits(std::uint64_t first, std::uint32_t count) {
  return impl_->collect_logits(impl_->in_float(impl_->reference), first, count);
}

}  // namespace crossgrid
