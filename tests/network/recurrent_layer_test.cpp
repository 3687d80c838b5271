#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/onnx_network.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "network_fixture.hpp"

/// RNN, GRU and LSTM as matrix layers: beside ONNX's operators in double, and on arrays of many kinds beside the
/// reference in double.
namespace crossgrid {
namespace {

using test::converters;
using test::MemoryDataset;
using test::Values;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Attributes = std::map<std::string, OnnxAttribute>;
using Texts = std::vector<std::string>;

constexpr std::int64_t features = 4, hidden = 3;

/// Numbers in [-1, 1] that follow from `seed` alone.
OnnxTensor random_tensor(const Extents& dims, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<std::size_t>(element_count(dims)));
  for (float& value : values) value = std::uniform_real_distribution<float>(-1, 1)(random);
  return OnnxTensor::of_floats(dims, std::move(values));
}

OnnxNode node_of(const std::string& op, Texts inputs, Texts outputs, Attributes attributes = {}) {
  OnnxNode node;
  node.file = "cells.onnx", node.opset = 14;
  node.op = op, node.name = "/" + outputs.front();
  node.inputs = std::move(inputs), node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  return node;
}

/// A model of one image, which is a vector of `size` values in [-1, 1].
OnnxModel empty_model(std::int64_t size) {
  OnnxModel model;
  model.file = "cells.onnx", model.name = "cells", model.opset = 14;
  model.inputs = {{"image", ElementType::float32, Extents{1, size}}};
  return model;
}
Network network_of_signed(OnnxModel model) {
  Network network = network_of(std::move(model));
  network.preprocess.scale = 2 / 255.0;
  network.preprocess.mean.assign(static_cast<std::size_t>(network.input.channels), 1.0);
  return network;
}

/// One node with all that it can be given.
struct CellCase {
  std::string name, op;
  Attributes attributes;
  std::int64_t steps = 5, batch = 1;
  bool bias = true, state = false, peepholes = false;
  std::int64_t length = 0;  ///< of all sequences; 0: left out

