#pragma once

#include <stdexcept>
#include <string>

/// Errors that a user sees, and the exit codes of every command (docs/exit-codes.md).
namespace crossgrid {

enum class ExitCode : int {
  success = 0,
  internal = 1,         ///< a defect of Crossgrid
  usage = 2,            ///< unknown command or flag, bad flag value
  failed_points = 3,    ///< complete, but some points failed
  bad_input = 4,        ///< sweep file, network, data set or result folder is not as it must be
  busy = 5,             ///< the output folder is in use by another run
  storage = 6,          ///< a result could not be written
  conflict = 7,         ///< the output folder holds another sweep's results
  to_be_continued = 75  ///< stopped before the end; the same command continues (EX_TEMPFAIL)
};

/// The one exception that commands turn into a message and an exit code. `what()` is the whole message, without the
/// leading "error: ": what was found where, what was expected, and where useful what to do next.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Bad input at a place: `where` is "file", "file: /json/pointer" or "file:line:column".
inline Error input_error(const std::string& where, const std::string& problem) {
  return Error(ExitCode::bad_input, where + ": " + problem);
}

}  // namespace crossgrid
