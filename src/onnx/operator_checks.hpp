#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/onnx/onnx_limits.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"

/// What operators ask of their inputs and outputs. All throw Error(bad_input), which names the node.
namespace crossgrid {

/// The most axes that one output may have.
constexpr std::size_t most_axes = 64;

/// Error where an input is left out.
const OnnxTensor& needed_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k);
/// Null where it is left out.
const OnnxTensor* optional_input(OnnxInputs inputs, std::size_t k);
/// A needed input of a real type; of any integer type.
const OnnxTensor& real_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k);
const OnnxTensor& integer_input(const OnnxNode& node, OnnxInputs inputs, std::size_t k);

/// The integers of an input of one axis or none.
std::vector<std::int64_t> integer_list(const OnnxNode& node, OnnxInputs inputs, std::size_t k);
/// Those of an input, or of the attribute that was there before it; none: left out.
std::optional<std::vector<std::int64_t>> integers_of(const OnnxNode& node, OnnxInputs inputs, std::size_t k,
                                                     const std::string& key);

/// Error where a result would have more than most_axes.
void check_rank(const OnnxNode& node, std::size_t rank);
/// The product of the extents; Error where they are too many, one is negative or the product of those that are not 0 is
/// more than the node's largest_result.
std::int64_t checked_size(const OnnxNode& node, const Extents& dims);
/// Error where `outputs` of `steps` each (both from 0 on) would take hours.
void check_work(const OnnxNode& node, std::int64_t outputs, std::int64_t steps);
/// An axis from -rank to rank - 1, as one from 0 on.
std::size_t checked_axis(const OnnxNode& node, std::int64_t axis, std::size_t rank);
/// Different axes, each such, in the order given.
std::vector<std::size_t> checked_axes(const OnnxNode& node, std::span<const std::int64_t> axes, std::size_t rank);
/// Error where the input's shape is another; `what`: "bias", "sequence_lens".
void check_dims(const OnnxNode& node, const OnnxTensor& input, const Extents& expected, const char* what);

/// The element type that has this number in ONNX (TensorProto.DataType).
ElementType numbered_type(const OnnxNode& node, std::int64_t number);

/// The type of a result of reals of these types: float64 if one is, else the first's.
ElementType common_type(std::initializer_list<const OnnxTensor*> inputs);

}  // namespace crossgrid