  bool batch_first() const { return attributes.contains("layout"); }
  std::int64_t gates() const { return op == "LSTM" ? 4 : op == "GRU" ? 3 : 1; }
  std::int64_t directions() const {
    const auto found = attributes.find("direction");
    return found != attributes.end() && std::get<std::string>(found->second) == "bidirectional" ? 2 : 1;
  }
  std::size_t outputs() const { return op == "LSTM" ? 3 : 2; }
  Extents input_dims() const {
    return batch_first() ? Extents{batch, steps, features} : Extents{steps, batch, features};
  }
  OnnxNode node() const {
    Attributes all = attributes;
    all["hidden_size"] = hidden;
    const auto optional = [](bool given, const char* text) { return given ? std::string(text) : std::string(); };
    return node_of(op,
                   {"x", "w", "r", optional(bias, "b"), optional(length > 0, "lengths"), optional(state, "h"),
                    optional(state && op == "LSTM", "c"), optional(peepholes, "p")},
                   {"y", "y_h", "y_c"}, all);
  }
  std::map<std::string, OnnxTensor> constants() const {
    const std::int64_t d = directions(), rows = gates() * hidden;
    const Extents states = batch_first() ? Extents{batch, d, hidden} : Extents{d, batch, hidden};
    std::map<std::string, OnnxTensor> all{{"w", random_tensor({d, rows, features}, 1)},
                                          {"r", random_tensor({d, rows, hidden}, 2)}};
    if (bias) all["b"] = random_tensor({d, 2 * rows}, 3);
    if (state) all["h"] = random_tensor(states, 4);
    if (state && op == "LSTM") all["c"] = random_tensor(states, 5);
    if (peepholes) all["p"] = random_tensor({d, 3 * hidden}, 6);
    if (length > 0) {
      all["lengths"] = OnnxTensor::of_integers(ElementType::int32, {batch},
                                               std::vector<std::int64_t>(static_cast<std::size_t>(batch), length));
    }
    return all;
  }
  Network network(std::size_t output) const {
    OnnxModel model = empty_model(steps * batch * features);
    model.constants = constants();
    const Extents dims = input_dims();
    model.constants["dims"] = OnnxTensor::of_integers(ElementType::int64, {3}, dims);
    model.nodes = {node_of("Reshape", {"image", "dims"}, {"x"}), node()};
    model.outputs = {{model.nodes.back().outputs[output], ElementType::float32, std::nullopt}};
    return network_of_signed(std::move(model));
  }
  /// By ONNX's operator in double, of some constants.
  Values expected(const Values& image, std::size_t output, const std::map<std::string, OnnxTensor>& all) const {
    const OnnxTensor x = OnnxTensor::of_reals(ElementType::float64, input_dims(), image);
    const OnnxNode cells = node();
    std::vector<const OnnxTensor*> inputs{&x};
    for (std::size_t k = 1; k < cells.inputs.size(); ++k) {
      inputs.push_back(cells.has_input(k) ? &all.at(cells.inputs[k]) : nullptr);
    }
    return evaluate(cells, inputs)[output].as_reals();
  }
};

const OnnxAttribute both = std::string("bidirectional"), backward = std::string("reverse");
const OnnxAttribute yes = std::int64_t{1};

const std::vector<CellCase>& cell_cases() {
  static const std::vector<CellCase> all{
      {"Rnn", "RNN", {}},
      {"RnnOneStep", "RNN", {}, 1, 1, true, true},
      {"RnnBackwardShort",
       "RNN",
       {{"direction", backward}, {"activations", Texts{"Affine"}}},
       5,
       2,
       true,
       true,
       false,
       3},
      {"RnnBothWays", "RNN", {{"direction", both}, {"activations", Texts{"Softsign", "HardSigmoid"}}}, 5, 1, false},
      {"Lstm", "LSTM", {}},
      {"LstmOneStep", "LSTM", {}, 1},
      {"LstmBackward", "LSTM", {{"direction", backward}}, 4, 1, true, true, true},
      {"LstmBothWays", "LSTM", {{"direction", both}, {"clip", 0.6F}}, 5, 2, true, true, true, 4},
      {"LstmInputForget", "LSTM", {{"input_forget", yes}, {"layout", yes}}, 5, 2, false, true, true},
      {"Gru", "GRU", {}},
      {"GruOneStep", "GRU", {}, 1, 1, true, true},
      {"GruBothWays", "GRU", {{"direction", both}, {"layout", yes}}, 5, 2, true, true, false, 3},
      {"GruResetAfter", "GRU", {{"linear_before_reset", yes}}},
      {"GruResetAfterBothWays", "GRU", {{"linear_before_reset", yes}, {"direction", both}}, 4, 3, true, true},
      {"GruResetAfterBackward", "GRU", {{"linear_before_reset", yes}, {"direction", backward}}, 4, 1, false},
  };
  return all;
}

/// The same constants with the rows of the first two gates (of an RNN, the first two units) exchanged.
std::map<std::string, OnnxTensor> exchanged(const CellCase& c, std::map<std::string, OnnxTensor> all) {
  const std::int64_t rows = c.gates() > 1 ? hidden : 1;
  for (const char* const name : {"w", "r"}) {
    Values values = all.at(name).as_reals();
    const auto count = static_cast<std::ptrdiff_t>(rows * all.at(name).dims().back());
    std::swap_ranges(values.begin(), values.begin() + count, values.begin() + count);
    all[name] = OnnxTensor::of_reals(ElementType::float32, all.at(name).dims(), values);
  }
  return all;
}
/// The same with the largest weight of the inputs 1 % larger.
std::map<std::string, OnnxTensor> off_by_one_percent(std::map<std::string, OnnxTensor> all) {
  Values values = all.at("w").as_reals();
  *std::ranges::max_element(values, {}, [](double value) { return std::abs(value); }) *= 1.01;
  all["w"] = OnnxTensor::of_reals(ElementType::float32, all.at("w").dims(), values);
  return all;
}

class RecurrentCells : public ::testing::TestWithParam<CellCase> {};

constexpr int images = 6;

/// Digitally, on ideal arrays, and in double.
TEST_P(RecurrentCells, AreTheOperatorOnIdealArrays) {
  const CellCase& c = GetParam();
  double exchanged_off = 0, weight_off = 0;
  for (std::size_t output = 0; output < c.outputs(); ++output) {
    const Network network = c.network(output);
    const std::vector<MatrixLayer> layers = matrix_layers(network);
    ASSERT_EQ(layers.size(), static_cast<std::size_t>(c.directions()));
    const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, images, 9);
    InferenceEngine engine(network, data, {}, 1);
    std::vector<LayerHardware> hardware(layers.size());
    InferenceRequest request;
    request.count = images;
    request.hardware = hardware;
    const Matrix arrays = engine.logits(request), digital = engine.reference_logits(0, images);
    for (LayerHardware& layer : hardware) layer.precision = Precision::float64;
    const Matrix in_double = engine.logits(request);
    for (int image = 0; image < images; ++image) {
      const Values x = test::image_values(network, *data, static_cast<std::uint64_t>(image));
      const Values expected = c.expected(x, output, c.constants());
      const Values gates = c.expected(x, output, exchanged(c, c.constants()));
      const Values weight = c.expected(x, output, off_by_one_percent(c.constants()));
      ASSERT_EQ(expected.size(), static_cast<std::size_t>(network.classes));
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const auto at = static_cast<Eigen::Index>(k);
        EXPECT_NEAR(arrays(image, at), expected[k], 1e-6) << "output " << output << ", value " << k;
        EXPECT_NEAR(digital(image, at), expected[k], 1e-6) << "output " << output << ", value " << k;
        EXPECT_NEAR(in_double(image, at), expected[k], 2e-7) << "output " << output << ", value " << k;
        exchanged_off = std::max(exchanged_off, std::abs(static_cast<double>(arrays(image, at)) - gates[k]));
        weight_off = std::max(weight_off, std::abs(static_cast<double>(arrays(image, at)) - weight[k]));
      }
    }
  }
  EXPECT_GT(exchanged_off, 1e-2) << "two gates exchanged";
  EXPECT_GT(weight_off, 1e-4) << "a weight of 1.01 times its value";
}

