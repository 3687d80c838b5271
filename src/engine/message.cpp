#include "crossgrid/engine/message.hpp"

#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

static_assert(std::endian::native == std::endian::little, "messages are written as they lie in memory");

namespace crossgrid {
namespace {

class Writer {
 public:
  template <typename Number>
  requires(std::is_arithmetic_v<Number> || std::is_same_v<Number, decltype(MetricSum::sum)>) void put(Number value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
  }
  void put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::internal, "engine message: " + what);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  Number get() {
    if (bytes_.size() < sizeof(Number)) refuse("ends in the middle of a number");
    Number value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  bool get_flag() {
    const auto byte = get<std::uint8_t>();
    if (byte > 1) refuse("a flag is " + std::to_string(byte) + ", not 0 or 1");
    return byte == 1;
  }
  std::string get_text() {
    const auto size = get_count(1);
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  /// A number of items of at least `least_size` bytes each: never more than the bytes that are left can hold.
  std::size_t get_count(std::size_t least_size) {
    const auto count = get<std::uint64_t>();
    if (count > bytes_.size() / least_size) {
      refuse("announces " + std::to_string(count) + " items where " + std::to_string(bytes_.size()) +
             " bytes are left");
    }
    return static_cast<std::size_t>(count);
  }
  void expect_end() const {
    if (!bytes_.empty()) refuse(std::to_string(bytes_.size()) + " bytes too many");
  }

 private:
  std::string_view bytes_;
};

void put_unit(Writer& writer, const Unit& unit) {
  writer.put(unit.point);
  writer.put(unit.trial);
  writer.put(unit.first);
  writer.put(unit.count);
}

Unit get_unit(Reader& reader) {
  Unit unit;
  unit.point = reader.get<std::uint64_t>();
  unit.trial = reader.get<std::uint32_t>();
  unit.first = reader.get<std::uint64_t>();
  unit.count = reader.get<std::uint32_t>();
  return unit;
}

void put_outcome(Writer& writer, const Outcome& outcome) {
  const UnitResult& result = outcome.result;
  writer.put(outcome.id);
  put_unit(writer, result.unit);
  writer.put(static_cast<std::uint8_t>(result.status));
  writer.put(result.seconds);
  writer.put(result.megabytes);
  writer.put(result.attempts);
  writer.put(result.reason);
  writer.put(static_cast<std::int32_t>(result.signal));
  writer.put(result.log);
  writer.put(static_cast<std::uint64_t>(result.metrics.size()));
  for (const auto& [name, metric] : result.metrics) {
    writer.put(name);
    writer.put(metric.sum);
    writer.put(metric.count);
    writer.put(metric.clamped);
    writer.put(metric.not_finite);
  }
}

Outcome get_outcome(Reader& reader) {
  Outcome outcome;
  outcome.id = reader.get<std::uint64_t>();
  outcome.result.unit = get_unit(reader);
  outcome.result.status = reader.get_flag() ? UnitStatus::failed : UnitStatus::done;
  outcome.result.seconds = reader.get<double>();
  outcome.result.megabytes = reader.get<double>();
  outcome.result.attempts = reader.get<std::uint32_t>();
  outcome.result.reason = reader.get_text();
  outcome.result.signal = reader.get<std::int32_t>();
  outcome.result.log = reader.get_text();
  const auto metrics = reader.get_count(8 + sizeof(MetricSum::sum) + 24);
  for (std::size_t i = 0; i < metrics; ++i) {
    std::string name = reader.get_text();
    MetricSum metric;
    metric.sum = reader.get<decltype(metric.sum)>();
    metric.count = reader.get<std::uint64_t>();
    metric.clamped = reader.get<std::uint64_t>();
    metric.not_finite = reader.get<std::uint64_t>();
    outcome.result.metrics.insert_or_assign(std::move(name), metric);
  }
  return outcome;
}

void put_body(Writer& writer, const JobMessage& message) {
  writer.put(message.text);
}
void put_body(Writer& writer, const WorkMessage& message) {
  writer.put(static_cast<std::uint64_t>(message.tasks.size()));
  for (const Task& task : message.tasks) {
    writer.put(task.id);
    put_unit(writer, task.unit);
    writer.put(task.time_limit);
  }
}
void put_body(Writer&, const RecallMessage&) {}
void put_body(Writer&, const StopMessage&) {}
void put_body(Writer&, const AliveMessage&) {}
void put_body(Writer&, const ByeMessage&) {}
void put_body(Writer& writer, const HelloMessage& message) {
  writer.put(message.host);
  writer.put(message.process);
  writer.put(message.warning);
}
void put_body(Writer& writer, const OutcomesMessage& message) {
  writer.put(static_cast<std::uint64_t>(message.outcomes.size()));
  for (const Outcome& outcome : message.outcomes) put_outcome(writer, outcome);
}
void put_body(Writer& writer, const ReturnedMessage& message) {
  writer.put(static_cast<std::uint64_t>(message.ids.size()));
  for (const UnitId id : message.ids) writer.put(id);
}
void put_body(Writer& writer, const PulseMessage& message) {
  writer.put(message.in_flight);
}
void put_body(Writer& writer, const BrokenMessage& message) {
  writer.put(message.text);
  writer.put(static_cast<std::int32_t>(message.code));
  writer.put(static_cast<std::uint8_t>(message.what));
}

void get_body(Reader& reader, JobMessage& message) {
  message.text = reader.get_text();
}
void get_body(Reader& reader, WorkMessage& message) {
  message.tasks.resize(reader.get_count(8 + 24 + 8));
  for (Task& task : message.tasks) {
    task.id = reader.get<std::uint64_t>();
    task.unit = get_unit(reader);
    task.time_limit = reader.get<double>();
  }
}
void get_body(Reader&, RecallMessage&) {}
void get_body(Reader&, StopMessage&) {}
void get_body(Reader&, AliveMessage&) {}
void get_body(Reader&, ByeMessage&) {}
void get_body(Reader& reader, HelloMessage& message) {
  message.host = reader.get_text();
  message.process = reader.get<std::int64_t>();
  message.warning = reader.get_text();
}
void get_body(Reader& reader, OutcomesMessage& message) {
  message.outcomes.resize(reader.get_count(8 + 24 + 1 + 8 + 8 + 4 + 8 + 4 + 8 + 8));
  for (Outcome& outcome : message.outcomes) outcome = get_outcome(reader);
}
void get_body(Reader& reader, ReturnedMessage& message) {
  message.ids.resize(reader.get_count(8));
  for (UnitId& id : message.ids) id = reader.get<std::uint64_t>();
}
void get_body(Reader& reader, PulseMessage& message) {
  message.in_flight = reader.get<std::uint64_t>();
}
void get_body(Reader& reader, BrokenMessage& message) {
  message.text = reader.get_text();
  message.code = static_cast<ExitCode>(reader.get<std::int32_t>());
  const auto what = reader.get<std::uint8_t>();
  if (what > static_cast<std::uint8_t>(Broken::run)) refuse("what is broken is not known: " + std::to_string(what));
  message.what = static_cast<Broken>(what);
}

/// Decodes the alternative of the variant whose index is `kind`.
template <std::size_t Index = 0>
Message decode_kind(std::size_t kind, Reader& reader) {
  if constexpr (Index < std::variant_size_v<Message>) {
    if (kind != Index) return decode_kind<Index + 1>(kind, reader);
    std::variant_alternative_t<Index, Message> message;
    get_body(reader, message);
    return message;
  } else {
    refuse("kind " + std::to_string(kind) + " is not known");
  }
}

}  // namespace

std::string encode_message(const Message& message) {
  Writer writer;
  writer.put(static_cast<std::uint8_t>(message.index()));
  std::visit([&writer](const auto& body) { put_body(writer, body); }, message);
  return writer.take();
}

Message decode_message(std::string_view bytes) {
  Reader reader(bytes);
  const auto kind = reader.get<std::uint8_t>();
  Message message = decode_kind(kind, reader);
  reader.expect_end();
  return message;
}

}  // namespace crossgrid
