#include <fmt/format.h>

#include <iostream>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/database_diff.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

constexpr CommandHelp help{
    "diff", "DIR_A DIR_B [--tolerance T]",
    "Compares the results of two gathered databases, point by point; points are matched by their parameters.\n"
    "Exits with 0 where they are equal and with 7 where points or results differ.",
    "  crossgrid diff results/before results/after\n"
    "  crossgrid diff results/avx2 results/avx512 --tolerance 1e-3"};

}  // namespace

int diff_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folders", po::value<Words>()->composing(),
                        "the two output folders, or files like points.jsonl")(
      "tolerance", po::value<double>()->default_value(0), "numbers differ by more than this, else they are equal")(
      "limit", po::value<std::size_t>()->default_value(20), "most points shown of each kind (0: all)");
  const auto values = parse_arguments(help, options, "folders", arguments);
  if (!values) return 0;
  const Words folders = values->count("folders") ? (*values)["folders"].as<Words>() : Words{};
  if (folders.size() != 2) {
    throw Error(ExitCode::usage, fmt::format("found {} output folders, expected two\n  usage: crossgrid {} {}",
                                             folders.size(), help.name, help.arguments));
  }
  const double tolerance = (*values)["tolerance"].as<double>();
  if (!(tolerance >= 0)) throw Error(ExitCode::usage, fmt::format("--tolerance {}: expected 0 or more", tolerance));
  const DatabaseDiff diff = diff_databases(DatabaseFile(folders[0]), DatabaseFile(folders[1]), tolerance);
  print_diff(diff, (*values)["limit"].as<std::size_t>(), std::cout);
  return static_cast<int>(diff.equal() ? ExitCode::success : ExitCode::conflict);
}

}  // namespace crossgrid