INSTANTIATE_TEST_SUITE_P(Nodes, RecurrentCells, ::testing::ValuesIn(cell_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(RecurrentLayer, IsOneMatrixForEachDirection) {
  const CellCase both_ways{"", "LSTM", {{"direction", both}}, 7, 2, true, false, false, 5};
  const std::vector<MatrixLayer> lstm = matrix_layers(both_ways.network(0));
  ASSERT_EQ(lstm.size(), 2u);
  EXPECT_EQ(lstm[0].name, "/y.forward");
  EXPECT_EQ(lstm[1].name, "/y.reverse");
  for (const MatrixLayer& layer : lstm) {
    EXPECT_EQ(layer.rows, features + hidden);
    EXPECT_EQ(layer.cols, 4 * hidden);
    EXPECT_EQ(layer.mvms_per_image, 10) << "5 steps of 2 sequences";
    EXPECT_TRUE(layer.bias);
  }
  const MatrixLayer rnn = matrix_layers(CellCase{"", "RNN", {}}.network(1)).front();
  EXPECT_EQ(rnn.name, "/y");
  EXPECT_EQ(rnn.cols, hidden);
  EXPECT_EQ(rnn.mvms_per_image, 5);
  const MatrixLayer after = matrix_layers(CellCase{"", "GRU", {{"linear_before_reset", yes}}}.network(1)).front();
  EXPECT_EQ(after.cols, 4 * hidden);
  EXPECT_EQ(after.mvms_per_image, 5);
  const MatrixLayer before = matrix_layers(CellCase{"", "GRU", {}}.network(1)).front();
  EXPECT_EQ(before.cols, 4 * hidden);
  EXPECT_EQ(before.mvms_per_image, 10) << "two products in each step";
}

/// From ONNX's order of gates (update, reset, new); the blocks are reset, update, new from x, new from h.
TEST(RecurrentLayer, HasTheMatrixOfAGru) {
  const CellCase gru{"", "GRU", {{"linear_before_reset", yes}}};
  const Network network = gru.network(1);
  const auto& layer = std::get<Recurrent>(network.layers.front().operation);
  const auto at = [all = gru.constants()](const char* name, std::int64_t place) {
    return (*all.at(name).floats())[static_cast<std::size_t>(place)];
  };
  constexpr std::int64_t block_of_gate[] = {1, 0};  // update, reset
  for (std::int64_t j = 0; j < hidden; ++j) {
    for (std::int64_t gate = 0; gate < 2; ++gate) {
      const std::int64_t row = block_of_gate[gate] * hidden + j, from = gate * hidden + j;
      for (std::int64_t k = 0; k < features; ++k) EXPECT_EQ(layer.weights(row, k), at("w", from * features + k));
      for (std::int64_t k = 0; k < hidden; ++k) EXPECT_EQ(layer.weights(row, features + k), at("r", from * hidden + k));
      EXPECT_FLOAT_EQ(layer.bias[static_cast<std::size_t>(row)], at("b", from) + at("b", 3 * hidden + from));
    }
    const std::int64_t from = 2 * hidden + j, of_x = 2 * hidden + j, of_h = 3 * hidden + j;
    for (std::int64_t k = 0; k < features; ++k) {
      EXPECT_EQ(layer.weights(of_x, k), at("w", from * features + k));
      EXPECT_EQ(layer.weights(of_h, k), 0);
    }
    for (std::int64_t k = 0; k < hidden; ++k) {
      EXPECT_EQ(layer.weights(of_x, features + k), 0);
      EXPECT_EQ(layer.weights(of_h, features + k), at("r", from * hidden + k));
    }
    EXPECT_EQ(layer.bias[static_cast<std::size_t>(of_x)], at("b", from));
    EXPECT_EQ(layer.bias[static_cast<std::size_t>(of_h)], at("b", 3 * hidden + from));
  }
}

/// What stays digital is what docs/onnx.md says, and gives the operator's values too.
TEST(RecurrentLayer, StaysDigitalWhereItCannotBeOne) {
  const CellCase c{"", "LSTM", {}, 5, 2, true, false, false, 4};
  OnnxModel model = empty_model(std::int64_t{10} * features);
  model.constants = c.constants();
  model.constants["lengths"] = OnnxTensor::of_integers(ElementType::int32, {2}, {4, 2});
  model.constants["dims"] = OnnxTensor::of_integers(ElementType::int64, {3}, {5, 2, features});
  model.nodes = {node_of("Reshape", {"image", "dims"}, {"x"}), c.node()};
  model.outputs = {{"y", ElementType::float32, std::nullopt}};
  const auto constants = model.constants;
  const Network network = network_of_signed(std::move(model));
  EXPECT_THAT(matrix_layers(network), IsEmpty());
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 2, 9);
  const Matrix found = InferenceEngine(network, data, {}, 1).reference_logits(0, 2);
  const Values expected = c.expected(test::image_values(network, *data, 1), 0, constants);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(found(1, static_cast<Eigen::Index>(k)), expected[k], 1e-6);
  }
}

