#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../network/network_fixture.hpp"
#include "bare_products.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/backend/thread_team.hpp"
#include "crossgrid/network/inference.hpp"

/// Whole networks beside the bare oneDNN convolutions and products of their layers, each at its best micro-batch, in
/// interleaved rounds of one run: a table of ratios of medians. Arguments: names of networks (all), --rounds N.
namespace crossgrid::benchmarks {
namespace {

using test::NetworkBuilder;

/// CIFAR-10 ResNets of 6 n + 2 layers (He et al., 2016).
Network cifar_resnet(int n) {
  NetworkBuilder b({3, 32, 32}, 1);
  int last = b.relu(b.conv(-1, 16, 3, 1, 1));
  for (int stage = 0; stage < 3; ++stage) {
    const int channels = 16 << stage;
    for (int block = 0; block < n; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      const int branch = b.conv(b.relu(b.conv(last, channels, 3, stride, 1)), channels, 3, 1, 1);
      const int shortcut = stride == 2 ? b.conv(last, channels, 1, 2, 0) : last;
      last = b.relu(b.add(Add{}, {branch, shortcut}));
    }
  }
  b.linear(b.add(GlobalAvgPool{}, {last}), 10);
  return b.network();
}

int stem(NetworkBuilder& b) {
  return b.add(MaxPool2d{square_window(3, 2, 1)}, {b.relu(b.conv(-1, 64, 7, 2, 3))});
}

Network resnet18() {
  NetworkBuilder b({3, 224, 224}, 1);
  int last = stem(b);
  for (int stage = 0; stage < 4; ++stage) {
    const int channels = 64 << stage;
    for (int block = 0; block < 2; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      const int branch = b.conv(b.relu(b.conv(last, channels, 3, stride, 1)), channels, 3, 1, 1);
      const int shortcut = stride == 2 ? b.conv(last, channels, 1, 2, 0) : last;
      last = b.relu(b.add(Add{}, {branch, shortcut}));
    }
  }
  b.linear(b.add(GlobalAvgPool{}, {last}), 1000);
  return b.network();
}

Network resnet50() {
  NetworkBuilder b({3, 224, 224}, 1);
  int last = stem(b);
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const int channels = 64 << stage;
    for (int block = 0; block < blocks[stage]; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      const int narrow = b.relu(b.conv(b.relu(b.conv(last, channels, 1, 1, 0)), channels, 3, stride, 1));
      const int branch = b.conv(narrow, 4 * channels, 1, 1, 0);
      const int shortcut = block == 0 ? b.conv(last, 4 * channels, 1, stride, 0) : last;
      last = b.relu(b.add(Add{}, {branch, shortcut}));
    }
  }
  b.linear(b.add(GlobalAvgPool{}, {last}), 1000);
  return b.network();
}

/// Sandler et al., 2018, table 2.
Network mobilenet_v2() {
  NetworkBuilder b({3, 224, 224}, 1);
  const auto relu6 = [&](int from) { return b.add(Clamp{0, 6}, {from}); };
  int last = relu6(b.conv(-1, 32, 3, 2, 1)), channels = 32;
  const struct {
    int expansion, channels, blocks, stride;
  } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  for (const auto& stage : stages) {
    for (int block = 0; block < stage.blocks; ++block) {
      const int stride = block == 0 ? stage.stride : 1, wide = stage.expansion * channels;
      const int expanded = stage.expansion == 1 ? last : relu6(b.conv(last, wide, 1, 1, 0));
      const int depthwise = relu6(b.conv(expanded, wide, square_window(3, stride, 1), wide));
      const int branch = b.conv(depthwise, stage.channels, 1, 1, 0);
      last = stride == 1 && channels == stage.channels ? b.add(Add{}, {branch, last}) : branch;
      channels = stage.channels;
    }
  }
  b.linear(b.add(GlobalAvgPool{}, {relu6(b.conv(last, 1280, 1, 1, 0))}), 1000);
  return b.network();
}

/// The plain 8-bit chain: balanced one-sided, 8-bit weights, DAC and calibrated ADC of 8 bits, no errors.
LayerHardware plain_chain() {
  LayerHardware hardware;
  hardware.core.weight_bits = 8;
  hardware.array.rows_max = 1152;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  return hardware;
}

struct Case {
  std::string name;
  std::function<void(LayerHardware&)> change;
  double limit;  ///< of the ratio to the bare products; 0: none
};

std::vector<Case> cases_of(const std::string& network) {
  const double limit = network == "mobilenetv2" ? 1.5 : 1.3;
  std::vector<Case> cases{{"floating point", [](LayerHardware& h) { h.analog = false; }, limit},
                          {"8-bit chain", [](LayerHardware&) {}, limit}};
  if (network == "mobilenetv2") {
    cases.push_back({"8-bit chain, per_group", [](LayerHardware& h) { h.grouped = GroupedMatrix::per_group; }, limit});
  }
  if (network != "resnet14") return cases;
  cases.push_back({"128 rows", [](LayerHardware& h) { h.array.rows_max = 128; }, 0});
  cases.push_back({"wires, 144 rows",
                   [](LayerHardware& h) {
                     h.array.rows_max = 144, h.device.r_min = 1e5;
                     h.array.wires.r_row = h.array.wires.r_col = 1;
                   },
                   1.5});
  cases.push_back({"read noise 2 %, lumped",
                   [](LayerHardware& h) {
                     h.device.read_noise = {ErrorModel::normal_independent, 0.02};
                     h.device.read_noise_sampling = NoiseSampling::lumped;
                   },
                   3.5});
  cases.push_back(
      {"bit-serial, an ADC per bit", [](LayerHardware& h) { h.dac.slice_bits = 1, h.adc.per_input_slice = true; }, 12});
  return cases;
}

struct Subject {
  std::string name;
  Network (*make)();
  int images;  ///< per round, a multiple of every micro-batch
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all{{"resnet14", [] { return cifar_resnet(2); }, 256},
                                        {"resnet56", [] { return cifar_resnet(9); }, 64},
                                        {"resnet18", resnet18, 8},
                                        {"resnet50", resnet50, 8},
                                        {"mobilenetv2", mobilenet_v2, 16}};
  return all;
}

double seconds_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// What is timed beside what: a name, its limit and one round.
struct Contestant {
  std::string name;
  double limit;
  std::function<void()> round;
  std::vector<double> seconds = {};
};

Contestant bare_contestant(const Network& network, int images, int threads) {
  std::vector<ConvolutionShape> shapes;
  std::vector<int> batches;
  for (const MatrixLayer& layer : matrix_layers(network)) {
    shapes.push_back(layer_geometry(network, layer.layer));
    batches.push_back(best_micro_batch(shapes.back(), std::min(64, images / threads)));
  }
  const auto lanes = std::make_shared<std::vector<std::vector<BareProduct>>>(static_cast<std::size_t>(threads));
  const auto team = std::make_shared<ThreadTeam>(threads);
  team->parallel_for(lanes->size(), [&](std::size_t lane, int) {
    for (std::size_t m = 0; m < shapes.size(); ++m) (*lanes)[lane].emplace_back(shapes[m], batches[m]);
  });
  const int share = images / threads;
  return {"bare products", 0, [lanes, team, share] {
            team->parallel_for(lanes->size(), [&](std::size_t lane, int) {
              for (BareProduct& product : (*lanes)[lane]) {
                for (int k = 0; k < share / product.images(); ++k) product.run();
              }
            });
          }};
}

Contestant engine_contestant(const Case& c, const Network& network, const std::shared_ptr<test::MemoryDataset>& data,
                             int images, int threads) {
  CalibrationPlan calibration;
  calibration.data = data;
  calibration.count = std::min<std::uint64_t>(8, data->size());
  const auto engine = std::make_shared<InferenceEngine>(network, data, calibration, threads);
  LayerHardware hardware = plain_chain();
  c.change(hardware);
  const auto layers = std::make_shared<std::vector<LayerHardware>>(matrix_layers(network).size(), hardware);
  const auto round = [engine, layers, images] {
    InferenceRequest request;
    request.hardware = *layers;
    request.count = static_cast<std::uint32_t>(images);
    request.metrics = {"top1"};
    engine->run(request, {});
  };
  return {c.name, c.limit, round};
}

/// Megabytes of this process that lie in memory.
double resident_megabytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long pages = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return static_cast<double>(resident) * 4096 / 1e6;
}

