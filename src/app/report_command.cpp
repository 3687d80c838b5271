#include <fmt/format.h>

#include <optional>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/report_page.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/pareto.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "report", "DIR [-o FILE]",
    "Writes the results of a gathered database as one HTML page: overview, expected values, plots along each axis and\n"
    "over pairs of axes, Pareto front, failures, provenance. The page needs no other file and no network.",
    "  crossgrid report results/quickstart\n"
    "  crossgrid report results/quickstart --pareto 'max:top1.mean,min:array.rows_max' -o rows.html"};

Json json_if_there(const std::string& path) {
  return file_exists(posix_files(), path) ? parse_json(read_text(posix_files(), path), path) : Json();
}

}  // namespace

int report_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a run, or a points.jsonl")(
      "output,o", po::value<std::string>(), "the page (default: report.html in the folder)")(
      "pareto", po::value<std::string>()->default_value(""),
      "objectives, the first one upwards, e.g. max:top1.mean,min:adc.bits (default: the first metric against ADC bits "
      "or "
      "the like)");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  const DatabaseFile file(required_argument(help, *values, "folder", "the output folder"));
  if (file.columns().size() == 0) throw input_error(file.path(), "no points");
  const std::string folder = folder_of(file.path());
  const std::string pareto = (*values)["pareto"].as<std::string>();
  if (!pareto.empty() && parse_objectives(pareto).size() < 2) {
    throw Error(ExitCode::usage, fmt::format("--pareto {}: expected at least two objectives", pareto));
  }
  std::optional<DatabaseTable> crossings;
  if (const std::string path = folder + "/crossings.jsonl"; file_exists(posix_files(), path)) {
    const DatabaseFile lines(path);
    crossings = lines.read(lines.columns().names());
  }
  const std::string page = report_page(file, crossings ? &*crossings : nullptr, json_if_there(folder + "/summary.json"),
                                       json_if_there(folder + "/sweep.json"), pareto);
  const std::string output = values->count("output") ? (*values)["output"].as<std::string>() : folder + "/report.html";
  replace_file(posix_files(), output, page);
  fmt::print("wrote {}\n", output);
  return 0;
}

}  // namespace crossgrid
