#include "crossgrid/app/command_line.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iostream>
#include <typeinfo>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace po = boost::program_options;

namespace {

Error usage_error(const CommandHelp& help, const std::string& problem) {
  return Error(ExitCode::usage, fmt::format("{}\n  usage: crossgrid {} {}\n  'crossgrid {} --help' says more", problem,
                                            help.name, help.arguments, help.name));
}

std::vector<std::string> long_names(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back("--" + option->long_name());
  return names;
}

/// Numbers that have no sign: "-5" would be read as a very large one.
void refuse_negative_numbers(const CommandHelp& help, const po::parsed_options& parsed,
                             const po::variables_map& values) {
  for (const auto& option : parsed.options) {
    const std::type_info& type = values[option.string_key].value().type();
    if (type != typeid(std::uint32_t) && type != typeid(std::uint64_t)) continue;
    const std::string& text = option.value.front();
    if (text.find('-') == std::string::npos) continue;
    throw usage_error(help, fmt::format("--{} {}: expected 0 or more", option.string_key, text));
  }
}

void print_help(const CommandHelp& help, const po::options_description& options) {
  std::cout << "usage: crossgrid " << help.name << ' ' << help.arguments << "\n\n"
            << help.about << "\n\n"
            << options << "\nexamples:\n"
            << help.examples << '\n';
}

}  // namespace

std::optional<po::variables_map> parse_arguments(const CommandHelp& help, po::options_description options,
                                                 const char* positional, const std::vector<std::string>& arguments) {
  options.add_options()("help,h", "show this help");
  po::positional_options_description words;
  if (*positional) words.add(positional, options.find(positional, false).semantic()->is_composing() ? -1 : 1);
  po::variables_map values;
  try {
    const po::parsed_options parsed =
        po::command_line_parser(arguments)
            .options(options)
            .positional(words)
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run();
    po::store(parsed, values);
    refuse_negative_numbers(help, parsed, values);
    if (values.count("help")) {
      print_help(help, options);
      return std::nullopt;
    }
    po::notify(values);
  } catch (const po::unknown_option& error) {
    const std::string nearest = nearest_name(error.get_option_name(), long_names(options));
    throw usage_error(help, fmt::format("unknown flag '{}'{}", error.get_option_name(),
                                        nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
  } catch (const po::error& error) {
    throw usage_error(help, error.what());
  }
  return values;
}

void add_sweep_options(po::options_description& options) {
  options.add_options()("sweep", po::value<std::string>(), "the sweep file")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "NAME=VALUE: override a parameter of the sweep file, e.g. adc.bits=6")(
      "grid", po::value<std::vector<std::string>>()->composing(),
      "NAME=V1,V2,...: add or replace an axis, e.g. adc.bits=4,6,8")("allow-outside",
                                                                     "let 'include' leave the sweep file's folder");
}

SweepOverrides sweep_overrides(const po::variables_map& values) {
  SweepOverrides overrides;
  if (values.count("set")) overrides.set = values["set"].as<std::vector<std::string>>();
  if (values.count("grid")) overrides.grid = values["grid"].as<std::vector<std::string>>();
  overrides.allow_outside = values.count("allow-outside") > 0;
  return overrides;
}

std::string required_argument(const CommandHelp& help, const po::variables_map& values, const char* option,
                              const char* what) {
  if (!values.count(option)) throw usage_error(help, fmt::format("{} is missing", what));
  return values[option].as<std::string>();
}

std::string shell_word(const std::string& word) {
  constexpr const char* plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? "'\\''" : std::string(1, letter);
  return text + "'";
}

SweepFile sweep_argument(const CommandHelp& help, const po::variables_map& values) {
  return read_sweep(required_argument(help, values, "sweep", "the sweep file"), sweep_overrides(values));
}

}  // namespace crossgrid
