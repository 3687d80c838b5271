#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// Reads an ONNX file (opset 7 and later). Weights may be stored outside of it (external data): in files of its folder
/// or below. Error(bad_input) names the file and the node or tensor, what was found and what was expected: truncated or
/// other files, types and nested graphs that are not supported, missing values, cycles, names made twice.
OnnxModel read_onnx_model(const std::string& path);

/// The same of a file's bytes; `path` names it and says where external data are.
OnnxModel parse_onnx_model(std::span<const std::uint8_t> bytes, const std::string& path);

/// A model as a file's bytes, constants inside. Error(storage) names `path` where they are more than a file can have.
std::string onnx_model_bytes(const OnnxModel& model, const std::string& path);

/// Writes a model, constants inside. Error(storage) where it can't be written.
void write_onnx_model(const OnnxModel& model, const std::string& path);

/// Reads a file of one tensor, as ONNX's tests hold their inputs and outputs (TensorProto).
OnnxTensor read_onnx_tensor(const std::string& path);

}  // namespace crossgrid
