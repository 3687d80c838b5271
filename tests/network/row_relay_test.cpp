#include "crossgrid/network/row_relay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "crossgrid/network/network_execution.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

using test::NetworkBuilder;

/// Bands of `rows` windows each of a kernel over an image of this height.
std::vector<RowBand> bands_of(int height, int kernel, int stride, int padding, int rows) {
  ConvolutionShape shape{1, 1, height, 1, 1, 1, {{kernel, stride, 1, padding, padding}, {}}};
  std::vector<RowBand> bands;
  for (int first = 0; first < shape.out_height(); first += rows) {
    RowBand band{first, std::min(rows, shape.out_height() - first), 0, 0, 0};
    band.input_first = std::max(0, shape.window.vertical.first(first));
    band.input_rows = band_geometry(shape, band).height;
    bands.push_back(band);
  }
  return bands;
}

struct Step {
  int kernel, stride, padding, rows;
};

/// Row r of a runner's output holds 1000 * runner + r in both of its values: each band must find the rows that it
/// reads.
TEST(RowRelay, HandsEachBandTheRowsThatItReadsAndEachRowOnce) {
  const std::vector<std::vector<Step>> chains{
      {{3, 1, 1, 2}, {3, 1, 1, 3}},
      {{1, 1, 0, 1}, {3, 2, 1, 1}, {1, 1, 0, 5}},
      {{3, 1, 1, 7}, {1, 2, 0, 2}, {5, 1, 2, 1}},
      {{3, 2, 1, 4}, {3, 1, 0, 50}},
      {{1, 1, 0, 50}, {7, 3, 3, 2}, {3, 1, 1, 2}},
      {{1, 1, 0, 2}, {1, 4, 0, 1}},
  };
  for (const auto& chain : chains) {
    std::vector<std::vector<RowBand>> bands;
    std::vector<std::vector<float>> outputs;
    std::vector<RowRelay::Runner> runners;
    int height = 61;
    for (const Step& step : chain) {
      bands.push_back(bands_of(height, step.kernel, step.stride, step.padding, step.rows));
      height = bands.back().back().first + bands.back().back().rows;
      outputs.emplace_back(2 * static_cast<std::size_t>(height), -1.0F);
    }
    for (std::size_t k = 0; k < chain.size(); ++k) runners.push_back({bands[k], outputs[k].data(), 2});
    std::vector<int> next(chain.size(), 0);
    RowRelay(std::move(runners), [&](std::size_t k, const RowBand& band, const float* inputs, int first_row,
                                     float* output) {
      EXPECT_EQ(band.first, next[k]) << "runner " << k;
      next[k] += band.rows;
      EXPECT_EQ(inputs == nullptr, k == 0);
      for (int row = band.input_first; k > 0 && row < band.input_first + band.input_rows; ++row) {
        ASSERT_EQ(inputs[2 * (row - first_row) + 1], static_cast<float>(1000 * (static_cast<int>(k) - 1) + row));
      }
      for (int row = 0; row < band.rows; ++row) {
        output[2 * row] = output[2 * row + 1] = static_cast<float>(1000 * static_cast<int>(k) + band.first + row);
      }
    }).run();
    EXPECT_EQ(next.back(), height);
    for (int row = 0; row < height; ++row) {
      EXPECT_EQ(outputs.back()[2 * static_cast<std::size_t>(row)],
                static_cast<float>(1000 * (static_cast<int>(chain.size()) - 1) + row));
    }
  }
}

/// An inverted residual and three convolutions in a row, all of several bands.
Network large_images() {
  NetworkBuilder b({3, 60, 52}, 11);
  const int stem = b.add(Clamp{0, 6}, {b.conv(-1, 32, 3, 1, 1)});
  const int wide = b.relu(b.conv(stem, 80, 1, 1, 0));
  const int depthwise = b.relu(b.conv(wide, 80, square_window(3, 1, 1), 80));
  const int block = b.add(Add{}, {b.conv(depthwise, 32, 1, 1, 0), stem});
  const int strided = b.relu(b.conv(b.relu(b.conv(block, 48, 3, 1, 1)), 64, 3, 2, 1));
  const int last = b.add(MaxPool2d{square_window(2, 2, 0)}, {b.relu(b.conv(strided, 96, 1, 2, 0))});
  b.linear(b.add(GlobalAvgPool{}, {last}), 7);
  return b.network();
}

