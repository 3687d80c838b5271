#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/engine/unit.hpp"

/// The lines of a journal (docs/journal-format.md).
namespace crossgrid {

/// Raised when a reader of today could misread what a newer program writes.
inline constexpr int journal_format_version = 1;
/// The longest line that is written or read, its newline included.
inline constexpr std::size_t journal_line_limit = std::size_t{1} << 20;

/// Who wrote, on what, for which sweep: the first line of every segment and of every run.
struct JournalHeader {
  int format = journal_format_version;
  int physics_version = 0;
  std::string program;  ///< version of the program
  std::string commit;
  std::string host;
  std::string backend;
  std::string numeric_class;  ///< backend, instruction-set level and library versions that decide last bits
  std::uint64_t seed = 0;
  std::string network;      ///< content hash of the network file, 32 hex digits
  std::string dataset;      ///< content hash of the test split
  std::string calibration;  ///< content hash of the calibration split
  std::uint64_t first_image = 0;
  std::uint64_t images = 0;
  std::string time;  ///< UTC, ISO 8601
  Json sweep;        ///< SweepFile::resolved
};

/// A point's resolved parameters; written once, before its first unit.
struct PointDefinition {
  Id128 id;
  std::string parameters;  ///< text of a flat JSON object; left out by JournalParser, since nothing asks for it
  /// A point defined in whole before it in the same segment: `parameters` then holds only what differs from it, null
  /// for those that this point has not.
  std::optional<Id128> base = {};
};

/// What `parameters` of a definition holds that is based on another; nothing where that can't be told in this way.
std::optional<Json> changed_parameters(const Json& base, const Json& whole);

/// The result of a unit. `result.unit.point` is not stored: the point is named by its content hash.
struct UnitRecord {
  Id128 point;
  UnitResult result;
  std::string host;
};

/// The host that a result is recorded under: the one that ran it, or `otherwise` where that is not known.
inline std::string_view host_of(const UnitResult& result, std::string_view otherwise) {
  return result.host.empty() ? otherwise : std::string_view(result.host);
}

/// Who holds the folder. Written at the start of a run, as its heartbeat, and at its end.
struct OwnerRecord {
  std::string host;
  std::int64_t pid = 0;
  std::string boot;  ///< the kernel's boot id: a pid means nothing after a reboot
  std::string started;
  std::string heartbeat;
  bool released = false;  ///< the run has ended in order
  bool operator==(const OwnerRecord&) const = default;
};

/// What a run was expected to take when it began, and what it has taken: written at its start, with its heartbeats and
/// at its end. Costs are of units, in the measure that the plan has (PlannedUnit::cost); predicted run times follow
/// from them by one factor, so that a comparison may be of other units than it began with.
struct RunAccount {
  struct Predicted {
    std::uint64_t units = 0;  ///< that were left when it began
    int workers = 1;
    int threads = 1;            ///< of each worker's executor
    double cost = 0;            ///< of all its units
    double unit_seconds = 0;    ///< sum of their run times
    double seconds = 0;         ///< of the run
    double megabytes = 0;       ///< peak memory of an executor
    double disk_megabytes = 0;  ///< the output folder, whole
    bool operator==(const Predicted&) const = default;
  };
  struct Measured {
    std::uint64_t units = 0;  ///< recorded so far
    double cost = 0;          ///< of these
    double unit_seconds = 0;
    double seconds = 0;  ///< since it began
    double megabytes = 0;
    bool operator==(const Measured&) const = default;
  };
  Predicted predicted;
  Measured measured;
  bool operator==(const RunAccount&) const = default;
};

/// A line of a kind that a newer program of the same format writes: kept, not understood.
struct UnknownRecord {
  std::string kind;
};

using JournalRecord = std::variant<JournalHeader, PointDefinition, UnitRecord, OwnerRecord, RunAccount, UnknownRecord>;

/// CRC-32 as zlib has it: of a line's text behind its checksum.
std::uint32_t journal_checksum(std::string_view text);

/// The command that runs one unit again, alone and in the process of the command itself; `folder` is a shell word.
std::string command_to_replay(std::string_view folder, const Id128& point, const Unit& unit);

/// What the journal keeps of why a unit failed: the reason's beginning and the log's end, 8 KiB each, as valid UTF-8.
std::string kept_reason(std::string_view reason);
std::string kept_log(std::string_view log);

/// One line each, with checksum and newline. Error(bad_input) where it would be longer than journal_line_limit.
std::string journal_line(const JournalHeader& header);
std::string journal_line(const PointDefinition& point);
std::string journal_line(const OwnerRecord& owner);
std::string journal_line(const RunAccount& account);
/// Appends the line of a unit to `text`: the hot path, no allocation of its own.
void append_journal_line(std::string& text, const Id128& point, const UnitResult& result, std::string_view host);

}  // namespace crossgrid