constexpr std::int64_t steps = 4, inputs = 6, units = 5;

/// An LSTM both ways, a GRU of two products a step, an RNN's last state, then classes.
Network deep_network() {
  OnnxModel model = empty_model(steps * inputs);
  const auto list = [](std::vector<std::int64_t> values) {
    const Extents dims{std::ssize(values)};
    return OnnxTensor::of_integers(ElementType::int64, dims, std::move(values));
  };
  model.constants = {{"in", list({steps, 1, inputs})},
                     {"wide", list({steps, 1, 2 * units})},
                     {"narrow", list({steps, 1, units})},
                     {"vector", list({1, units})},
                     {"w1", random_tensor({2, 4 * units, inputs}, 1)},
                     {"r1", random_tensor({2, 4 * units, units}, 2)},
                     {"b1", random_tensor({2, 8 * units}, 3)},
                     {"p1", random_tensor({2, 3 * units}, 4)},
                     {"w2", random_tensor({1, 3 * units, 2 * units}, 5)},
                     {"r2", random_tensor({1, 3 * units, units}, 6)},
                     {"b2", random_tensor({1, 6 * units}, 7)},
                     {"w3", random_tensor({1, units, units}, 8)},
                     {"r3", random_tensor({1, units, units}, 9)},
                     {"w4", random_tensor({4, units}, 10)},
                     {"b4", random_tensor({4}, 11)}};
  const Attributes size{{"hidden_size", units}};
  Attributes both_ways = size;
  both_ways["direction"] = both;
  model.nodes = {node_of("Reshape", {"image", "in"}, {"x1"}),
                 node_of("LSTM", {"x1", "w1", "r1", "b1", "", "", "", "p1"}, {"y1"}, both_ways),
                 node_of("Transpose", {"y1"}, {"t1"}, {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}}),
                 node_of("Reshape", {"t1", "wide"}, {"x2"}),
                 node_of("GRU", {"x2", "w2", "r2", "b2"}, {"y2"}, size),
                 node_of("Reshape", {"y2", "narrow"}, {"x3"}),
                 node_of("RNN", {"x3", "w3", "r3"}, {"", "y3"}, size),
                 node_of("Reshape", {"y3", "vector"}, {"x4"}),
                 node_of("Gemm", {"x4", "w4", "b4"}, {"logits"}, {{"transB", yes}})};
  model.nodes[6].name = "/y3";
  model.outputs = {{"logits", ElementType::float32, std::nullopt}};
  return network_of_signed(std::move(model));
}

