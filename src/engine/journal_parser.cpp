#include "crossgrid/engine/journal_parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "crossgrid/base/error.hpp"
#include "plain_unit_line.hpp"

namespace crossgrid {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t crc_digits = 8;
constexpr std::uint64_t largest_signal = 64;
/// Up to and with the comma after the checksum.
constexpr std::size_t checked_from = journal_line_start.size() + crc_digits + 2;

/// An object's members by name. Lines name them in one order, so each is first looked for after the last one found.
class Members {
 public:
  explicit Members(const dom::object& object) : object_(object), next_(object.begin()) {}

  simdjson::simdjson_result<dom::element> operator[](std::string_view name) {
    if (next_ == object_.end() || next_.key() != name) {
      next_ = object_.begin();
      while (next_ != object_.end() && next_.key() != name) ++next_;
      if (next_ == object_.end()) return simdjson::NO_SUCH_FIELD;
    }
    dom::element value = next_.value();
    ++next_;
    return value;
  }

 private:
  dom::object object_;
  dom::object::iterator next_;
};

std::string_view text_of(Members& object, std::string_view name) {
  return object[name].get_string().value();
}

template <typename Integer>
Integer integer_of(Members& object, std::string_view name) {
  const std::uint64_t value = object[name].get_uint64().value();
  if (value > std::numeric_limits<Integer>::max()) throw Error(ExitCode::bad_input, "a number is too large");
  return static_cast<Integer>(value);
}

/// A count that is left out where it is zero.
std::uint64_t count_of(Members& object, std::string_view name) {
  std::uint64_t value = 0;
  const auto error = object[name].get_uint64().get(value);
  if (error != simdjson::NO_SUCH_FIELD && error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
  return value;
}

/// A text that older programs did not write.
std::string_view optional_text_of(Members& object, std::string_view name) {
  std::string_view value;
  const auto error = object[name].get_string().get(value);
  if (error != simdjson::NO_SUCH_FIELD && error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
  return value;
}

UnitRecord unit_of(Members& object) {
  UnitRecord record;
  UnitResult& result = record.result;
  record.point = Id128::from_hex(text_of(object, "point"));
  result.unit.trial = integer_of<std::uint32_t>(object, "trial");
  result.unit.first = integer_of<std::uint64_t>(object, "first");
  result.unit.count = integer_of<std::uint32_t>(object, "count");
  if (result.unit.count == 0) throw Error(ExitCode::bad_input, "a unit without images");
  const std::string_view status = text_of(object, "status");
  if (status != "done" && status != "failed") throw Error(ExitCode::bad_input, "unknown status");
  result.status = status == "done" ? UnitStatus::done : UnitStatus::failed;
  const dom::object metrics = object["metrics"].get_object();
  for (const auto& [name, value] : metrics) {
    Members values(value.get_object());
    MetricSum& metric = result.metrics[std::string(name)];
    metric.sum = int128_from_text(text_of(values, "sum"));
    metric.count = integer_of<std::uint64_t>(values, "count");
    metric.clamped = count_of(values, "clamped");
    metric.not_finite = count_of(values, "not_finite");
  }
  result.seconds = object["seconds"].get_double().value();
  result.attempts = integer_of<std::uint32_t>(object, "attempts");
  record.host = text_of(object, "host");
  if (result.status == UnitStatus::failed) {
    result.reason = text_of(object, "reason");
    result.signal = static_cast<int>(std::min<std::uint64_t>(count_of(object, "signal"), largest_signal));
    result.log = optional_text_of(object, "log");
  }
  return record;
}

JournalHeader header_of(Members& object, std::string_view line) {
  JournalHeader header;
  header.format = integer_of<int>(object, "format");
  if (header.format > journal_format_version) {
    std::string_view program;
    if (object["program"].get_string().get(program) == simdjson::SUCCESS) header.program = program;
    return header;
  }
  const Json json = parse_json(line, "header");
  json.at("physics_version").get_to(header.physics_version);
  json.at("program").get_to(header.program);
  json.at("commit").get_to(header.commit);
  json.at("host").get_to(header.host);
  json.at("backend").get_to(header.backend);
  json.at("numeric_class").get_to(header.numeric_class);
  json.at("seed").get_to(header.seed);
  json.at("network").get_to(header.network);
  json.at("dataset").get_to(header.dataset);
  json.at("calibration").get_to(header.calibration);
  json.at("first_image").get_to(header.first_image);
  json.at("images").get_to(header.images);
  json.at("time").get_to(header.time);
  header.sweep = json.at("sweep");
  return header;
}

/// The id of a definition in the form that is written: nothing else of it is asked for.
std::optional<Id128> plain_definition(std::string_view line) {
  constexpr std::string_view start = "\"kind\":\"point\",\"id\":\"", parameters = "\"parameters\":{";
  constexpr std::size_t id_digits = 32;
  if (!line.starts_with(start) || line.find(parameters, start.size() + id_digits) == std::string_view::npos) {
    return std::nullopt;
  }
  if (line[start.size() + id_digits] != '"') return std::nullopt;
  return Id128::from_hex(line.substr(start.size(), id_digits));
}

PointDefinition definition_of(Members& object) {
  PointDefinition point{Id128::from_hex(text_of(object, "id")), {}};
  object["parameters"].get_object().value();  // must be there
  return point;
}

OwnerRecord owner_of(Members& object) {
  OwnerRecord owner;
  owner.host = text_of(object, "host");
  owner.pid = integer_of<std::int64_t>(object, "pid");
  owner.boot = text_of(object, "boot");
  owner.started = text_of(object, "started");
  owner.heartbeat = text_of(object, "heartbeat");
  owner.released = object["released"].get_bool().value();
  return owner;
}

double number_of(Members& object, std::string_view name) {
  return object[name].get_double().value();
}

RunAccount account_of(Members& object) {
  Members predicted(object["predicted"].get_object());
  Members measured(object["measured"].get_object());
  RunAccount account;
  account.predicted = {.units = integer_of<std::uint64_t>(predicted, "units"),
                       .workers = integer_of<int>(predicted, "workers"),
                       .threads = integer_of<int>(predicted, "threads"),
                       .cost = number_of(predicted, "cost"),
                       .unit_seconds = number_of(predicted, "unit_seconds"),
                       .seconds = number_of(predicted, "seconds"),
                       .megabytes = number_of(predicted, "megabytes"),
                       .disk_megabytes = number_of(predicted, "disk_megabytes")};
  account.measured = {.units = integer_of<std::uint64_t>(measured, "units"),
                      .cost = number_of(measured, "cost"),
                      .unit_seconds = number_of(measured, "unit_seconds"),
                      .seconds = number_of(measured, "seconds"),
                      .megabytes = number_of(measured, "megabytes")};
  return account;
}

}  // namespace

std::size_t journal_padding() {
  return simdjson::SIMDJSON_PADDING;
}

bool journal_checksum_holds(std::string_view line) {
  if (line.size() <= checked_from || !line.starts_with(journal_line_start)) return false;
  const char* digits = line.data() + journal_line_start.size();
  std::uint32_t expected = 0;
  const auto [end, error] = std::from_chars(digits, digits + crc_digits, expected, 16);
  if (error != std::errc() || end != digits + crc_digits || line.substr(checked_from - 2, 2) != "\",") return false;
  return journal_checksum(line.substr(checked_from)) == expected;
}

struct JournalParser::Impl {
  dom::parser parser;
};

JournalParser::JournalParser() : impl_(std::make_unique<Impl>()) {}
JournalParser::~JournalParser() = default;

std::optional<JournalRecord> JournalParser::parse(std::string_view line, std::string& problem) {
  try {
    const std::string_view members = line.substr(std::min(line.size(), checked_from));
    if (auto unit = plain_unit(members)) return *std::move(unit);
    if (const auto id = plain_definition(members)) return PointDefinition{*id, {}};
    const bool copy = false;  // the caller pads
    Members object(impl_->parser.parse(line.data(), line.size(), copy).get_object());
    const std::string_view kind = text_of(object, "kind");
    if (kind == "unit") return unit_of(object);
    if (kind == "point") return definition_of(object);
    if (kind == "owner") return owner_of(object);
    if (kind == "account") return account_of(object);
    if (kind == "header") return header_of(object, line);
    return UnknownRecord{std::string(kind)};
  } catch (const std::exception& error) {
    problem = error.what();
    return std::nullopt;
  }
}

}  // namespace crossgrid
