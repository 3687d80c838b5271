#include <fmt/format.h>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/failpoint.hpp"
#include "crossgrid/engine/journal_record.hpp"
#include "crossgrid/engine/mpi_transport.hpp"
#include "crossgrid/engine/run_engine.hpp"

namespace crossgrid {

namespace {

constexpr CommandHelp help{
    "info", "[--failpoints]",
    "Prints what this program is and where it runs: version, commit, processor, libraries, what was built in.",
    "  crossgrid info"};

void print_failpoints() {
  fmt::print("failpoints, armed by CROSSGRID_FAILPOINTS='name=action@n;...' (for tests):\n");
  for (const FailpointName& point : failpoint_names()) fmt::print("  {:<28}{}\n", point.name, point.where);
}

}  // namespace

int info_command(const Arguments& arguments) {
  boost::program_options::options_description options("options");
  options.add_options()("failpoints", "list the points at which tests make the program fail");
  const auto values = parse_arguments(help, options, "", arguments);
  if (!values) return 0;
  if (values->count("failpoints")) {
    print_failpoints();
    return 0;
  }
  const std::string cuda = build_cuda_version();
  const std::string sanitizers = build_sanitizers();
  fmt::print("crossgrid: {} ({}, {} build{}{})\n", version_number(), version_commit(), build_type(),
             sanitizers.empty() ? "" : ", sanitizers ", sanitizers);
  fmt::print("cuda: {}\n", cuda.empty() ? "not built" : fmt::format("built with toolkit {}", cuda));
  fmt::print("numeric class: {}\n", host_numeric_class().text());
  fmt::print("cores: {} (affinity mask)\n", cores_in_mask());
  fmt::print("physics version: {}\njournal format: {}\n", physics_version, journal_format_version);
  fmt::print("launched by MPI: {}\n", launched_by_mpi() ? "yes" : "no (one process does all)");
  return 0;
}

}  // namespace crossgrid
