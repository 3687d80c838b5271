#include "crossgrid/onnx/onnx_model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include "crossgrid/base/file.hpp"
#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {
namespace {

constexpr int oldest_opset = 7;
constexpr int newest_opset = 22;  // of ONNX 1.17; what later ones mean by the same names is not known
constexpr int ir_version = 8;     // that of opset 17
constexpr int most_dimensions = 16;
constexpr std::int64_t most_elements = std::int64_t{1} << 33;
constexpr std::size_t largest_file = std::numeric_limits<int>::max();

template <class Message>
bool parse(std::span<const std::uint8_t> bytes, Message& message) {
  google::protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  return message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

double from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double size =
      exponent == 0    ? std::ldexp(fraction, -24)
      : exponent == 31 ? (fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity())
                       : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) ? -size : size;
}

double from_brain(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return static_cast<double>(value);
}

/// Little-endian bytes as `Stored`s.
template <class Stored, class Number>
std::vector<Number> from_bytes(std::span<const std::uint8_t> bytes) {
  std::vector<Number> values(bytes.size() / sizeof(Stored));
  for (std::size_t k = 0; k < values.size(); ++k) {
    Stored value;
    std::memcpy(&value, bytes.data() + k * sizeof(Stored), sizeof value);
    values[k] = static_cast<Number>(value);
  }
  return values;
}

OnnxTensor tensor_of_bytes(ElementType type, Extents dims, std::span<const std::uint8_t> bytes) {
  const auto halves = [&](double (*number)(std::uint16_t)) {
    std::vector<double> values;
    for (const auto bits : from_bytes<std::uint16_t, std::uint16_t>(bytes)) values.push_back(number(bits));
    return OnnxTensor::of_reals(type, dims, std::move(values));
  };
  const auto integers = [&]<class Stored>(Stored) {
    return OnnxTensor::of_integers(type, dims, from_bytes<Stored, std::int64_t>(bytes));
  };
  switch (type) {
    case ElementType::float32:
      return OnnxTensor::of_floats(std::move(dims), from_bytes<float, float>(bytes));
    case ElementType::float64:
      return OnnxTensor::of_reals(type, dims, from_bytes<double, double>(bytes));
    case ElementType::float16:
      return halves(from_half);
    case ElementType::bfloat16:
      return halves(from_brain);
    case ElementType::int8:  // of_integers() wraps them
      return integers(std::uint8_t{});
    case ElementType::int16:
      return integers(std::int16_t{});
    case ElementType::int32:
      return integers(std::int32_t{});
    case ElementType::uint16:
      return integers(std::uint16_t{});
    case ElementType::uint32:
      return integers(std::uint32_t{});
    case ElementType::int64:
    case ElementType::uint64:
      return integers(std::int64_t{});
    default:
      return integers(std::uint8_t{});
  }
}

int bytes_of(ElementType type) {
  switch (type) {
    case ElementType::float64:
    case ElementType::int64:
    case ElementType::uint64:
      return 8;
    case ElementType::float32:
    case ElementType::int32:
    case ElementType::uint32:
      return 4;
    case ElementType::float16:
    case ElementType::bfloat16:
    case ElementType::int16:
    case ElementType::uint16:
      return 2;
    default:
      return 1;
  }
}

/// The bytes of a tensor that is stored in a file of its own (TensorProto.external_data), in the model's folder or
/// below.
struct ExternalData {
  std::string path;
  std::size_t offset = 0;
  std::optional<std::size_t> length;
};

std::size_t parse_size(const std::string& text, const std::string& where) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw input_error(where, fmt::format("its external data has '{}', expected a number of bytes", text));
  }
  return value;
}

ExternalData external_data(const onnx::TensorProto& proto, const std::string& file, const std::string& where) {
  ExternalData data;
  std::string location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") data.offset = parse_size(entry.value(), where);
    if (entry.key() == "length") data.length = parse_size(entry.value(), where);
  }
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  const std::filesystem::path relative(location);
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(folder, error);
  const auto target = std::filesystem::weakly_canonical(folder / relative, error);
  const bool inside = std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
  if (location.empty() || relative.is_absolute() || !inside) {
    throw input_error(where, fmt::format("is stored in '{}', expected a file in the model's folder ({}) or below it",
                                         location, root.string()));
  }
  data.path = target.string();
  return data;
}

