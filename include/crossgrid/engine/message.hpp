#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/unit.hpp"

/// What the scheduler, its workers and their executor processes say to each other. The same few messages travel
/// between ranks and over the socket to an executor; links keep the order between two ends, nothing more is assumed.
namespace crossgrid {

/// Time on a monotonic clock whose zero means nothing. The state machines get it as an argument and never read it.
using Time = std::chrono::nanoseconds;

/// Seconds to Time and back.
constexpr Time from_seconds(double seconds) {
  return Time(static_cast<std::int64_t>(seconds * 1e9));
}
constexpr double to_seconds(Time time) {
  return static_cast<double>(time.count()) * 1e-9;
}

/// A unit's place in the order in which the source gave it; it names the unit in messages.
using UnitId = std::uint64_t;
inline constexpr UnitId no_unit = ~UnitId{0};

/// A unit on its way to an executor.
struct Task {
  UnitId id = 0;
  Unit unit;
  double time_limit = 0;  ///< [s] after which the executor is taken for hung
  bool operator==(const Task&) const = default;
};

/// What one attempt at a unit gave. `result.status == failed` fails the attempt, not yet the unit.
struct Outcome {
  UnitId id = 0;
  UnitResult result;
};

struct JobMessage {  ///< to worker and executor: what all units belong to; first message of all
  std::string text;
};
struct WorkMessage {  ///< to worker and executor: run these, in this order
  std::vector<Task> tasks;
};
struct RecallMessage {};  ///< to worker and executor: hand back what has not been started
struct StopMessage {};    ///< to worker: end now
struct AliveMessage {};   ///< to worker: rank 0 lives
struct HelloMessage {     ///< from worker: here I am; from executor: the job is loaded
  std::string host;
  std::int64_t process = 0;  ///< id on that host
  std::string warning;       ///< for the user; may be empty
};
struct OutcomesMessage {  ///< from worker and executor
  std::vector<Outcome> outcomes;
};
struct ReturnedMessage {  ///< from worker and executor: answer to a recall, what was not started
  std::vector<UnitId> ids;
};
struct PulseMessage {  ///< from worker, when it has nothing else to say: still here, running this unit (or no_unit)
  UnitId in_flight = no_unit;
};
/// Who can't run the job.
enum class Broken : std::uint8_t {
  process,  ///< this executor process; the next one may
  worker,   ///< this worker, now and later; others may
  run       ///< nobody: the job itself is at fault
};
struct BrokenMessage {  ///< from worker and executor: can't run this job
  std::string text;
  ExitCode code = ExitCode::internal;
  Broken what = Broken::process;
};
struct ByeMessage {};  ///< from worker: ended

using Message = std::variant<JobMessage, WorkMessage, RecallMessage, StopMessage, AliveMessage, HelloMessage,
                             OutcomesMessage, ReturnedMessage, PulseMessage, BrokenMessage, ByeMessage>;

/// Bytes of a message (little endian, self-contained) and back. decode_message() checks every length before it reads
/// or allocates and throws Error(internal) for bytes that are no message.
std::string encode_message(const Message& message);
Message decode_message(std::string_view bytes);

}  // namespace crossgrid
