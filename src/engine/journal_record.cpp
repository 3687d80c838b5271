#include "crossgrid/engine/journal_record.hpp"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/journal_parser.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t longest_failure_text = std::size_t{8} << 10;
/// `{"crc":"xxxxxxxx",`: the checksum is of what follows.
constexpr std::string_view blank_start = "{\"crc\":\"00000000\",";

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// With U+FFFD for what is no UTF-8.
std::string valid_text(std::string_view text) {
  return Json::parse(json_text(Json(text))).get<std::string>();
}

/// Appends a JSON string; the usual ones need no escaping.
void append_string(std::string& text, std::string_view value) {
  const bool plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    text += '"';
    text += value;
    text += '"';
  } else {
    text += json_text(Json(value));
  }
}

/// Fills in the checksum of the line that begins at `start` and ends it.
void seal(std::string& text, std::size_t start) {
  const std::size_t body = start + blank_start.size();
  const auto crc = journal_checksum(std::string_view(text).substr(body));
  fmt::format_to(text.begin() + static_cast<std::ptrdiff_t>(start + journal_line_start.size()), "{:08x}", crc);
  text += '\n';
}

/// A line from members after the checksum: `members` is "..." in {...}.
std::string sealed(std::string_view members, const std::string& what) {
  std::string text(blank_start);
  text += members;
  seal(text, 0);
  if (text.size() > journal_line_limit) {
    throw Error(ExitCode::bad_input,
                fmt::format("{} takes {} bytes in the journal; the most is {}", what, text.size(), journal_line_limit));
  }
  return text;
}

std::string sealed_object(const Json& object, const std::string& what) {
  return sealed(std::string_view(json_text(object)).substr(1), what);
}

void append_metric(std::string& text, const std::string& name, const MetricSum& metric) {
  append_string(text, name);
  fmt::format_to(std::back_inserter(text), ":{{\"sum\":\"{}\",\"count\":{}", int128_to_text(metric.sum), metric.count);
  if (metric.clamped != 0) fmt::format_to(std::back_inserter(text), ",\"clamped\":{}", metric.clamped);
  if (metric.not_finite != 0) fmt::format_to(std::back_inserter(text), ",\"not_finite\":{}", metric.not_finite);
  text += '}';
}

}  // namespace

std::string command_to_replay(std::string_view folder, const Id128& point, const Unit& unit) {
  return fmt::format("crossgrid replay {} --point {} --trial {} --images {}..{}", folder, point.hex(), unit.trial,
                     unit.first, unit.first + unit.count - 1);
}

std::uint32_t journal_checksum(std::string_view text) {
  return libdeflate_crc32(0, text.data(), text.size());
}

std::string kept_reason(std::string_view reason) {
  return valid_text(reason.substr(0, longest_failure_text));
}

std::string kept_log(std::string_view log) {
  return valid_text(log.substr(log.size() - std::min(log.size(), longest_failure_text)));
}

std::string journal_line(const JournalHeader& header) {
  return sealed_object(Json{{"kind", "header"},
                            {"format", header.format},
                            {"physics_version", header.physics_version},
                            {"program", header.program},
                            {"commit", header.commit},
                            {"host", header.host},
                            {"backend", header.backend},
                            {"numeric_class", header.numeric_class},
                            {"seed", header.seed},
                            {"network", header.network},
                            {"dataset", header.dataset},
                            {"calibration", header.calibration},
                            {"first_image", header.first_image},
                            {"images", header.images},
                            {"time", header.time},
                            {"sweep", header.sweep}},
                       "the sweep");
}

std::string journal_line(const PointDefinition& point) {
  const std::string base = point.base ? fmt::format("\"base\":\"{}\",", point.base->hex()) : "";
  return sealed(
      fmt::format("\"kind\":\"point\",\"id\":\"{}\",{}\"parameters\":{}}}", point.id.hex(), base, point.parameters),
      "point " + point.id.hex());
}

std::optional<Json> changed_parameters(const Json& base, const Json& whole) {
  Json changed = Json::object();
  auto expected = base.begin();  // both name nearly the same parameters in the same order
  std::size_t shared = 0;
  for (auto at = whole.begin(); at != whole.end(); ++at) {
    if (expected == base.end() || expected.key() != at.key()) expected = base.find(at.key());
    const bool there = expected != base.end();
    shared += there ? 1 : 0;
    if (!there || *expected != *at) {
      if (at->is_null()) return std::nullopt;
      changed[at.key()] = *at;
    }
    if (there) ++expected;
  }
  if (shared == base.size()) return changed;
  for (auto at = base.begin(); at != base.end(); ++at) {
    if (!whole.contains(at.key())) changed[at.key()] = nullptr;
  }
  return changed;
}

std::string journal_line(const OwnerRecord& owner) {
  return sealed_object(Json{{"kind", "owner"},
                            {"host", owner.host},
                            {"pid", owner.pid},
                            {"boot", owner.boot},
                            {"started", owner.started},
                            {"heartbeat", owner.heartbeat},
                            {"released", owner.released}},
                       "the owner");
}

std::string journal_line(const RunAccount& account) {
  const RunAccount::Predicted& predicted = account.predicted;
  const RunAccount::Measured& measured = account.measured;
  return sealed_object(Json{{"kind", "account"},
                            {"predicted",
                             {{"units", predicted.units},
                              {"workers", predicted.workers},
                              {"threads", predicted.threads},
                              {"cost", predicted.cost},
                              {"unit_seconds", predicted.unit_seconds},
                              {"seconds", predicted.seconds},
                              {"megabytes", predicted.megabytes},
                              {"disk_megabytes", predicted.disk_megabytes}}},
                            {"measured",
                             {{"units", measured.units},
                              {"cost", measured.cost},
                              {"unit_seconds", measured.unit_seconds},
                              {"seconds", measured.seconds},
                              {"megabytes", measured.megabytes}}}},
                       "the account");
}

void append_journal_line(std::string& text, const Id128& point, const UnitResult& result, std::string_view host) {
  const std::size_t start = text.size();
  text += blank_start;
  const Unit& unit = result.unit;
  const bool done = result.status == UnitStatus::done;
  fmt::format_to(std::back_inserter(text),
                 "\"kind\":\"unit\",\"point\":\"{}\",\"trial\":{},\"first\":{},\"count\":{},\"status\":\"{}\"",
                 point.hex(), unit.trial, unit.first, unit.count, done ? "done" : "failed");
  text += ",\"metrics\":{";
  bool first = true;
  for (const auto& [name, metric] : result.metrics) {
    if (!first) text += ',';
    first = false;
    append_metric(text, name, metric);
  }
  fmt::format_to(std::back_inserter(text), "}},\"seconds\":{:.6g},\"attempts\":{},\"host\":",
                 std::isfinite(result.seconds) ? result.seconds : 0.0, result.attempts);
  append_string(text, host);
  if (!done) {
    text += ",\"reason\":";
    append_string(text, kept_reason(result.reason));
    if (result.signal != 0) fmt::format_to(std::back_inserter(text), ",\"signal\":{}", result.signal);
    text += ",\"log\":";
    append_string(text, kept_log(result.log));
    text += ",\"replay\":";
    append_string(text, command_to_replay(".", point, unit));
  }
  text += '}';
  seal(text, start);
}

}  // namespace crossgrid