struct Case {
  const char* name;
  std::function<void(LayerHardware&)> change;
  float tolerance = 2e-5F;  ///< of the largest logit: more where a code may flip
  bool drawn = false;       ///< chips differ
};

void noise(LayerHardware& h, NoiseSampling sampling) {
  h.device.read_noise = {ErrorModel::normal_independent, 0.02};
  h.device.read_noise_sampling = sampling;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Ideal", [](LayerHardware&) {}},
      {"Converters", converters, 3e-2F},
      {"RowBlocks", [](LayerHardware& h) { converters(h), h.adc.bits = 12, h.array.rows_max = 4; }, 2e-2F},
      {"ActiveRows",
       [](LayerHardware& h) { converters(h), h.adc.bits = 12, h.array.rows_max = 8, h.array.rows_active = 3; }, 2e-2F},
      {"WeightAndInputSlices",
       [](LayerHardware& h) {
         converters(h), h.core.slices = 2;
         h.dac.model = ConverterModel::sign_magnitude, h.dac.slice_bits = 2;
         h.adc.bits = 12;
       },
       2e-2F},
      {"ProgrammingErrors",
       [](LayerHardware& h) {
         h.device.programming_error = {ErrorModel::normal_independent, 0.02};
       },
       2e-5F, true},
      {"OffsetCells", [](LayerHardware& h) { converters(h), h.core.style = CoreStyle::offset, h.adc.bits = 14; },
       2e-2F},
      {"UnitColumns",
       [](LayerHardware& h) {
         converters(h);
         h.core.style = CoreStyle::offset, h.core.unit_column = true, h.adc.bits = 14, h.array.cols_max = 8;
       },
       2e-2F},
      {"RowsOfABias", [](LayerHardware& h) { h.core.bias_in_rows = true, h.core.bias_rows = 2, h.array.rows_max = 7; }},
      {"CellNoise", [](LayerHardware& h) { noise(h, NoiseSampling::per_cell); }, 2e-5F, true},
      {"LumpedNoise", [](LayerHardware& h) { noise(h, NoiseSampling::lumped); }, 2e-5F, true},
      {"LumpedNoiseInParts",
       [](LayerHardware& h) {
         converters(h), h.adc.bits = 14, h.array.rows_max = 5, h.array.cols_max = 3;
         noise(h, NoiseSampling::lumped);
       },
       1e-2F, true},
      {"LumpedNoiseOfBiasRows",
       [](LayerHardware& h) {
         noise(h, NoiseSampling::lumped);
         h.core.bias_in_rows = true;
       },
       2e-5F, true},
      {"InputsScaledPerVector",
       [](LayerHardware& h) {
         converters(h), h.adc.bits = 12;
         // Has a code of 0, which states are at first.
         h.dac.model = ConverterModel::sign_magnitude, h.dac.range = RangeRule::per_vector;
       },
       2e-2F},
      {"HalvedWhereOutputsClip",
       [](LayerHardware& h) {
         converters(h);
         h.adc.range = RangeRule::fixed, h.adc.fixed_ranges = {{-0.7, 0.7}}, h.adc.bits = 12;
         h.adc.bound_management = 3;
       },
       3e-2F},
      {"RampConverters",
       [](LayerHardware& h) {
         converters(h), h.adc.model = ConverterModel::ramp;
         h.adc.errors = {0.04, 0.004, 0.003, 0.1, 0.01, 60};
       },
       3e-2F, true},
      {"StochasticRounding",
       [](LayerHardware& h) { converters(h), h.adc.bits = 6, h.adc.rounding = Rounding::stochastic; }, 6e-2F, true},
      {"Wires", [](LayerHardware& h) { h.array.wires.r_row = h.array.wires.r_col = 20, h.array.rows_max = 7; }},
      {"NoiseInWires",
       [](LayerHardware& h) {
         h.array.wires.r_row = h.array.wires.r_col = 5;
         h.array.wires.read_noise = WireNoise::exact;
         noise(h, NoiseSampling::per_cell);
       },
       5e-5F, true},
  };
  return all;
}

