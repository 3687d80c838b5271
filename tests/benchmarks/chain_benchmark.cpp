#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "../network/network_fixture.hpp"
#include "bare_products.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/backend/thread_team.hpp"
#include "crossgrid/network/inference.hpp"

/// The plain 8-bit chain (balanced one-sided, 8-bit weights, DAC and calibrated ADC of 8 bits, no errors) beside the
/// bare oneDNN primitives of its layers, interleaved in one run; a table of ratios of medians at the end.
namespace crossgrid::benchmarks {
namespace {

constexpr int images_at_once = 64;

/// The layer shapes of CIFAR-10 ResNet-14, one after the other.
Network resnet14_shapes() {
  test::NetworkBuilder b({3, 32, 32}, 1);
  int last = b.relu(b.conv(-1, 16, 3, 1, 1));
  for (int k = 0; k < 4; ++k) last = b.relu(b.conv(last, 16, 3, 1, 1));
  last = b.relu(b.conv(last, 32, 3, 2, 1));
  for (int k = 0; k < 3; ++k) last = b.relu(b.conv(last, 32, 3, 1, 1));
  last = b.relu(b.conv(last, 64, 3, 2, 1));
  for (int k = 0; k < 3; ++k) last = b.relu(b.conv(last, 64, 3, 1, 1));
  b.linear(b.add(Flatten{}, {b.add(GlobalAvgPool{}, {last})}), 10);
  return b.network();
}

LayerHardware plain_chain(int rows_max) {
  LayerHardware hardware;
  hardware.core.weight_bits = 8;
  hardware.array.rows_max = rows_max;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  return hardware;
}

struct Subject {
  std::string name;
  Network network;
  std::uint32_t images;
  std::shared_ptr<test::MemoryDataset> data;
  std::vector<ConvolutionShape> layers;
  std::vector<int> micro_batches;  ///< the bare products' best, by layer
};

Subject make_subject(std::string name, Network network, std::uint32_t images) {
  Subject subject{std::move(name), std::move(network), images, nullptr, {}, {}};
  subject.data = std::make_shared<test::MemoryDataset>(subject.network.input, subject.network.classes, images, 1);
  for (const MatrixLayer& layer : matrix_layers(subject.network)) {
    const ConvolutionShape shape = layer_geometry(subject.network, layer.layer);
    subject.layers.push_back(shape);
    subject.micro_batches.push_back(best_micro_batch(shape));
    fmt::print("{}: {} {} x {} x {} -> {}: {}, best micro-batch {}\n", subject.name, layer.name, shape.height,
               shape.width, shape.in_channels, shape.out_channels,
               BareProduct(shape, subject.micro_batches.back()).implementation(), subject.micro_batches.back());
  }
  return subject;
}

void bare(benchmark::State& state, const Subject& subject, int threads) {
  ThreadTeam team(threads);
  std::vector<std::vector<BareProduct>> lanes(static_cast<std::size_t>(threads));
  team.parallel_for(lanes.size(), [&](std::size_t lane, int) {
    for (std::size_t m = 0; m < subject.layers.size(); ++m) {
      lanes[lane].emplace_back(subject.layers[m], subject.micro_batches[m]);
    }
  });
  for (auto _ : state) {
    team.parallel_for(subject.images / images_at_once, [&](std::size_t, int lane) {
      for (BareProduct& product : lanes[static_cast<std::size_t>(lane)]) {
        for (int k = 0; k < images_at_once / product.images(); ++k) product.run();
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * subject.images);
}

void chain(benchmark::State& state, const Subject& subject, int threads, int rows_max) {
  CalibrationPlan calibration;
  calibration.data = subject.data;
  calibration.count = 64;
  InferenceEngine engine(subject.network, subject.data, calibration, threads);
  const std::vector<LayerHardware> hardware(subject.layers.size(), plain_chain(rows_max));
  InferenceRequest request;
  request.hardware = hardware;
  request.count = subject.images;
  request.metrics = {"top1"};
  engine.run(request, {});
  for (auto _ : state) benchmark::DoNotOptimize(engine.run(request, {}));
  state.SetItemsProcessed(state.iterations() * subject.images);
}

/// Prints as usual and keeps the medians, in milliseconds.
class MedianReporter : public benchmark::ConsoleReporter {
 public:
  struct Times {
    double real = 0, cpu = 0;
  };
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
      medians_[run.run_name.function_name] = {run.GetAdjustedRealTime() * 1e-6, run.GetAdjustedCPUTime() * 1e-6};
    }
  }
  Times median(const std::string& name) const { return medians_.at(name); }

 private:
  std::map<std::string, Times> medians_;
};

void print_table(const MedianReporter& times, const std::vector<Subject>& subjects) {
  fmt::print("\nproducts: {}; medians, ratios of wall time (of CPU time)\n", host_numeric_class().text());
  fmt::print("{:<10}{:>16}{:>17}{:>20}{:>20}\n", "threads", "bare images/s", "chain images/s", "chain / bare",
             "128 rows / bare");
  for (const Subject& s : subjects) {
    const auto at = [&](const char* kind, int threads) {
      return times.median(fmt::format("{}/{}/{}", s.name, kind, threads));
    };
    const auto rate = [&](const char* kind, int threads) { return 1e3 * s.images / at(kind, threads).real; };
    const auto against_bare = [&](const char* kind, int threads) {
      const auto a = at(kind, threads), b = at("bare", threads);
      return fmt::format("{:.3f} ({:.3f})", a.real / b.real, a.cpu / b.cpu);
    };
    const auto speedup = [&](const char* kind) { return at(kind, 1).real / at(kind, 2).real; };
    fmt::print("{}\n", s.name);
    for (const int t : {1, 2}) {
      fmt::print("{:<10}{:>16.0f}{:>17.0f}{:>20}{:>20}\n", t, rate("bare", t), rate("chain", t),
                 against_bare("chain", t), against_bare("chain128", t));
    }
    fmt::print("{:<10}{:>16.2f}{:>17.2f}{:>40.2f}\n", "2 / 1", speedup("bare"), speedup("chain"), speedup("chain128"));
  }
}

int run_all(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=9",
                                           "--benchmark_min_time=0.05", "--benchmark_display_aggregates_only=true"});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  std::vector<Subject> subjects;
  subjects.push_back(
      make_subject("fashion-cnn", read_network(CROSSGRID_BENCHMARK_SOURCE_DIR "/data/fashion-cnn.json"), 4096));
  subjects.push_back(make_subject("resnet14", resnet14_shapes(), 512));
  for (const Subject& s : subjects) {
    for (const int threads : {1, 2}) {
      const auto add = [&](const char* kind, auto body) {
        benchmark::RegisterBenchmark(fmt::format("{}/{}/{}", s.name, kind, threads).c_str(), body)
            ->UseRealTime()
            ->MeasureProcessCPUTime();
      };
      add("bare", [&s, threads](benchmark::State& state) { bare(state, s, threads); });
      add("chain", [&s, threads](benchmark::State& state) { chain(state, s, threads, 1152); });
      add("chain128", [&s, threads](benchmark::State& state) { chain(state, s, threads, 128); });
    }
  }
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  print_table(reporter, subjects);
  return 0;
}

}  // namespace
}  // namespace crossgrid::benchmarks

int main(int argc, char** argv) {
  return crossgrid::benchmarks::run_all(argc, argv);
}
