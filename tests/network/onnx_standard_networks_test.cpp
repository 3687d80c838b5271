#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/onnx_export.hpp"
#include "crossgrid/network/onnx_network.hpp"
#include "onnx/standard_tests.hpp"

/// ONNX's own tests as networks: the first input is the image, all others are constants.
namespace crossgrid {
namespace {

using namespace test;  // of standard_tests.hpp
using ::testing::IsEmpty;

/// One image of floats.
class OneImage final : public Dataset {
 public:
  OneImage(const Shape& shape, std::vector<float> values) : shape_(shape), values_(std::move(values)) {}
  std::uint64_t size() const override { return 1; }
  int channels() const override { return shape_.channels; }
  int height() const override { return shape_.height; }
  int width() const override { return shape_.width; }
  int classes() const override { return 1; }
  bool floats() const override { return true; }
  ImageView image(std::uint64_t, ImageBuffer&) const override { return Floats(values_); }
  int label(std::uint64_t) const override { return 0; }
  Id128 content() const override { return {}; }
  std::string description() const override { return "one image"; }

 private:
  Shape shape_;
  std::vector<float> values_;
};

/// The model with all inputs but the first as constants; the first is made of an image that is a vector.
OnnxModel of_one_image(OnnxModel model, const std::vector<OnnxTensor>& inputs, std::size_t output) {
  for (std::size_t k = 1; k < inputs.size(); ++k) model.constants[model.inputs[k].name] = inputs[k];
  const Extents& dims = inputs.front().dims();
  OnnxNode unwrap;
  unwrap.file = model.file, unwrap.opset = 13, unwrap.name = unwrap.op = "Reshape";
  unwrap.inputs = {"the image", "the shape"}, unwrap.outputs = {model.inputs.front().name};
  const auto rank = static_cast<std::int64_t>(dims.size());
  model.constants["the shape"] = OnnxTensor::of_integers(ElementType::int64, {rank}, dims);
  model.nodes.insert(model.nodes.begin(), unwrap);
  model.inputs = {{"the image", inputs.front().type(), Extents{1, inputs.front().size()}}};
  model.outputs = {model.outputs[output]};
  if (model.nodes.back().op == "Softmax") {
    // A last softmax is left out of a network: its inputs are the logits.
    OnnxNode sign = model.nodes.back();
    sign.op = "Neg", sign.inputs = {model.outputs.front().name}, sign.outputs = {"negative"}, sign.attributes.clear();
    model.nodes.push_back(sign);
    model.outputs.front().name = "negative";
  }
  return model;
}

bool has_cells(const OnnxModel& model) {
  return std::ranges::any_of(
      model.nodes, [](const OnnxNode& node) { return node.op == "RNN" || node.op == "GRU" || node.op == "LSTM"; });
}

std::vector<double> logits(Network network, const OnnxTensor& image) {
  network.preprocess.scale = 1;
  const std::vector<double> values = image.as_reals();
  const auto data = std::make_shared<OneImage>(network.input, std::vector<float>(values.begin(), values.end()));
  InferenceEngine engine(std::move(network), data, {}, 1);
  const Matrix found = engine.reference_logits(0, 1);
  return {found.data(), found.data() + found.size()};
}

/// A network's exported file, read again; every operator of it is known to the plain evaluation too.
std::string export_failure(const Network& network, const OnnxTensor& image, const std::vector<double>& expected) {
  const std::string bytes = onnx_model_bytes(onnx_model_of(network), "exported.onnx");
  const OnnxModel model =
      parse_onnx_model({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "exported.onnx");
  const OnnxTensor inputs[] = {OnnxTensor::of_reals(ElementType::float32, {1, image.size()}, image.as_reals())};
  const bool softmax = std::holds_alternative<Softmax>(network.layers.back().operation);
  std::vector<std::vector<double>> all{logits(network_of(model), image)};
  if (!softmax) all.push_back(evaluate(model, inputs).front().as_reals());
  for (const std::vector<double>& found : all) {
    if (found.size() != expected.size()) return fmt::format("exported: makes {} values", found.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (!close(found[k], expected[k])) {
        return fmt::format("exported: value {} is {}, expected {}", k, found[k], expected[k]);
      }
    }
  }
  return "";
}

/// What is wrong with an output of a model as a network; empty: nothing. Error where it is no network.
std::string failure(const OnnxModel& model, const OnnxTensor& image, const OnnxTensor& expected) {
  Extents dims;
  const Network network = network_of(model, &dims);
  if (has_cells(model) && matrix_layers(network).empty()) return "its cells are no matrix layers";
  std::vector<double> reals = logits(network, image);
  if (std::string exported = export_failure(network, image, reals); !exported.empty()) return exported;
  if (model.outputs.front().name == "negative") std::ranges::transform(reals, reals.begin(), std::negate<>());
  return difference(OnnxTensor::of_reals(ElementType::float32, dims, std::move(reals)),
                    expected.cast(ElementType::float32));
}

TEST(OnnxStandardNetworks, AgreeWhereTheyAreNetworks) {
  if (!std::filesystem::exists(test_data() / "node")) {
    const std::string missing = test_data().string() + " is missing: install libonnx-testdata (CROSSGRID_ONNX_TESTS)";
    if (std::getenv("CI") != nullptr) FAIL() << missing;
    GTEST_SKIP() << missing;
  }
  std::vector<std::string> failed;
  std::map<std::string, int> passed, others;
  for (const char* const set : sets) {
    for (const StandardTest& test : standard_tests(test_data(), set)) {
      std::set<std::string> unsupported;
      add_unsupported(test.model.graph(), unsupported);
      if (!unsupported.empty() || exception_of(test.name) != nullptr) continue;
      std::string found;
      try {
        const OnnxModel model = read_model(test);
        const auto folder = test.folder / "test_data_set_0";
        const auto inputs = read_tensors(folder, "input", model.inputs);
        const auto outputs = read_tensors(folder, "output", model.outputs);
        if (inputs.empty() || inputs.front().size() == 0) throw input_error(test.name, "has no image");
        for (std::size_t k = 0; k < outputs.size(); ++k) {
          found += failure(of_one_image(model, inputs, k), inputs.front(), outputs[k]);
        }
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ExitCode::bad_input) << test.name << ": " << error.what();
        ++others[set];
        if (std::getenv("CROSSGRID_VERBOSE")) fmt::print("{}: {}\n", test.name, error.what());
        continue;
      }
      if (found.empty()) {
        ++passed[set];
      } else {
        failed.push_back(test.name);
        fmt::print("{}: {}\n", test.name, found);
      }
    }
    fmt::print("{}: {} passed, {} are no networks of one image\n", set, passed[set], others[set]);
  }
  EXPECT_THAT(failed, IsEmpty());
  EXPECT_GE(passed["node"], 690);
}

}  // namespace
}  // namespace crossgrid
