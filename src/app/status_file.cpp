#include "crossgrid/app/status_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/journal_parser.hpp"

namespace crossgrid {

namespace {

/// Raised when an older program would misread the file, or count otherwise.
constexpr std::uint64_t status_format = 1;
constexpr std::uint64_t most_file_bytes = std::uint64_t{16} << 20;
/// Bytes before the end of what is covered by which a segment is known again: its last records, with their checksums.
constexpr std::uint64_t known_by_bytes = 4096;
/// Where a journal's last owner is looked for: in so many bytes at its end, then in four times as many, ...
constexpr std::uint64_t first_window = std::uint64_t{64} << 10, last_window = std::uint64_t{64} << 20;

// The file is one JSON document: {"hash":"32 digits","status":BODY}, with the hash of BODY.
constexpr std::string_view file_start = "{\"hash\":\"", body_start = "\",\"status\":", file_end = "}\n";
constexpr std::size_t hash_digits = 32;

[[noreturn]] void unusable(const std::string& why) {
  throw Error(ExitCode::bad_input, "status.json: " + why);
}

std::string checked(const std::string& body) {
  return fmt::format("{}{}{}{}{}", file_start, hash_text(body).hex(), body_start, body, file_end);
}

/// The body of a file whose hash holds.
std::string_view body_of(std::string_view text) {
  constexpr std::size_t body_at = file_start.size() + hash_digits + body_start.size();
  if (text.size() < body_at + file_end.size()) unusable("cut off");
  const std::string_view body = text.substr(body_at, text.size() - body_at - file_end.size());
  if (text != checked(std::string(body))) unusable("the hash does not hold");
  return body;
}

std::string read_range(FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t to) {
  std::unique_ptr<File> file;
  IoResult result = open_file(files, path, OpenMode::read, file);
  std::string text(static_cast<std::size_t>(to - from), '\0');
  if (result.ok()) result = read_all(*file, text.data(), text.size(), from);
  if (!result.ok() || static_cast<std::size_t>(result.value) != text.size()) unusable("can't read " + path);
  return text;
}

std::uint64_t size_of(FileSystem& files, const std::string& path) {
  std::unique_ptr<File> file;
  IoResult result = open_file(files, path, OpenMode::read, file);
  if (result.ok()) result = file->size();
  if (!result.ok()) unusable("can't read " + path);
  return static_cast<std::uint64_t>(result.value);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// The beginning of a segment that is counted.
struct Covered {
  std::uint64_t bytes = 0;
  Id128 end;  ///< hash of its last known_by_bytes
};

Id128 hash_of_end(FileSystem& files, const std::string& path, std::uint64_t bytes) {
  return hash_text(read_range(files, path, bytes - std::min(bytes, known_by_bytes), bytes));
}

// ---- to JSON and back ----

Json json_of(const ChipCounts& chips) {
  return Json::array({chips.chips, chips.done, chips.failed});
}

Json json_of(const SweepState::Failure& failure) {
  return {{"point", failure.point.hex()},
          {"unit", {failure.unit.point, failure.unit.trial, failure.unit.first, failure.unit.count}},
          {"attempts", failure.attempts},
          {"reason", failure.reason},
          {"signal", failure.signal},
          {"log", failure.log},
          {"host", failure.host}};
}

Json json_of(const JournalLoss& loss) {
  return {{"file", loss.file},
          {"line", loss.line},
          {"offset", loss.offset},
          {"bytes", loss.bytes},
          {"reason", loss.reason}};
}

/// Its records as they stand in the journal.
Json json_of(const JournalOwner& owner) {
  return {{"record", journal_line(owner.record)},
          {"images", owner.images},
          {"account", owner.account ? Json(journal_line(*owner.account)) : Json()}};
}

template <typename Items>
Json json_list(const Items& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

Json json_of(const SweepState& state) {
  Json shards = Json::array(), owners = Json::object(), round;
  for (const auto& [count, chips] : state.shards) shards.push_back(json_list(chips));
  for (const auto& [name, owner] : state.owners) owners[name] = json_of(owner);
  if (state.round) round = {state.round->number, state.round->most, state.round->most_chips};
  return {{"name", state.name},
          {"grid_points", state.grid_points},
          {"images", state.images},
          {"points", {state.points.chosen, state.points.done, state.points.failed, state.points.begun}},
          {"expected", {state.expected.met, state.expected.missed, state.expected.open}},
          {"chips", json_of(state.chips)},
          {"shards", shards},
          {"round", round},
          {"failures", json_list(state.failures)},
          {"failures_found", state.failures_found},
          {"losses", json_list(state.losses)},
          {"losses_found", state.losses_found},
          {"owners", owners}};
}

template <typename Integer = std::uint64_t>
Integer number(const Json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<Integer>::max()}) {
    unusable("found " + value.dump() + ", expected a count");
  }
  return static_cast<Integer>(value.get<std::uint64_t>());
}

ChipCounts chips_from(const Json& json) {
  const ChipCounts chips{number(json.at(0)), number(json.at(1)), number(json.at(2))};
  if (chips.done > chips.chips || chips.failed > chips.chips - chips.done) unusable("more chips than there are");
  return chips;
}

SweepState::Points points_from(const Json& json) {
  const SweepState::Points points{number(json.at(0)), number(json.at(1)), number(json.at(2)), number(json.at(3))};
  std::uint64_t left = points.chosen;
  for (const std::uint64_t part : {points.done, points.failed, points.begun}) {
    if (part > left) unusable("more points than there are");
    left -= part;
  }
  return points;
}

SweepState::Failure failure_from(const Json& json) {
  const Json& unit = json.at("unit");
  return {
      Id128::from_hex(json.at("point").get<std::string>()),
      {number(unit.at(0)), number<std::uint32_t>(unit.at(1)), number(unit.at(2)), number<std::uint32_t>(unit.at(3))},
      number<std::uint32_t>(json.at("attempts")),
      json.at("reason").get<std::string>(),
      number<int>(json.at("signal")),
      json.at("log").get<std::string>(),
      json.at("host").get<std::string>()};
}

JournalLoss loss_from(const Json& json) {
  JournalLoss loss;
  loss.file = json.at("file").get<std::string>();
  loss.line = number(json.at("line"));
  loss.offset = number(json.at("offset"));
  loss.bytes = number(json.at("bytes"));
  loss.reason = json.at("reason").get<std::string>();
  return loss;
}

/// The record of a journal line; nothing where it is none.
std::optional<JournalRecord> record_of(JournalParser& parser, std::string_view line) {
  if (!journal_checksum_holds(line)) return std::nullopt;
  const std::string padded = std::string(line) + std::string(journal_padding(), '\0');
  std::string problem;
  return parser.parse(std::string_view(padded).substr(0, line.size()), problem);
}

template <typename Record>
Record record_from(JournalParser& parser, const Json& json) {
  std::string line = json.get<std::string>();
  if (line.ends_with('\n')) line.pop_back();
  const std::optional<JournalRecord> record = record_of(parser, line);
  if (!record || !std::holds_alternative<Record>(*record)) unusable("found another record than expected");
  return std::get<Record>(*record);
}

JournalOwner owner_from(const Json& json) {
  JournalParser parser;
  JournalOwner owner;
  owner.record = record_from<OwnerRecord>(parser, json.at("record"));
  owner.images = number(json.at("images"));
  if (!json.at("account").is_null()) owner.account = record_from<RunAccount>(parser, json.at("account"));
  return owner;
}

SweepState state_from(const Json& json) {
  SweepState state;
  state.name = json.at("name").get<std::string>();
  state.grid_points = number(json.at("grid_points"));
  state.images = number(json.at("images"));
  state.points = points_from(json.at("points"));
  const Json& expected = json.at("expected");
  state.expected = {number(expected.at(0)), number(expected.at(1)), number(expected.at(2))};
  state.chips = chips_from(json.at("chips"));
  for (const Json& shards : json.at("shards")) {
    std::vector<ChipCounts>& all = state.shards[static_cast<std::uint32_t>(shards.size())];
    for (const Json& chips : shards) all.push_back(chips_from(chips));
  }
  if (const Json& round = json.at("round"); !round.is_null()) {
    state.round = {number<std::uint32_t>(round.at(0)), number<std::uint32_t>(round.at(1)), number(round.at(2))};
  }
  for (const Json& failure : json.at("failures")) state.failures.push_back(failure_from(failure));
  state.failures_found = number(json.at("failures_found"));
  for (const Json& loss : json.at("losses")) state.losses.push_back(loss_from(loss));
  state.losses_found = number(json.at("losses_found"));
  for (const auto& [name, owner] : json.at("owners").items()) state.owners[name] = owner_from(owner);
  return state;
}

// ---- what the journals say since ----

/// The end of a segment, from a line's beginning on.
struct SegmentEnd {
  std::vector<JournalRecord> owners;  ///< owner records and accounts, in order
  bool has_owner = false;
  bool news = false;  ///< anything else that matters to the counts
};

/// Whether the last bytes of a segment, without newline, may hold a record; a torn line holds none.
bool may_hold_record(std::string_view piece) {
  return !piece.empty() && (piece.rfind(journal_line_start) != 0 || journal_checksum_holds(piece));
}

void look_at_line(JournalParser& parser, std::string_view line, SegmentEnd& end) {
  // `{"crc":"xxxxxxxx",` comes before the kind. Units, the most by far, need no more than a look.
  constexpr std::size_t kind_at = journal_line_start.size() + 10;
  constexpr std::string_view quiet_kinds[] = {"\"kind\":\"owner\"", "\"kind\":\"account\"", "\"kind\":\"header\""};
  const std::string_view kind = line.substr(std::min(line.size(), kind_at));
  const bool quiet = std::any_of(std::begin(quiet_kinds), std::end(quiet_kinds),
                                 [&](std::string_view name) { return kind.starts_with(name); });
  std::optional<JournalRecord> record = quiet ? record_of(parser, line) : std::nullopt;
  if (!record) {
    end.news = end.news || !line.empty();
  } else if (const auto* header = std::get_if<JournalHeader>(&*record)) {
    end.news = end.news || header->format > journal_format_version || header->physics_version != physics_version;
  } else {
    end.has_owner = end.has_owner || std::holds_alternative<OwnerRecord>(*record);
    end.owners.push_back(std::move(*record));
  }
}

SegmentEnd look_at(std::string_view text) {
  SegmentEnd end;
  JournalParser parser;
  std::size_t at = 0;
  for (std::size_t newline = 0; (newline = text.find('\n', at)) != std::string_view::npos; at = newline + 1) {
    look_at_line(parser, text.substr(at, newline - at), end);
  }
  end.news = end.news || may_hold_record(text.substr(at));
  return end;
}

/// Bytes [from, to) of a segment, `from` being the beginning of a line; of many the last ones up to an owner.
SegmentEnd read_end(FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t window = first_window;; window *= 4) {
    const std::uint64_t begin = to - std::min(window, to - from);
    const std::string text = read_range(files, path, begin, to);
    const std::size_t whole_lines = begin == from ? 0 : std::min(text.find('\n'), text.size());
    SegmentEnd end = look_at(std::string_view(text).substr(whole_lines));
    end.news = end.news || begin > from;
    if (end.has_owner || begin == from || window >= last_window) return end;
  }
}

/// Brings a state up to date in what the ends of the journals say.
void read_on(FileSystem& files, const std::string& folder, std::map<std::string, Covered> covered, KnownState& known) {
  bool news = false;
  std::map<std::string, SegmentEnd> ends;  // the last that has an owner, by SHARD
  for (const std::string& path : journal_segments(files, folder)) {
    const std::uint64_t size = size_of(files, path);
    const Covered begin = covered[name_of(path)];
    covered.erase(name_of(path));
    if (size < begin.bytes || (begin.bytes > 0 && hash_of_end(files, path, begin.bytes) != begin.end)) {
      unusable(path + " is not the file that was counted");
    }
    known.journal_bytes += size;
    known.bytes_since += size - begin.bytes;
    if (size == begin.bytes) continue;
    SegmentEnd end = read_end(files, path, begin.bytes, size);
    news = news || end.news;
    SegmentEnd& last = ends[journal_shard(path)];
    if (end.has_owner || !last.has_owner) last = std::move(end);
  }
  if (!covered.empty()) unusable(covered.begin()->first + " was counted and has gone");
  for (auto& [shard, end] : ends) {
    for (JournalRecord& record : end.owners) {
      if (auto* owner = std::get_if<OwnerRecord>(&record)) known.state.owners[shard].take(std::move(*owner));
      if (auto* account = std::get_if<RunAccount>(&record)) known.state.owners[shard].account = *account;
    }
  }
  known.exact = !news;
}

KnownState known_state(FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/status.json";
  const std::uint64_t size = size_of(files, path);
  if (size > most_file_bytes) unusable("too large");
  const std::string text = read_range(files, path, 0, size);
  const Json json = parse_json(body_of(text), path);
  if (number(json.at("format")) != status_format || number(json.at("physics_version")) != physics_version) {
    unusable("of another program");
  }
  if (json.at("sweep") != hash_text(read_text(files, folder + "/sweep.json")).hex()) unusable("of another sweep");
  KnownState known;
  known.counted_at = utc_from_text(json.at("time").get<std::string>());
  known.state = state_from(json.at("state"));
  std::map<std::string, Covered> covered;
  for (const auto& [name, segment] : json.at("segments").items()) {
    covered[name] = {number(segment.at(0)), Id128::from_hex(segment.at(1).get<std::string>())};
  }
  read_on(files, folder, std::move(covered), known);
  for (const auto& [name, owner] : known.state.owners) {
    utc_from_text(owner.record.started);
    utc_from_text(owner.record.heartbeat);
    if (!known.state.chips_of(shard_from_name(name).value_or(Shard{}))) unusable("a shard was not counted");
  }
  return known;
}

}  // namespace