OnnxTensor read_tensor(const onnx::TensorProto& proto, const std::string& file, const std::string& where) {
  const auto type = numbered_type(proto.data_type());
  if (!type) {
    throw input_error(
        where,
        fmt::format("holds {}, expected numbers or booleans",
                    onnx::TensorProto::DataType_IsValid(proto.data_type())
                        ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(proto.data_type()))
                        : fmt::format("elements of the unknown type {}", proto.data_type())));
  }
  if (proto.has_segment()) throw input_error(where, "is cut into segments, expected a whole tensor");
  Extents dims(proto.dims().begin(), proto.dims().end());
  if (dims.size() > most_dimensions) {
    throw input_error(where, fmt::format("has {} dimensions, expected at most {}", dims.size(), most_dimensions));
  }
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) {
    const std::int64_t factor = std::max<std::int64_t>(extent, 1);  // so that no product of some extents is too large
    if (extent < 0 || count > most_elements / factor) {
      throw input_error(where, fmt::format("is {}, expected sizes from 0 on and at most {} elements",
                                           extents_text(dims), most_elements));
    }
    count *= factor;
  }
  if (std::ranges::count(dims, 0) > 0) count = 0;
  const auto expect = [&](std::size_t found, std::size_t expected, const char* what) {
    if (found != expected) {
      throw input_error(where, fmt::format("holds {} {}, expected {} ({} of {})", found, what, expected,
                                           extents_text(dims), type_name(*type)));
    }
  };
  const auto bytes = static_cast<std::size_t>(count) * static_cast<std::size_t>(bytes_of(*type));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    const ExternalData data = external_data(proto, file, where);
    const MappedFile mapped(data.path);
    const std::size_t size = mapped.bytes().size();
    const std::size_t length = data.length.value_or(size - std::min(size, data.offset));
    if (data.offset > size || length > size - data.offset) {
      throw input_error(where, fmt::format("is stored at bytes {} to {} of {}, which has {}", data.offset,
                                           data.offset + length, data.path, size));
    }
    expect(length, bytes, "bytes");
    return tensor_of_bytes(*type, dims, mapped.bytes().subspan(data.offset, length));
  }
  if (proto.has_raw_data()) {
    expect(proto.raw_data().size(), bytes, "bytes");
    return tensor_of_bytes(
        *type, dims,
        std::span(reinterpret_cast<const std::uint8_t*>(proto.raw_data().data()), proto.raw_data().size()));
  }
  const auto all = [&]<class Number>(const auto& field, Number) {
    expect(static_cast<std::size_t>(field.size()), static_cast<std::size_t>(count), "numbers");
    return std::vector<Number>(field.begin(), field.end());
  };
  switch (*type) {
    case ElementType::float32:
      return OnnxTensor::of_floats(dims, all(proto.float_data(), float{}));
    case ElementType::float64:
      return OnnxTensor::of_reals(*type, dims, all(proto.double_data(), double{}));
    case ElementType::float16:
    case ElementType::bfloat16: {
      std::vector<double> values;
      for (const std::int64_t bits : all(proto.int32_data(), std::int64_t{})) {
        const auto half = static_cast<std::uint16_t>(bits);
        values.push_back(*type == ElementType::float16 ? from_half(half) : from_brain(half));
      }
      return OnnxTensor::of_reals(*type, dims, std::move(values));
    }
    case ElementType::int64:
      return OnnxTensor::of_integers(*type, dims, all(proto.int64_data(), std::int64_t{}));
    case ElementType::uint32:
    case ElementType::uint64:
      return OnnxTensor::of_integers(*type, dims, all(proto.uint64_data(), std::int64_t{}));
    default:
      return OnnxTensor::of_integers(*type, dims, all(proto.int32_data(), std::int64_t{}));
  }
}

/// Its type; what it has where it does not say (models before IR version 2).
onnx::AttributeProto::AttributeType type_of(const onnx::AttributeProto& proto) {
  if (proto.type() != onnx::AttributeProto::UNDEFINED) return proto.type();
  if (proto.has_f()) return onnx::AttributeProto::FLOAT;
  if (proto.has_i()) return onnx::AttributeProto::INT;
  if (proto.has_s()) return onnx::AttributeProto::STRING;
  if (proto.has_t()) return onnx::AttributeProto::TENSOR;
  if (proto.floats_size() > 0) return onnx::AttributeProto::FLOATS;
  if (proto.strings_size() > 0) return onnx::AttributeProto::STRINGS;
  return proto.has_g() || proto.graphs_size() > 0 ? onnx::AttributeProto::GRAPH : onnx::AttributeProto::INTS;
}

OnnxAttribute read_attribute(const onnx::AttributeProto& proto, const OnnxNode& node) {
  switch (type_of(proto)) {
    case onnx::AttributeProto::INT:
      return static_cast<std::int64_t>(proto.i());
    case onnx::AttributeProto::FLOAT:
      return proto.f();
    case onnx::AttributeProto::STRING:
      return proto.s();
    case onnx::AttributeProto::INTS:
      return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case onnx::AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case onnx::AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case onnx::AttributeProto::TENSOR:
      return read_tensor(proto.t(), node.file, fmt::format("{}: attribute {}", node.where(), proto.name()));
    default:
      throw node.error(
          fmt::format("operator {} (opset {}) is not supported: its attribute {} holds a nested graph or a type",
                      node.op, node.opset, proto.name()));
  }
}

