#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/network/onnx_network.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"

/// onnx_corpus TESTS FOLDER: writes one small valid model per supported operator into FOLDER, each made of one of
/// ONNX's own tests of single nodes (Debian's libonnx-testdata).
namespace crossgrid {
namespace {

namespace fs = std::filesystem;

OnnxNode node_of(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
  OnnxNode node;
  node.op = op, node.name = op + " of " + output;
  node.inputs = std::move(inputs);
  node.outputs = {output};
  return node;
}

/// A test's model. The operators of opsets before 7, the oldest that is read, are the same there.
OnnxModel read_test(const fs::path& test) {
  onnx::ModelProto proto;
  std::ifstream file(test / "model.onnx", std::ios::binary);
  proto.ParseFromIstream(&file);
  for (auto& import : *proto.mutable_opset_import()) {
    import.set_version(std::max<std::int64_t>(import.version(), 7));
  }
  const std::string bytes = proto.SerializeAsString();
  return parse_onnx_model({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, test.string());
}

std::vector<OnnxTensor> inputs_of(const OnnxModel& model, const fs::path& test) {
  std::vector<OnnxTensor> inputs;
  for (std::size_t k = 0; k < model.inputs.size(); ++k) {
    inputs.push_back(read_onnx_tensor((test / "test_data_set_0" / fmt::format("input_{}.pb", k)).string()));
  }
  return inputs;
}

/// The node's first input becomes an image, in the shape and type that it has in the test, all others constants.
OnnxModel of_image(OnnxModel model, std::vector<OnnxTensor> inputs) {
  if (inputs.empty()) throw std::runtime_error("has no input");
  const std::string first = model.inputs.front().name;
  const OnnxTensor& image = inputs.front();
  for (std::size_t k = 1; k < inputs.size(); ++k) model.constants[model.inputs[k].name] = std::move(inputs[k]);
  OnnxNode cast = node_of("Cast", {"image in shape"}, first);
  cast.attributes["to"] = std::int64_t{image.real() ? 1 : 7};
  model.constants["shape"] = OnnxTensor::of_integers(ElementType::int64, {image.rank()}, image.dims());
  model.nodes.insert(model.nodes.begin(), {node_of("Reshape", {"image", "shape"}, "image in shape"), cast});
  model.inputs = {{"image", ElementType::float32, Extents{1, image.size()}}};
  model.outputs.resize(1);
  return model;
}

/// All inputs are constants, beside an image.
OnnxModel of_constants(OnnxModel model, std::vector<OnnxTensor> inputs) {
  for (std::size_t k = 0; k < inputs.size(); ++k) model.constants[model.inputs[k].name] = std::move(inputs[k]);
  model.nodes.push_back(node_of("Relu", {"image"}, "logits"));
  model.inputs = {{"image", ElementType::float32, Extents{1, 3}}};
  model.outputs = {{"logits", ElementType::float32, Extents{1, 3}}};
  return model;
}

/// Operators that Debian's ONNX has no tests of.
OnnxModel plain_model(const std::string& op) {
  OnnxModel model;
  model.opset = 21;
  model.nodes = {node_of(op, {"image"}, "logits")};
  OnnxNode& node = model.nodes.front();
  node.opset = model.opset;
  if (op == "LpPool") node.attributes["kernel_shape"] = std::vector<std::int64_t>{2, 2};
  if (op == "GroupNormalization") {
    node.attributes["num_groups"] = std::int64_t{1};
    for (const char* const numbers : {"scale", "shift"}) {
      node.inputs.emplace_back(numbers);
      model.constants[numbers] = OnnxTensor::of_reals(ElementType::float32, {2}, {1, 2});
    }
  }
  model.inputs = {{"image", ElementType::float32, Extents{1, 2, 3, 3}}};
  model.outputs = {{"logits", ElementType::float32, std::nullopt}};
  return model;
}

bool write_valid(const OnnxModel& model, const std::string& path) {
  network_of(model);
  write_onnx_model(model, path);
  return true;
}

/// Whether the test could be made a valid model.
bool write_seed(const fs::path& test, const std::string& path) {
  for (const auto& way : {of_image, of_constants}) {
    try {
      OnnxModel model = read_test(test);
      std::vector<OnnxTensor> inputs = inputs_of(model, test);
      return write_valid(way(std::move(model), std::move(inputs)), path);
    } catch (const std::exception&) {
      // The next way, or the next test.
    }
  }
  return false;
}

/// Tests of one supported node each, by its operator, the smallest first.
std::map<std::string, std::vector<fs::path>> tests_by_operator(const fs::path& tests) {
  std::vector<std::pair<std::uintmax_t, fs::path>> sized;
  for (const auto& entry : fs::directory_iterator(tests)) {
    std::uintmax_t size = 0;
    for (const auto& file : fs::recursive_directory_iterator(entry))
      size += file.is_regular_file() ? file.file_size() : 0;
    sized.emplace_back(size, entry.path());
  }
  std::ranges::sort(sized);
  std::map<std::string, std::vector<fs::path>> found;
  for (const auto& [size, test] : sized) {
    try {
      const OnnxModel model = read_test(test);
      if (model.nodes.size() == 1) found[model.nodes.front().op].push_back(test);
    } catch (const Error&) {
      // Not supported.
    }
  }
  return found;
}

int write_corpus(const fs::path& tests, const fs::path& folder) {
  fs::create_directories(folder);
  const auto by_operator = tests_by_operator(tests);
  std::vector<std::string> missing;
  for (const auto& entry : onnx_operators()) {
    const std::string file = (folder / (entry.first + ".onnx")).string();
    if (const auto found = by_operator.find(entry.first); found == by_operator.end()) {
      write_valid(plain_model(entry.first), file);
    } else if (std::ranges::none_of(found->second, [&](const fs::path& test) { return write_seed(test, file); })) {
      missing.push_back(entry.first);
    }
  }
  fmt::print("corpus: {} of {} operators\n", onnx_operators().size() - missing.size(), onnx_operators().size());
  if (missing.empty()) return 0;
  fmt::print(stderr, "corpus: no valid model of {}\n", fmt::join(missing, ", "));
  return 1;
}

}  // namespace
}  // namespace crossgrid

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: onnx_corpus TESTS FOLDER\n");
    return 2;
  }
  return crossgrid::write_corpus(argv[1], argv[2]);
}