class RecurrentOnArrays : public ::testing::TestWithParam<Case> {
 protected:
  RecurrentOnArrays() {
    hardware.device.on_off_ratio = 50;
    GetParam().change(hardware);
  }
  std::unique_ptr<InferenceEngine> engine(int threads) const {
    return std::make_unique<InferenceEngine>(
        network, data, CalibrationPlan{data, 100, 100, RangeFit::maximum, 99.99, {}, {}}, threads);
  }

  Network network = deep_network();
  std::shared_ptr<MemoryDataset> data = std::make_shared<MemoryDataset>(network.input, network.classes, 200, 9);
  LayerHardware hardware;
};

TEST_P(RecurrentOnArrays, RunAsTheReferenceDoes) {
  const Case& c = GetParam();
  std::vector<LayerHardware> layers(matrix_layers(network).size(), hardware);
  InferenceRequest request;
  request.seed = 5, request.trial = 1, request.first = 61, request.count = 6;  // of two micro-batches
  request.hardware = layers;
  request.metrics = {"adc_clip_rate", "layer_error", "input_halvings"};
  const auto own = engine(2);
  const Matrix fast = own->logits(request);
  const MatrixD fast_metrics = own->image_metrics(request);
  for (LayerHardware& layer : layers) layer.precision = Precision::float64;
  const Matrix slow = own->logits(request);
  const MatrixD slow_metrics = own->image_metrics(request);
  const float largest = slow.cwiseAbs().maxCoeff(), tolerance = c.tolerance * largest;
  EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), tolerance);
  EXPECT_LT((fast_metrics.col(0) - slow_metrics.col(0)).cwiseAbs().maxCoeff(), 6e-3) << "conversions that clip";
  EXPECT_LT((fast_metrics.col(1) - slow_metrics.col(1)).cwiseAbs().maxCoeff(), c.tolerance) << "layers' errors";
  EXPECT_LT((fast_metrics.col(2) - slow_metrics.col(2)).cwiseAbs().maxCoeff(), 6e-2) << "halvings";
  // The twins: other images, and another chip, differ.
  EXPECT_GT((fast - own->reference_logits(67, 6)).cwiseAbs().maxCoeff(), 5 * tolerance);
  if (!c.drawn) return;
  request.trial = 2;
  EXPECT_GT((own->logits(request) - fast).cwiseAbs().maxCoeff(), tolerance);
}

