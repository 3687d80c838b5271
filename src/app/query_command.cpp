#include <algorithm>
#include <iostream>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/engine/query.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

constexpr CommandHelp help{
    "query", "DIR [options]",
    "Prints points of a gathered database: those that match, groups of them, the columns asked for, or the Pareto "
    "front.\n"
    "Conditions: COLUMN = != < <= > >= VALUE, COLUMN in (VALUE, ...), joined by and, or, not and parentheses. "
    "Functions of\n"
    "groups: count, mean, std, min, max, median. All of it: docs/database.md.",
    "  crossgrid query results/quickstart --where 'adc.bits>=6' --select adc.bits,array.rows_max,top1.mean\n"
    "  crossgrid query results/quickstart --where 'adc.bits in (5, 6) and not top1.mean<0.9' --csv\n"
    "  crossgrid query results/quickstart --group-by adc.bits --select 'adc.bits,count(),max(top1.mean)' --markdown\n"
    "  crossgrid query results/quickstart --pareto 'max:top1.mean,min:adc.bits'\n"
    "  crossgrid query results/quickstart --sort -top1.mean --limit 5"};

/// "a,b" and repeated options alike.
Words comma_list(const po::variables_map& values, const char* option) {
  Words words;
  if (!values.count(option)) return words;
  for (const std::string& text : values[option].as<Words>()) {
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      if (comma > start) words.push_back(text.substr(start, comma - start));
      start = comma + 1;
    }
  }
  return words;
}

TableFormat format_of(const po::variables_map& values) {
  constexpr std::pair<const char*, TableFormat> formats[] = {
      {"csv", TableFormat::csv}, {"json", TableFormat::json_lines}, {"markdown", TableFormat::markdown}};
  TableFormat format = TableFormat::table;
  for (const auto& [option, meant] : formats) {
    if (!values.count(option)) continue;
    if (format != TableFormat::table) throw Error(ExitCode::usage, "--csv, --json and --markdown exclude each other");
    format = meant;
  }
  return format;
}

}  // namespace

int query_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a run, or a points.jsonl")(
      "where", po::value<Words>()->composing(), "condition such as adc.bits>=6 or mapping=balanced; repeat for 'and'")(
      "select", po::value<Words>()->composing(), "columns, or functions such as mean(top1.mean), separated by commas")(
      "group-by", po::value<Words>()->composing(), "columns: a row for each combination of their values")(
      "sort", po::value<Words>()->composing(), "columns to sort by, '-' in front for descending")(
      "pareto", po::value<std::string>()->default_value(""),
      "only rows that no other beats, e.g. max:top1.mean,min:adc.bits")(
      "limit", po::value<std::size_t>()->default_value(0), "most rows (0: all)")("csv", "as CSV")(
      "json", "as JSON Lines")("markdown", "as a Markdown table");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  QueryOptions query;
  query.folder = required_argument(help, *values, "folder", "the output folder");
  if (values->count("where")) query.where = (*values)["where"].as<Words>();
  query.select = comma_list(*values, "select");
  query.sort = comma_list(*values, "sort");
  query.pareto = (*values)["pareto"].as<std::string>();
  query.limit = (*values)["limit"].as<std::size_t>();
  query.group_by = comma_list(*values, "group-by");
  query.format = format_of(*values);
  if (run_query(query, std::cout) == 0) std::cerr << "no point matches\n";
  return 0;
}

}  // namespace crossgrid