class Turns : public testing::Test {
 protected:
  Network network = large_images();
  ExecutionGraph graph = make_execution_graph(network);
  test::MemoryDataset data{network.input, network.classes, 4, 6};
  Lane lane;

  /// Of layers on ideal arrays behind 8-bit converters, or digital ones.
  NetworkExecution execution(bool analog) {
    std::vector<MatrixStep> steps;
    for (const MatrixLayer& layer : matrix_layers(network)) {
      const Layer& l = network.layers[static_cast<std::size_t>(layer.layer)];
      const ConvolutionShape geometry = layer_geometry(network, layer.layer);
      LayerHardware hardware;
      test::converters(hardware);
      hardware.grouped = GroupedMatrix::per_group;
      hardware.dac.range = hardware.adc.range = RangeRule::fixed;
      hardware.dac.fixed_range = {-1, 4}, hardware.adc.fixed_ranges = {{-3, 3}};
      if (layer.layer > 0) hardware.dac.fixed_range.low = 0;
      MatrixStep step = analog ? driven_step(geometry, hardware, hardware.dac.fixed_range) : MatrixStep{};
      step.bias = layer_bias(l), step.bias_tile = make_bias_tile(step.bias, layer.cols);
      if (analog) {
        ProgrammedMatrix programmed =
            program_matrix(matrix_weights(l, hardware), arrayed_hardware(l, hardware), 1, 0, 0);
        const ConvolutionShape driven = driven_geometry(step, geometry);
        const MatrixPlan plan = plan_matrix(driven, hardware, programmed.noise);
        put_arrays(step, hardware, {}, prepare_analog(driven, std::move(programmed), plan, lane), {1, 0, 0});
      } else {
        step.matrix = prepare_digital(geometry, layer_weights(l), lane), step.adcs.resize(1);
      }
      steps.push_back(std::move(step));
    }
    return {network, graph, std::move(steps)};
  }
  /// observed: layer by layer.
  std::vector<float> logits(const NetworkExecution& execution, std::uint64_t image, bool observed) {
    NetworkExecution::Observer observer;
    if (observed) observer.currents = [](int, const ConversionView&) {};
    const float* const found = execution.run(data, {image, 1, 0, 1}, lane, 0, observer);
    return {found, found + network.classes};
  }
};

TEST_F(Turns, GiveTheBitsOfLayersOneByOne) {
  for (const bool analog : {false, true}) {
    const NetworkExecution by_turns = execution(analog);
    std::set<float> different;
    for (std::uint64_t image = 0; image < data.size(); ++image) {
      const std::vector<float> found = logits(by_turns, image, false);
      EXPECT_EQ(found, logits(by_turns, image, true)) << (analog ? "analog" : "digital");
      different.insert(found.begin(), found.end());
    }
    EXPECT_GT(different.size(), 3 * data.size()) << "logits that are all alike prove nothing";
  }
}

/// What a chain reads must not be overwritten by what it writes.
TEST_F(Turns, KeepATensorToTheEndOfTheChainThatReadsIt) {
  std::size_t chains = 0;
  for (std::size_t k = 0; k < graph.steps.size(); ++k) {
    const auto end = static_cast<std::size_t>(graph.steps[k].chain_end);
    chains += end > k ? 1 : 0;
    const auto slot = [&](int tensor) { return graph.tensors[static_cast<std::size_t>(tensor)].slot; };
    for (std::size_t later = k; later <= end; ++later) {
      EXPECT_NE(slot(graph.steps[later].output), slot(graph.steps[k].inputs.front())) << "steps " << k << ", " << later;
    }
  }
  EXPECT_GE(chains, 4U);
}

}  // namespace
}  // namespace crossgrid