TEST_P(RecurrentOnArrays, DependOnNoBatchAndNoThread) {
  const std::vector<LayerHardware> layers(matrix_layers(network).size(), hardware);
  InferenceRequest request;
  request.seed = 5, request.first = 0, request.count = 140;
  request.hardware = layers;
  const Matrix all = engine(1)->logits(request);
  request.first = 61, request.count = 6;
  EXPECT_EQ(all.middleRows(61, 6), engine(3)->logits(request));
}

INSTANTIATE_TEST_SUITE_P(Hardware, RecurrentOnArrays, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(RecurrentLayer, HasHardwareOfItsOwn) {
  const Network network = deep_network();
  const std::vector<MatrixLayer> names = matrix_layers(network);
  ASSERT_EQ(names.size(), 5u);
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 20, 9);
  InferenceEngine engine(network, data, {}, 1);
  std::vector<LayerHardware> hardware(5);
  for (LayerHardware& layer : hardware) layer.analog = false;
  InferenceRequest request;
  request.count = 20;
  request.hardware = hardware;
  EXPECT_EQ(engine.logits(request), engine.reference_logits(0, 20));
  for (std::size_t m = 0; m < 4; ++m) {
    hardware[m].analog = true;
    hardware[m].device.programming_error = {ErrorModel::normal_independent, 0.05};
    const std::vector<LayerMeasures> measures = engine.layer_measures(request);
    for (std::size_t k = 0; k < m; ++k) EXPECT_EQ(measures[k].mvm_error, 0) << "layer " << k << " with " << m;
    EXPECT_GT(measures[m].mvm_error, 1e-3) << "layer " << m;
    hardware[m] = {};
    hardware[m].analog = false;
  }
}

/// An RNN whose inputs are all the same and that forgets its state: only noise tells its steps apart.
TEST(RecurrentLayer, DrawsNoiseForEveryStep) {
  constexpr std::int64_t many = 200;
  OnnxModel model = empty_model(2);
  model.constants = {{"repeats", OnnxTensor::of_integers(ElementType::int64, {3}, {many, 1, 1})},
                     {"in", OnnxTensor::of_integers(ElementType::int64, {3}, {1, 1, 2})},
                     {"w", OnnxTensor::of_floats({1, 1, 2}, {0.5F, 0.3F})},
                     {"r", OnnxTensor::of_floats({1, 1, 1}, {0})}};
  model.nodes = {
      node_of("Reshape", {"image", "in"}, {"one"}), node_of("Tile", {"one", "repeats"}, {"x"}),
      node_of("RNN", {"x", "w", "r"}, {"y"}, {{"hidden_size", std::int64_t{1}}, {"activations", Texts{"Affine"}}})};
  model.outputs = {{"y", ElementType::float32, std::nullopt}};
  const Network network = network_of_signed(std::move(model));
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 1, 9);
  InferenceEngine engine(network, data, {}, 1);
  std::vector<LayerHardware> hardware(1);
  InferenceRequest request;
  request.count = 1;
  request.hardware = hardware;
  const auto spread = [&] {
    const Matrix found = engine.logits(request);
    return std::sqrt((found.array() - found.mean()).square().mean());
  };
  EXPECT_LT(spread(), 1e-7);
  noise(hardware.front(), NoiseSampling::lumped);
  const Values x = test::image_values(network, *data, 0);
  // Two cells of each weight; conductances in units of the largest weight. The noise of the state's row is that of
  // an input which wanders itself and is small.
  const double expected = 0.02 * 0.5 * std::sqrt(2 * (x[0] * x[0] + x[1] * x[1]));
  // 200 draws: the standard deviation is known to 5 %; alpha is 1e-6.
  EXPECT_NEAR(spread(), expected, 0.05 * 4.9 * expected);
}