OnnxNode read_node(const onnx::NodeProto& proto, const OnnxModel& model) {
  OnnxNode node;
  node.file = model.file;
  node.opset = model.opset;
  node.op = proto.op_type();
  if (proto.domain() != "ai.onnx") node.domain = proto.domain();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.name = !proto.name().empty() ? proto.name() : node.outputs.empty() ? "?" : node.outputs.front();
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    node.attributes.emplace(attribute.name(), read_attribute(attribute, node));
  }
  return node;
}

OnnxValue read_value(const onnx::ValueInfoProto& proto) {
  OnnxValue value;
  value.name = proto.name();
  if (!proto.type().has_tensor_type()) return value;
  const auto& tensor = proto.type().tensor_type();
  value.type = numbered_type(tensor.elem_type());
  if (!tensor.has_shape()) return value;
  value.dims.emplace();
  for (const auto& dim : tensor.shape().dim()) value.dims->push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  return value;
}

/// Every value is made once, before it is used.
void check_order(const OnnxModel& model) {
  std::set<std::string> made, later;
  for (const auto& [name, tensor] : model.constants) made.insert(name);
  for (const OnnxValue& input : model.inputs) {
    if (!made.insert(input.name).second)
      throw input_error(model.file, fmt::format("input '{}' is there twice", input.name));
  }
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& output : node.outputs) {
      if (!output.empty()) later.insert(output);
    }
  }
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) {
      if (input.empty() || made.contains(input)) continue;
      throw node.error(later.contains(input)
                           ? fmt::format("input '{}' comes from a node after it, or from a cycle", input)
                           : fmt::format("input '{}' is neither a constant of the file nor made by a node", input));
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty() && !made.insert(output).second) {
        throw node.error(fmt::format("its output '{}' is made twice", output));
      }
    }
  }
  for (const OnnxValue& output : model.outputs) {
    if (!made.contains(output.name)) {
      throw input_error(model.file, fmt::format("its output '{}' comes from no node", output.name));
    }
  }
}

/// What the file holds may be moved around as it is, however large: as much memory is taken already.
void allow_results(OnnxModel& model) {
  std::int64_t largest = most_values;
  for (const auto& [name, tensor] : model.constants) largest = std::max(largest, tensor.size());
  for (const OnnxNode& node : model.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* const tensor = std::get_if<OnnxTensor>(&attribute)) largest = std::max(largest, tensor->size());
    }
  }
  for (OnnxNode& node : model.nodes) node.largest_result = largest;
}

void fill_tensor(onnx::TensorProto& proto, const OnnxTensor& tensor) {
  proto.set_data_type(static_cast<int>(type_number(tensor.type())));
  for (const std::int64_t extent : tensor.dims()) proto.add_dims(extent);
  if (const auto* floats = tensor.floats(); floats && tensor.type() == ElementType::float32) {
    proto.set_raw_data(floats->data(), floats->size() * sizeof(float));
  } else if (tensor.type() == ElementType::float64) {
    for (const double value : tensor.as_reals()) proto.add_double_data(value);
  } else if (tensor.real()) {
    throw Error(ExitCode::internal, "tensors of 16-bit numbers are not written");
  } else if (tensor.type() == ElementType::int64) {
    for (const std::int64_t value : tensor.as_integers()) proto.add_int64_data(value);
  } else if (tensor.type() == ElementType::uint32 || tensor.type() == ElementType::uint64) {
    for (const std::int64_t value : tensor.as_integers()) proto.add_uint64_data(static_cast<std::uint64_t>(value));
  } else {
    for (const std::int64_t value : tensor.as_integers()) proto.add_int32_data(static_cast<std::int32_t>(value));
  }
}

void fill_attribute(onnx::AttributeProto& proto, const std::string& name, const OnnxAttribute& attribute) {
  proto.set_name(name);
  struct Fill {
    onnx::AttributeProto& proto;
    void operator()(std::int64_t value) const { proto.set_type(onnx::AttributeProto::INT), proto.set_i(value); }
    void operator()(float value) const { proto.set_type(onnx::AttributeProto::FLOAT), proto.set_f(value); }
    void operator()(const std::string& value) const {
      proto.set_type(onnx::AttributeProto::STRING), proto.set_s(value);
    }
    void operator()(const std::vector<std::int64_t>& values) const {
      proto.set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t value : values) proto.add_ints(value);
    }
    void operator()(const std::vector<float>& values) const {
      proto.set_type(onnx::AttributeProto::FLOATS);
      for (const float value : values) proto.add_floats(value);
    }
    void operator()(const std::vector<std::string>& values) const {
      proto.set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& value : values) proto.add_strings(value);
    }
    void operator()(const OnnxTensor& value) const {
      proto.set_type(onnx::AttributeProto::TENSOR);
      fill_tensor(*proto.mutable_t(), value);
    }
  };
  std::visit(Fill{proto}, attribute);
}

