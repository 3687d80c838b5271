#pragma once

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "data/temporary_folder.hpp"

/// Reads ONNX's own tests (Debian's libonnx-testdata, of opsets up to 17; CROSSGRID_ONNX_TESTS names others), each a
/// folder with a model, inputs and outputs. Those of `real` are left out: their models are not in the package.
namespace crossgrid::test {

inline constexpr const char* sets[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};

inline bool close(double found, double expected) {
  if (std::isnan(found) || std::isnan(expected)) return std::isnan(found) && std::isnan(expected);
  if (std::isinf(found) || std::isinf(expected)) return found == expected;
  return std::abs(found - expected) <= 1e-7 + 1e-3 * std::abs(expected);
}

/// What is wrong with an output, by the tolerance that ONNX's own runner has; empty: nothing.
inline std::string difference(const OnnxTensor& found, const OnnxTensor& expected) {
  if (found.type() != expected.type() || found.dims() != expected.dims()) {
    return fmt::format("is {} of {}, expected {} of {}", extents_text(found.dims()), type_name(found.type()),
                       extents_text(expected.dims()), type_name(expected.type()));
  }
  const auto values = found.as_reals(), wanted = expected.as_reals();
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!close(values[k], wanted[k])) return fmt::format("value {} is {}, expected {}", k, values[k], wanted[k]);
  }
  return "";
}

/// A folder's test.
struct StandardTest {
  std::string name;  ///< "node/test_abs"
  std::filesystem::path folder;
  onnx::ModelProto model;
};

inline std::vector<StandardTest> standard_tests(const std::filesystem::path& root, const std::string& set) {
  std::vector<StandardTest> tests;
  for (const auto& entry : std::filesystem::directory_iterator(root / set)) {
    StandardTest test{set + "/" + entry.path().filename().string(), entry.path(), {}};
    std::ifstream file(entry.path() / "model.onnx", std::ios::binary);
    if (!test.model.ParseFromIstream(&file)) throw std::runtime_error(test.name + " has no model that can be read");
    tests.push_back(std::move(test));
  }
  std::ranges::sort(tests, {}, &StandardTest::name);
  return tests;
}

/// Tests of what is supported that need not pass; one that does is an error. docs/onnx.md has them too.
struct Exception {
  const char* test;
  const char* reason;
};
inline constexpr const char* cut = "cuts bits off, where casts are to the nearest number";
inline constexpr const char* training = "drops values by NumPy's random numbers: training";
inline constexpr const char* slopes = "of opset 6, where slopes are by channel; later they are broadcast";
// From opset 18 on:
inline constexpr const char* wraps = "wraps around, where the operator's text says that it saturates";
inline constexpr const char* beyond = "counts what lies behind the padding, as no pool without dilations does";
inline constexpr const char* refused = "is refused: booleans, 16 bits, blocks, antialias, policies";
inline constexpr Exception exceptions[] = {
    {"node/test_cast_FLOAT_to_BFLOAT16", cut},
    {"node/test_castlike_FLOAT_to_BFLOAT16", cut},
    {"node/test_castlike_FLOAT_to_BFLOAT16_expanded", cut},
    {"node/test_training_dropout", training},
    {"node/test_training_dropout_default", training},
    {"node/test_training_dropout_default_mask", training},
    {"node/test_training_dropout_mask", training},
    {"pytorch-converted/test_PReLU_1d_multiparam", slopes},
    {"pytorch-converted/test_PReLU_2d_multiparam", slopes},
    {"pytorch-converted/test_PReLU_3d_multiparam", slopes},
    {"node/test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True", beyond},
    {"node/test_qlinearmatmul_2D_int8_float16", wraps},
    {"node/test_qlinearmatmul_2D_int8_float32", wraps},
    {"node/test_qlinearmatmul_3D_int8_float16", wraps},
    {"node/test_qlinearmatmul_3D_int8_float32", wraps},
    {"node/test_dequantizelinear_blocked", refused},
    {"node/test_quantizelinear_blocked_asymmetric", refused},
    {"node/test_quantizelinear_blocked_symmetric", refused},
    {"node/test_quantizelinear_int16", refused},
    {"node/test_quantizelinear_uint16", refused},
    {"node/test_reduce_max_bool_inputs", refused},
    {"node/test_reduce_min_bool_inputs", refused},
    {"node/test_resize_downsample_scales_cubic_antialias", refused},
    {"node/test_resize_downsample_scales_linear_antialias", refused},
    {"node/test_resize_downsample_scales_linear_half_pixel_symmetric", refused},
    {"node/test_resize_upsample_scales_linear_half_pixel_symmetric", refused},
    {"node/test_resize_downsample_sizes_cubic_antialias", refused},
    {"node/test_resize_downsample_sizes_linear_antialias", refused},
    {"node/test_resize_downsample_sizes_nearest_not_larger", refused},
    {"node/test_resize_downsample_sizes_nearest_not_smaller", refused},
    {"node/test_resize_upsample_sizes_nearest_not_larger", refused},
    {"node/test_resize_upsample_sizes_nearest_not_smaller", refused},
};