/// Ranges are those of all that drives the rows, inputs and states of all steps, and of all products.
TEST(RecurrentLayer, IsCalibratedOnInputsAndStates) {
  CellCase c{"", "RNN", {}};
  c.bias = false;
  OnnxModel model = empty_model(std::int64_t{5} * features);
  model.constants = c.constants();
  // Inputs of 1/100 that weigh as much as before: states are the largest that drives a row.
  Values weights = model.constants["w"].as_reals();
  for (double& weight : weights) weight *= 100;
  model.constants["w"] = OnnxTensor::of_reals(ElementType::float32, {1, hidden, features}, weights);
  const auto constants = model.constants;
  model.constants["dims"] = OnnxTensor::of_integers(ElementType::int64, {3}, {5, 1, features});
  model.nodes = {node_of("Reshape", {"image", "dims"}, {"x"}), c.node()};
  model.outputs = {{"y", ElementType::float32, std::nullopt}};
  Network network = network_of_signed(std::move(model));
  network.preprocess.std.assign(network.preprocess.mean.size(), 100.0);
  const auto data = std::make_shared<MemoryDataset>(network.input, network.classes, 20, 9);
  InferenceEngine engine(network, data, {data, 0, 20, RangeFit::maximum, 99.99, {}, {}}, 1);
  LayerHardware hardware;
  converters(hardware);
  hardware.core.weight_bits.reset(), hardware.dac.bits = 16;  // both in reach of inputs that are small
  const std::vector<LayerRanges> ranges = engine.ranges({&hardware, 1});
  double of_states = 0, of_first_states = 0, of_products = 0, of_first_products = 0;
  for (std::uint64_t image = 0; image < 20; ++image) {
    const Values y = c.expected(test::image_values(network, *data, image), 0, constants);
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double state = std::abs(y[k]), product = std::abs(std::atanh(y[k]));
      of_products = std::max(of_products, product);
      if (k < hidden) of_first_products = std::max(of_first_products, product);
      if (k < hidden) of_first_states = std::max(of_first_states, state);
      if (k + hidden < y.size()) of_states = std::max(of_states, state);  // the last ones drive nothing
    }
  }
  const LayerRanges& found = ranges.front();
  EXPECT_NEAR(found.dac.high, of_states, 0.01 * of_states);
  EXPECT_GT(of_states, 1.02 * of_first_states) << "the twin: what the second step sees is not enough";
  double largest = 0;
  for (const char* const name : {"w", "r"}) {
    for (const double weight : constants.at(name).as_reals()) largest = std::max(largest, std::abs(weight));
  }
  const double current = of_products / (found.dac.high * largest);
  EXPECT_NEAR(found.adc.front().high, current, 0.03 * current);
  EXPECT_GT(of_products, 1.06 * of_first_products) << "the twin: one step is not enough";
}

TEST(RecurrentLayer, IsPlannedAsAnyMatrix) {
  const Network network = deep_network();
  LayerHardware hardware;
  converters(hardware);
  hardware.array.rows_max = 8;
  const std::vector<LayerHardware> layers(5, hardware);
  const std::vector<LayerPlan> plans = plan_layers(network, layers);
  ASSERT_EQ(plans.size(), 5u);
  EXPECT_EQ(plans[0].layer, "/y1.forward");
  EXPECT_EQ(plans[1].layer, "/y1.reverse");
  EXPECT_EQ(plans[2].layer, "/y2");
  EXPECT_EQ(plans[2].rows, 3 * units);
  EXPECT_EQ(plans[2].cols, 4 * units);
  EXPECT_EQ(plans[2].mvms_per_image, 2 * steps);
  EXPECT_EQ(plans[2].row_arrays, 2);
  EXPECT_EQ(plans[2].cells, 3 * units * 4 * units * 2);
  EXPECT_THAT(plans[2].execution, HasSubstr("one step after the other"));
  EXPECT_NEAR(plans[2].megaflops_per_image, 2e-6 * 3 * units * 4 * units * 2 * steps, 1e-9);
  EXPECT_THAT(plans[4].execution, ::testing::Not(HasSubstr("step")));
}

}  // namespace
}  // namespace crossgrid
