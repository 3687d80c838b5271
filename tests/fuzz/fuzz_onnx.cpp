#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/network/onnx_network.hpp"
#include "crossgrid/network/tensor_evaluation.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"

/// Bytes as an ONNX file: they make a sound network or Error(bad_input), nothing else.
namespace crossgrid {
namespace {

void expect(bool fine, const Layer& layer, const char* problem) {
  if (fine) return;
  std::fprintf(stderr, "layer '%s' %s\n", layer.name.c_str(), problem);
  std::abort();
}

/// A layer reads and makes only what is there; the values that its inputs have are `sizes`.
void check_layer(const Layer& layer, const std::vector<std::size_t>& sizes) {
  if (const auto* const copies = std::get_if<Rearrange>(&layer.operation)) {
    std::size_t made = 0;
    for (const Rearrange::Run& run : copies->runs) {
      const bool inside = run.input < 0 || (run.first >= 0 && static_cast<std::size_t>(run.first) + run.count <=
                                                                  sizes.at(static_cast<std::size_t>(run.input)));
      expect(inside && run.count > 0, layer, "copies what is not there");
      made += static_cast<std::size_t>(run.count);
    }
    expect(made == layer.output.size(), layer, "makes another number of copies");
  } else if (const auto* const operation = std::get_if<TensorOperation>(&layer.operation)) {
    for (const TensorOperation::Operand& operand : operation->operands) {
      if (operand.constant || operand.input < 0) continue;
      const std::size_t size = sizes.at(static_cast<std::size_t>(operand.input));
      expect(element_count(operand.dims) == static_cast<std::int64_t>(size), layer, "has an operand of another size");
      for (const std::int64_t source : operand.sources) {
        expect(source >= 0 && source < static_cast<std::int64_t>(size), layer, "takes what is not there");
      }
    }
  } else {
    expect(layer.input_view && layer.input_view->size() == sizes.front(), layer, "sees another number of values");
    for (const std::size_t size : sizes) expect(size == sizes.front(), layer, "has inputs of different sizes");
  }
}

void check_network(const Network& network) {
  expect(network.classes >= 1 && !network.layers.empty(), {}, "makes nothing");
  std::vector<std::size_t> made;
  for (const Layer& layer : network.layers) {
    std::vector<std::size_t> sizes;
    for (const int input : layer.inputs) {
      expect(input < static_cast<int>(made.size()), layer, "comes before its inputs");
      sizes.push_back(input < 0 ? network.input.size() : made[static_cast<std::size_t>(input)]);
    }
    expect(!sizes.empty(), layer, "has no input");
    check_layer(layer, sizes);
    made.push_back(layer.output.size());
    if (const auto* const operation = std::get_if<TensorOperation>(&layer.operation)) {
      std::vector<std::vector<double>> zeros;
      for (const std::size_t size : sizes) zeros.emplace_back(size, 0.0);
      std::vector<const std::vector<double>*> inputs;
      for (const auto& values : zeros) inputs.push_back(&values);
      expect(run_tensor_operation(*operation, inputs).size() == made.back(), layer, "makes another number of values");
    }
  }
  expect(made.back() == static_cast<std::size_t>(network.classes), network.layers.back(), "makes no logits");
}

void read(std::span<const std::uint8_t> bytes) {
  const OnnxModel model = parse_onnx_model(bytes, "/no folder/model.onnx");
  const Network network = network_of(model);
  check_network(network);
  Extents dims = *model.inputs.front().dims;
  dims.front() = 1;
  const OnnxTensor image = OnnxTensor::of_floats(dims, std::vector<float>(network.input.size()));
  evaluate(model, std::span(&image, 1));
}

}  // namespace
}  // namespace crossgrid

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    crossgrid::read({data, size});
  } catch (const crossgrid::Error& error) {
    // Any other exception ends the program: a finding.
    if (error.code() != crossgrid::ExitCode::bad_input) throw;
  }
  return 0;
}