void fill_value(onnx::ValueInfoProto& proto, const OnnxValue& value) {
  proto.set_name(value.name);
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(type_number(value.type.value_or(ElementType::float32))));
  if (!value.dims) return;
  auto& shape = *tensor.mutable_shape();
  for (const std::int64_t extent : *value.dims) {
    auto& dim = *shape.add_dim();
    if (extent >= 0) {
      dim.set_dim_value(extent);
    } else {
      dim.set_dim_param("batch");
    }
  }
}

}  // namespace

OnnxModel parse_onnx_model(std::span<const std::uint8_t> bytes, const std::string& path) {
  if (bytes.size() > largest_file) {
    throw input_error(path,
                      "is larger than 2 GB, the most that an ONNX file can have; larger weights are external data");
  }
  onnx::ModelProto proto;
  if (!parse(bytes, proto) || !proto.has_graph()) throw input_error(path, "is no ONNX model, or a truncated one");
  OnnxModel model;
  model.file = path;
  for (const auto& import : proto.opset_import()) {
    if (import.domain().empty() || import.domain() == "ai.onnx") model.opset = import.version();
  }
  if (model.opset < oldest_opset || model.opset > newest_opset) {
    throw input_error(path, fmt::format("is of opset {}, expected {} to {}: export it anew with one of these "
                                        "(torch.onnx.export has opset_version)",
                                        model.opset, oldest_opset, newest_opset));
  }
  const onnx::GraphProto& graph = proto.graph();
  model.name = graph.name().empty() ? path : graph.name();
  if (graph.sparse_initializer_size() > 0) {
    throw input_error(path, "has sparse tensors, which are not supported: export it with dense weights");
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    const std::string where = fmt::format("{}: tensor '{}'", path, tensor.name());
    if (!model.constants.emplace(tensor.name(), read_tensor(tensor, path, where)).second) {
      throw input_error(where, "is there twice");
    }
  }
  for (const onnx::ValueInfoProto& input : graph.input()) {
    // Older files list their weights too.
    if (!model.constants.contains(input.name())) model.inputs.push_back(read_value(input));
  }
  for (const onnx::ValueInfoProto& output : graph.output()) model.outputs.push_back(read_value(output));
  for (const onnx::NodeProto& node : graph.node()) model.nodes.push_back(read_node(node, model));
  check_order(model);
  allow_results(model);
  return model;
}

OnnxModel read_onnx_model(const std::string& path) {
  const MappedFile file(path);
  return parse_onnx_model(file.bytes(), path);
}

std::string onnx_model_bytes(const OnnxModel& model, const std::string& path) {
  onnx::ModelProto proto;
  proto.set_ir_version(ir_version);
  proto.set_producer_name("crossgrid");
  proto.add_opset_import()->set_version(model.opset);
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name(model.name);
  for (const OnnxValue& input : model.inputs) fill_value(*graph.add_input(), input);
  for (const OnnxValue& output : model.outputs) fill_value(*graph.add_output(), output);
  for (const auto& [name, tensor] : model.constants) {
    onnx::TensorProto& constant = *graph.add_initializer();
    constant.set_name(name);
    fill_tensor(constant, tensor);
  }
  for (const OnnxNode& node : model.nodes) {
    onnx::NodeProto& made = *graph.add_node();
    made.set_name(node.name);
    made.set_op_type(node.op);
    made.set_domain(node.domain);
    for (const std::string& input : node.inputs) made.add_input(input);
    for (const std::string& output : node.outputs) made.add_output(output);
    for (const auto& [name, attribute] : node.attributes) fill_attribute(*made.add_attribute(), name, attribute);
  }
  std::string bytes;
  if (proto.ByteSizeLong() > largest_file || !proto.SerializeToString(&bytes)) {
    throw Error(ExitCode::storage, path + ": the model is larger than an ONNX file can be (2 GB)");
  }
  return bytes;
}

void write_onnx_model(const OnnxModel& model, const std::string& path) {
  replace_file(posix_files(), path, onnx_model_bytes(model, path));
}

OnnxTensor read_onnx_tensor(const std::string& path) {
  const MappedFile file(path);
  onnx::TensorProto proto;
  if (file.bytes().size() > largest_file || !parse(file.bytes(), proto)) {
    throw input_error(path, "is no ONNX tensor, or a truncated one");
  }
  return read_tensor(proto, path, path);
}

}  // namespace crossgrid
