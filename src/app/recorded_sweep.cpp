#include "crossgrid/app/recorded_sweep.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/journal_reader.hpp"

namespace crossgrid {

SweepContext recorded_sweep(const std::string& folder) {
  const std::string sweep_copy = folder + "/sweep.json";
  if (journal_segments(posix_files(), folder).empty()) {
    throw Error(ExitCode::bad_input,
                fmt::format("{}: no journal there: not an output folder of 'crossgrid run'", folder));
  }
  return load_sweep_context(parse_sweep(read_json_file(sweep_copy), sweep_copy));
}

}  // namespace crossgrid
