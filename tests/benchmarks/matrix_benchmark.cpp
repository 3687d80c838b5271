#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <limits>
#include <map>
#include <random>

#include "bare_products.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "crossgrid/network/tensor_operations.hpp"

/// One layer of 1024 x 1024 on 256 vectors, one thread: its chains of conversions beside oneDNN's bare float32 product,
/// interleaved in one run; a table of ratios of medians, with their limits, at the end.
namespace crossgrid::benchmarks {
namespace {

constexpr int size = 1024, vectors = 256;
/// Vectors that go through a layer of this size together (micro_batch_size).
constexpr int at_once = 64;
/// Drawing every cell is slow: fewer vectors, scaled up.
constexpr int vectors_by_cell = 2;

LayerHardware plain_chain() {
  LayerHardware hardware;
  hardware.core.weight_bits = 8;
  hardware.dac = {ConverterModel::quantizer, 8, DacSign::is_unsigned, RangeRule::fixed, {0, 1}, {}};
  hardware.adc.model = ConverterModel::quantizer;
  hardware.adc.range = RangeRule::fixed;
  hardware.adc.fixed_ranges = {{-8, 8}};
  return hardware;
}

LayerHardware sliced() {
  LayerHardware hardware = plain_chain();
  hardware.core.slices = 4;
  hardware.dac.slice_bits = 1;
  hardware.adc.per_input_slice = true;
  return hardware;
}

LayerHardware noisy(NoiseSampling sampling) {
  LayerHardware hardware = plain_chain();
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.02};
  hardware.device.read_noise_sampling = sampling;
  return hardware;
}

std::vector<float> random_values(std::size_t count, float low) {
  std::mt19937 random(count);
  std::uniform_real_distribution<float> uniform(low, 1);
  std::vector<float> values(count);
  for (float& v : values) v = uniform(random);
  return values;
}

/// A layer and what drives it.
class LayerRun {
 public:
  /// floating: products in floating point, even where they are exact in integers.
  explicit LayerRun(const LayerHardware& hardware, int count = vectors, bool floating = false) : count_(count) {
    batch_.size = std::min(at_once, count);
    batch_.end = batch_.size;
    ConvolutionShape geometry;
    geometry.images = batch_.size;
    geometry.in_channels = geometry.out_channels = size;
    const auto values = random_values(std::size_t{size} * size, -1);
    const Matrix weights = Eigen::Map<const Matrix>(values.data(), size, size);
    ProgrammedMatrix cells = program_matrix(weights, hardware, 1, 0, 0);
    const MatrixPlan plan = floating ? plan_matrix_as(MatrixExecution::direct, geometry, hardware, cells.noise)
                                     : plan_matrix(geometry, hardware, cells.noise);
    const LayerRanges ranges{hardware.dac.fixed_range, hardware.adc.fixed_ranges, {}};
    step_ = driven_step(geometry, hardware, ranges.dac);
    put_arrays(step_, hardware, ranges, prepare_analog(geometry, std::move(cells), plan, lane_), {1, 0, 0});
    step_.bias_tile = make_bias_tile({}, size);
    inputs_ = random_values(static_cast<std::size_t>(count) * size, 0);
    outputs_.resize(inputs_.size());
  }

  void run() {
    for (int first = 0; first < count_; first += batch_.size) {
      batch_.first = static_cast<std::uint64_t>(first);
      const std::size_t place = static_cast<std::size_t>(first) * size;
      if (step_.plain()) {
        run_plain(inputs_.data() + place, outputs_.data() + place);
      } else {
        run_chain(step_, inputs_.data() + place, {size, 1, 1}, false, batch_, lane_, {}, nullptr,
                  outputs_.data() + place);
      }
    }
    benchmark::DoNotOptimize(outputs_.data());
  }

 private:
  /// As NetworkExecution runs a plain layer.
  void run_plain(const float* inputs, float* outputs) {
    const auto images = static_cast<std::size_t>(batch_.size);
    DrivenInputs driven{drive(step_, inputs, {size, 1, 1}, false, lane_), nullptr, 0};
    if (step_.matrix->noise == NoisePath::lumped) {
      float* const squares = lane_.scratch(Lane::squares, images * size);
      square(driven.values, squares, images * size);
      driven.squares = squares;
    }
    direct_currents(*step_.matrix, step_.matrix->bands, 0, 0, driven, batch_, lane_, outputs);
    finish({step_.adcs.back().converter, static_cast<float>(step_.scale()), step_.bias_tile, no_clamp, {}}, outputs,
           nullptr, outputs, images, size);
  }

  int count_;
  Lane lane_;
  MatrixStep step_;
  MicroBatch batch_;
  std::vector<float> inputs_, outputs_;
};

/// Prints as usual and keeps the medians, in milliseconds.
class MedianReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
      medians_[run.run_name.function_name] = run.GetAdjustedCPUTime() * 1e-6;
    }
  }
  /// NaN where it was left out.
  double median(const std::string& name) const {
    const auto found = medians_.find(name);
    return found != medians_.end() ? found->second : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  std::map<std::string, double> medians_;
};

void print_table(const MedianReporter& times) {
  fmt::print("\n{} x {}, {} vectors, 1 thread; products: {}; medians of CPU time\n", size, size, vectors,
             host_numeric_class().text());
  fmt::print("{:<44}{:>10}{:>10}{:>16}\n", "", "ms", "ratio", "limit");
  const double bare = times.median("bare"), plain = times.median("plain"), sliced = times.median("sliced");
  const double lumped = times.median("lumped"), cells = times.median("cells") * vectors / vectors_by_cell;
  const auto row = [](const char* text, double milliseconds, double ratio, const char* limit) {
    fmt::print("{:<44}{:>10.2f}{:>10.2f}{:>16}\n", text, milliseconds, ratio, limit);
  };
  fmt::print("{:<44}{:>10.2f}\n", "bare float32 product", bare);
  row("plain 8-bit chain / bare", plain, plain / bare, "at most 1.3");
  row("lumped read noise / plain", lumped, lumped / plain, "at most 2.5");
  row("every cell drawn / lumped", cells, cells / lumped, "at least 20");
  row("4 x 8 slices, float32 / 32 bare", sliced, sliced / bare / 32, "at most 1.5");
  const double integers = times.median("integers");
  row("4 x 8 slices, float32 / int8", integers, sliced / integers, "at least 2");
}

int run_all(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=9",
                                           "--benchmark_min_time=0.05", "--benchmark_display_aggregates_only=true"});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  const auto add = [](const char* name, auto subject) {
    benchmark::RegisterBenchmark(name, [subject](benchmark::State& state) {
      for (auto _ : state) subject->run();
    });
  };
  ConvolutionShape product;
  product.in_channels = product.out_channels = size;
  add("bare", std::make_shared<BareProduct>(product, vectors));
  add("plain", std::make_shared<LayerRun>(plain_chain()));
  add("lumped", std::make_shared<LayerRun>(noisy(NoiseSampling::lumped)));
  add("cells", std::make_shared<LayerRun>(noisy(NoiseSampling::per_cell), vectors_by_cell));
  add("sliced", std::make_shared<LayerRun>(sliced(), vectors, true));
  add("integers", std::make_shared<LayerRun>(sliced()));
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  print_table(reporter);
  return 0;
}

}  // namespace
}  // namespace crossgrid::benchmarks

int main(int argc, char** argv) {
  return crossgrid::benchmarks::run_all(argc, argv);
}