Id128 sweep_copy_id(const Json& resolved) {
  return hash_text(resolved.dump(2) + "\n");
}

StatusFile::StatusFile(FileSystem& files, const TimeSource& clock, std::string folder, Id128 sweep,
                       std::optional<std::string> own_shard)
    : files_(files), clock_(clock), folder_(std::move(folder)), sweep_(sweep), own_shard_(std::move(own_shard)) {}

void StatusFile::write(const SweepState& state, const JournalContent& journal) {
  try {
    Json segments = Json::object();
    for (const std::string& path : journal_segments(files_, folder_)) {
      Covered covered;
      const auto tail = journal.tails.find(path);
      // A last line whose newline is missing: how it will be mended is not known yet.
      if (tail != journal.tails.end() && tail->second.open_record) return;
      if (own_shard_ && journal_shard(path) == *own_shard_) {
        covered.bytes = size_of(files_, path);  // nobody else adds to it
      } else if (tail != journal.tails.end()) {
        covered.bytes = tail->second.good_end;
      } else {
        continue;
      }
      covered.end = hash_of_end(files_, path, covered.bytes);
      segments[name_of(path)] = {covered.bytes, covered.end.hex()};
    }
    const Json body{{"format", status_format}, {"physics_version", physics_version},
                    {"sweep", sweep_.hex()},   {"time", utc_text(clock_.utc())},
                    {"segments", segments},    {"state", json_of(state)}};
    replace_file(files_, folder_ + "/status.json", checked(body.dump(-1, ' ', false, Json::error_handler_t::replace)));
  } catch (const Error&) {
    // It can be counted at any time; a run must not end for it.
  }
}

std::optional<KnownState> read_status_file(FileSystem& files, const std::string& folder) {
  try {
    return known_state(files, folder);
  } catch (const Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

bool worth_showing(const KnownState& known) {
  if (counted_at_once(known.state.grid_points, known.journal_bytes)) return false;
  return known.state.shards.empty() || known.bytes_since <= known.journal_bytes / 10;
}

std::uint64_t journal_bytes(FileSystem& files, const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const std::string& path : journal_segments(files, folder)) bytes += size_of(files, path);
  return bytes;
}

}  // namespace crossgrid
