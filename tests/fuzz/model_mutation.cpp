#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/onnx/onnx_operators.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Changes of a model that leave it one: most changes of bytes do not, and go no further than the parser.
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Random = std::minstd_rand;
using Fields = std::vector<std::pair<Message*, const FieldDescriptor*>>;

std::size_t pick(Random& random, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

/// All fields that have a value.
void collect(Message& message, Fields& fields) {
  std::vector<const FieldDescriptor*> set;
  const auto& access = *message.GetReflection();
  access.ListFields(message, &set);
  for (const FieldDescriptor* const field : set) {
    fields.emplace_back(&message, field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*access.MutableMessage(&message, field), fields);
    } else {
      for (int k = 0; k < access.FieldSize(message, field); ++k) {
        collect(*access.MutableRepeatedMessage(&message, field, k), fields);
      }
    }
  }
}

/// A number near the old one, or one of those that are often wrong.
std::int64_t other_number(std::int64_t old, Random& random) {
  static constexpr std::int64_t numbers[] = {0,
                                             1,
                                             -1,
                                             2,
                                             3,
                                             4,
                                             5,
                                             7,
                                             8,
                                             9,
                                             11,
                                             13,
                                             16,
                                             255,
                                             256,
                                             65535,
                                             65536,
                                             1 << 26,
                                             2147483647,
                                             -2147483648,
                                             1LL << 32,
                                             1LL << 62,
                                             std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::min()};
  const auto wrapped = static_cast<std::uint64_t>(old);
  switch (pick(random, 4)) {
    case 0:
      return static_cast<std::int64_t>(wrapped + 1);
    case 1:
      return static_cast<std::int64_t>(wrapped - 1);
    default:
      return numbers[pick(random, std::size(numbers))];
  }
}

/// An operator's name, or another text of the model: names of values and attributes become those of others.
std::string other_text(const FieldDescriptor* field, const Fields& fields, Random& random) {
  if (field->name() == "op_type") {
    const auto& operators = crossgrid::onnx_operators();
    return std::next(operators.begin(), static_cast<std::ptrdiff_t>(pick(random, operators.size())))->first;
  }
  std::vector<std::string> texts{""};
  for (const auto& [message, other] : fields) {
    if (other->type() != FieldDescriptor::TYPE_STRING || other->name() == "op_type") continue;
    const auto& access = *message->GetReflection();
    if (!other->is_repeated()) texts.push_back(access.GetString(*message, other));
    for (int k = 0; other->is_repeated() && k < access.FieldSize(*message, other); ++k) {
      texts.push_back(access.GetRepeatedString(*message, other, k));
    }
  }
  return texts[pick(random, texts.size())];
}

std::string other_bytes(std::string bytes) {
  const std::size_t size = bytes.size();
  bytes.resize(size + 8);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
  return bytes;
}

/// Appends a value like the k-th, or sets that (or the only one) to another.
void change(Message& message, const FieldDescriptor* field, int k, bool append, const Fields& fields, Random& random) {
  const auto& access = *message.GetReflection();
  const bool repeated = field->is_repeated();
  const auto set = [&](auto get, auto get_repeated, auto put, auto put_repeated, auto add, auto other) {
    const auto value = other(repeated ? (access.*get_repeated)(message, field, k) : (access.*get)(message, field));
    if (!repeated) {
      (access.*put)(&message, field, value);
    } else if (append) {
      (access.*add)(&message, field, value);
    } else {
      (access.*put_repeated)(&message, field, k, value);
    }
  };
  using R = google::protobuf::Reflection;
  const auto number = [&](auto old) {
    return static_cast<decltype(old)>(other_number(static_cast<std::int64_t>(old), random));
  };
  const auto real = [&](auto old) {
    using Real = decltype(old);
    const Real reals[] = {0,
                          -1,
                          Real(0.5),
                          2 * old,
                          -old,
                          Real(1e30),
                          std::numeric_limits<Real>::infinity(),
                          std::numeric_limits<Real>::quiet_NaN()};
    return reals[pick(random, std::size(reals))];
  };
  const auto text = [&](const std::string& old) {
    return field->type() == FieldDescriptor::TYPE_BYTES ? other_bytes(old) : other_text(field, fields, random);
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return set(&R::GetInt32, &R::GetRepeatedInt32, &R::SetInt32, &R::SetRepeatedInt32, &R::AddInt32, number);
    case FieldDescriptor::CPPTYPE_INT64:
      return set(&R::GetInt64, &R::GetRepeatedInt64, &R::SetInt64, &R::SetRepeatedInt64, &R::AddInt64, number);
    case FieldDescriptor::CPPTYPE_UINT64:
      return set(&R::GetUInt64, &R::GetRepeatedUInt64, &R::SetUInt64, &R::SetRepeatedUInt64, &R::AddUInt64, number);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return set(&R::GetFloat, &R::GetRepeatedFloat, &R::SetFloat, &R::SetRepeatedFloat, &R::AddFloat, real);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return set(&R::GetDouble, &R::GetRepeatedDouble, &R::SetDouble, &R::SetRepeatedDouble, &R::AddDouble, real);
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!repeated) access.SetEnumValue(&message, field, static_cast<int>(pick(random, 18)));
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      return set(&R::GetString, &R::GetRepeatedString, &R::SetString, &R::SetRepeatedString, &R::AddString, text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (append) access.AddMessage(&message, field)->CopyFrom(access.GetRepeatedMessage(message, field, k));
      return;
    default:
      return;
  }
}

void mutate(onnx::ModelProto& model, Random& random) {
  Fields fields;
  collect(model, fields);
  if (fields.empty()) return;  // all was taken away before
  const auto [message, field] = fields[pick(random, fields.size())];
  const auto& access = *message->GetReflection();
  if (!field->is_repeated()) {
    if (pick(random, 16) == 0) return access.ClearField(message, field);
    return change(*message, field, 0, false, fields, random);
  }
  const int last = access.FieldSize(*message, field) - 1;
  const int k = static_cast<int>(pick(random, static_cast<std::size_t>(last) + 1));
  switch (pick(random, 4)) {
    case 0:
      access.SwapElements(message, field, k, last);
      return access.RemoveLast(message, field);
    case 1:
      return access.SwapElements(message, field, k, last);
    case 2:
      return change(*message, field, k, true, fields, random);
    default:
      return change(*message, field, k, false, fields, random);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  Random random(seed);
  onnx::ModelProto model;
  const bool parsed = model.ParseFromArray(data, static_cast<int>(size)) && model.has_graph();
  if (!parsed || pick(random, 4) == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::size_t changes = 1 + pick(random, 3);
  for (std::size_t k = 0; k < changes; ++k) mutate(model, random);
  if (model.ByteSizeLong() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  model.SerializeToArray(data, static_cast<int>(max_size));
  return model.ByteSizeLong();
}
