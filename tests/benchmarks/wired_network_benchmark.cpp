#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/network.hpp"

/// Inference of the digits CNN on arrays with wires beside the same without, in one run: transfer matrices, which are
/// products like any, and what is solved anew for every MVM. One thread; all chips are programmed before.
namespace crossgrid::benchmarks {
namespace {

struct Case {
  const char* name;
  LayerHardware hardware;
  std::uint32_t images;
  double seconds = 1e300;  ///< per image, best round
};

LayerHardware plain_chain() {
  LayerHardware chip;
  chip.core.weight_bits = 8;
  chip.device.on_off_ratio = 100;
  chip.device.programming_error = {ErrorModel::normal_proportional, 0.03};
  chip.dac.model = ConverterModel::sign_magnitude, chip.dac.bits = 8;
  chip.adc.model = ConverterModel::quantizer, chip.adc.bits = 8;
  return chip;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const char* name, std::uint32_t images, auto change) {
    all.push_back({name, plain_chain(), images});
    change(all.back().hardware);
  };
  const auto wires = [](LayerHardware& h) { h.array.wires.r_row = h.array.wires.r_col = 2; };
  const auto gates = [=](LayerHardware& h) {
    wires(h);
    h.array.wires.source = WireSource::separate;
    h.dac.bits = 5, h.dac.slice_bits = 1;
  };
  const auto noise = [=](LayerHardware& h) {
    wires(h);
    h.device.read_noise = {ErrorModel::normal_proportional, 0.03};
  };
  add("without wires", 512, [](LayerHardware&) {});
  add("with wires", 512, wires);
  add("gated, 4 magnitude bits", 32, gates);
  add("gated by pulses of 4 bits", 32, [=](LayerHardware& h) {
    gates(h);
    h.dac.model = ConverterModel::pulse_width, h.dac.slice_bits.reset();
  });
  add("read noise per cell, no wires", 32, [](LayerHardware& h) {
    h.device.read_noise = {ErrorModel::normal_proportional, 0.03};
    h.device.read_noise_sampling = NoiseSampling::per_cell;
  });
  add("read noise to first order", 16, noise);
  add("read noise, exactly", 8, [=](LayerHardware& h) {
    noise(h);
    h.array.wires.read_noise = WireNoise::exact;
  });
  add("nonlinear cells (cubic, 0.5 V)", 4, [=](LayerHardware& h) {
    wires(h);
    h.device.iv = IvModel::cubic, h.device.read_voltage = 0.5;
  });
  return all;
}

void run() {
  const std::string source = CROSSGRID_BENCHMARK_SOURCE_DIR;
  const Network network = read_network(source + "/data/digits-cnn.json");
  const std::shared_ptr<const Dataset> test = open_dataset(source + "/data/digits", "idx", "test");
  CalibrationPlan calibration;
  calibration.data = open_dataset(source + "/data/digits", "idx", "train");
  calibration.count = 64;
  InferenceEngine engine(network, test, calibration, 1);
  std::vector<Case> all = cases();
  const auto infer = [&](const Case& c) {
    const std::vector<LayerHardware> hardware(matrix_layers(network).size(), c.hardware);
    InferenceRequest request;
    request.hardware = hardware;
    request.count = c.images, request.metrics = {"top1"};
    engine.run(request, {});
  };
  for (const Case& c : all) infer(c);
  for (int round = 0; round < 7; ++round) {
    for (Case& c : all) {
      const auto start = std::chrono::steady_clock::now();
      infer(c);
      const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      c.seconds = std::min(c.seconds, taken / c.images);
    }
  }
  fmt::print("digits CNN, 8-bit converters, arrays as large as layers, one thread, best of 7\n");
  fmt::print("{:<34}{:>14}{:>12}\n", "", "us / image", "ratio");
  for (const Case& c : all)
    fmt::print("{:<34}{:>14.1f}{:>12.2f}\n", c.name, c.seconds * 1e6, c.seconds / all[0].seconds);
  fmt::print("limit: with wires / without at most 1.1\n");
}

}  // namespace
}  // namespace crossgrid::benchmarks

int main() {
  crossgrid::benchmarks::run();
  return 0;
}
