#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <string>
#include <vector>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/onnx_export.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "export", "NETWORK -o OUT.onnx",
    "Writes a network as Crossgrid runs it as an ONNX file: batch norms folded, constants computed, layers that "
    "nothing\n"
    "needs left out, each under the name that 'layers' of a sweep matches (docs/onnx.md). Inputs are those of the\n"
    "network: pixels after dataset.preprocess.",
    "  crossgrid export resnet20.onnx -o resnet20-folded.onnx\n"
    "  crossgrid export data/digits-cnn.json -o digits-cnn.onnx"};

std::string output_path(const po::variables_map& values, const std::string& network) {
  if (!values.count("output")) throw Error(ExitCode::usage, "export: -o OUT.onnx is missing: where the network goes");
  const std::string path = values["output"].as<std::string>();
  if (!path.ends_with(".onnx")) {
    throw Error(ExitCode::usage, fmt::format("-o {}: expected a name that ends in .onnx", path));
  }
  std::error_code error;
  if (std::filesystem::equivalent(path, network, error)) {
    throw Error(ExitCode::usage, fmt::format("-o {}: is the network itself, expected another file", path));
  }
  return path;
}

/// What a file of the interim format says of pixels, as a sweep says it; empty: nothing.
std::string preprocess_text(const Preprocess& preprocess) {
  std::vector<std::string> parts;
  if (preprocess.scale_given) parts.push_back(fmt::format("\"scale\": {}", preprocess.scale));
  if (!preprocess.mean.empty()) parts.push_back(fmt::format("\"mean\": [{}]", fmt::join(preprocess.mean, ", ")));
  if (!preprocess.std.empty()) parts.push_back(fmt::format("\"std\": [{}]", fmt::join(preprocess.std, ", ")));
  return parts.empty() ? "" : fmt::format("{{{}}}", fmt::join(parts, ", "));
}

}  // namespace

int export_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("network", po::value<std::string>(), "the network: ONNX, or the interim format (required)")(
      "output,o", po::value<std::string>(), "ONNX file to write (required)");
  const auto values = parse_arguments(help, options, "network", arguments);
  if (!values) return 0;
  const std::string from = required_argument(help, *values, "network", "the network's file");
  const std::string path = output_path(*values, from);
  const Network network = read_network(from);
  const OnnxModel model = onnx_model_of(network);
  write_onnx_model(model, path);
  fmt::print("{} layers, {} of them products of matrices; written to {} (opset {})\n", network.layers.size(),
             matrix_layers(network).size(), path, model.opset);
  if (const std::string preprocess = preprocess_text(network.preprocess); !preprocess.empty()) {
    fmt::print("an ONNX file does not say how pixels become inputs; a sweep does: \"preprocess\": {}\n", preprocess);
  }
  return 0;
}

}  // namespace crossgrid