void measure(const Subject& subject, int rounds) {
  const Network network = subject.make();
  const auto data = std::make_shared<test::MemoryDataset>(network.input, network.classes, subject.images, 1);
  for (const int threads : {1, 2}) {
    std::vector<Contestant> all{bare_contestant(network, subject.images, threads)};
    for (const Case& c : cases_of(subject.name)) {
      all.push_back(engine_contestant(c, network, data, subject.images, threads));
    }
    for (Contestant& contestant : all) contestant.round();
    for (int round = 0; round < rounds; ++round) {
      for (Contestant& contestant : all) contestant.seconds.push_back(seconds_of(contestant.round));
    }
    const double bare = median(all.front().seconds);
    for (const Contestant& contestant : all) {
      std::vector<double> ratios;
      for (std::size_t k = 0; k < contestant.seconds.size(); ++k) {
        ratios.push_back(contestant.seconds[k] / all.front().seconds[k]);
      }
      const double seconds = median(contestant.seconds);
      fmt::print("{:<12}{:>8}  {:<28}{:>10.1f}{:>12.2f}{:>14.2f}{:>10}{:>9.0f}\n", subject.name, threads,
                 contestant.name, subject.images / seconds, seconds / bare, median(ratios),
                 contestant.limit > 0 ? fmt::format("{:.1f}", contestant.limit) : "", resident_megabytes());
      std::fflush(stdout);
    }
  }
}

int run_all(int argc, char** argv) {
  int rounds = 5;
  std::vector<std::string> names;
  for (int k = 1; k < argc; ++k) {
    if (std::strcmp(argv[k], "--rounds") == 0 && k + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++k]));
    } else {
      names.emplace_back(argv[k]);
    }
  }
  fmt::print("products: {}; medians of {} interleaved rounds\n", host_numeric_class().text(), rounds);
  fmt::print("{:<12}{:>8}  {:<28}{:>10}{:>12}{:>14}{:>10}{:>9}\n", "network", "threads", "", "images/s", "/ bare",
             "by rounds", "limit", "MB");
  for (const Subject& subject : subjects()) {
    if (names.empty() || std::ranges::find(names, subject.name) != names.end()) measure(subject, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace crossgrid::benchmarks

int main(int argc, char** argv) {
  return crossgrid::benchmarks::run_all(argc, argv);
}