inline const Exception* exception_of(const std::string& test) {
  const auto found = std::ranges::find(exceptions, test, &Exception::test);
  return found == std::end(exceptions) ? nullptr : found;
}

/// Of ONNX's number of an element type.
inline void add_unsupported_type(std::int64_t number, std::set<std::string>& names) {
  if (number == onnx::TensorProto::UNDEFINED || numbered_type(number)) return;
  names.insert(number == onnx::TensorProto::STRING ? "texts" : fmt::format("element type {}", number));
}

/// What a graph uses, its nested graphs too, and what is not supported: operators, and what its values are.
inline void add_unsupported(const onnx::GraphProto& graph, std::set<std::string>& operators) {
  for (const auto* const values : {&graph.input(), &graph.output()}) {
    for (const onnx::ValueInfoProto& value : *values) {
      if (!value.has_type()) continue;
      if (value.type().has_tensor_type()) {
        add_unsupported_type(value.type().tensor_type().elem_type(), operators);
      } else {
        operators.insert("sequences and optional values");
      }
    }
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() == "Cast") {
      for (const onnx::AttributeProto& attribute : node.attribute()) {
        if (attribute.name() == "to") add_unsupported_type(attribute.i(), operators);
      }
    }
    if (!node.domain().empty()) {
      operators.insert(node.domain() + "." + node.op_type());
    } else if (!onnx_operators().contains(node.op_type())) {
      operators.insert(node.op_type());
    }
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) add_unsupported(attribute.g(), operators);
    }
  }
}

/// Models of opsets below 7, the oldest that is read, say that they are of 7: these tests' operators are the same
/// there.
inline OnnxModel read_model(const StandardTest& test) {
  onnx::ModelProto model = test.model;
  for (auto& import : *model.mutable_opset_import()) {
    if (import.domain().empty()) import.set_version(std::max<std::int64_t>(import.version(), 7));
  }
  const crossgrid::testing::TemporaryFolder folder;
  const std::string path = folder.file("model.onnx");
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  return read_onnx_model(path);
}

/// A tensor that a model calls bfloat16 is stored as the bits, for NumPy has no such numbers.
inline OnnxTensor of_declared_type(const OnnxTensor& stored, const std::optional<ElementType>& declared) {
  if (declared != ElementType::bfloat16 || stored.type() != ElementType::uint16) return stored;
  std::vector<double> values;
  for (const std::int64_t bits : stored.as_integers()) {
    values.push_back(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16)));
  }
  return OnnxTensor::of_reals(ElementType::bfloat16, stored.dims(), std::move(values));
}

/// The tensors input_0.pb... or output_0.pb..., which a model declares.
inline std::vector<OnnxTensor> read_tensors(const std::filesystem::path& folder, const std::string& kind,
                                            const std::vector<OnnxValue>& declared) {
  std::vector<OnnxTensor> tensors;
  for (const OnnxValue& value : declared) {
    const std::string file = (folder / fmt::format("{}_{}.pb", kind, tensors.size())).string();
    if (!value.type) throw input_error(file, "is no tensor of numbers");
    tensors.push_back(of_declared_type(read_onnx_tensor(file), value.type));
  }
  return tensors;
}

inline std::filesystem::path test_data() {
  const char* const folder = std::getenv("CROSSGRID_ONNX_TESTS");
  return folder ? folder : "/usr/share/libonnx-testdata/data";
}

}  // namespace crossgrid::test
