#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// What `crossgrid NAME --help` says around the list of options.
struct CommandHelp {
  const char* name;
  const char* arguments;  ///< e.g. "SWEEP [options]"
  const char* about;      ///< one paragraph
  const char* examples;   ///< lines, each a whole command
};

/// Parses a command's arguments. `positional` names an option that takes the bare word, or where it is composing all
/// bare words; "" for none. Prints the help and returns nothing where --help is among them. Error(usage) names the flag
/// and the nearest known one.
std::optional<boost::program_options::variables_map> parse_arguments(
    const CommandHelp& help, boost::program_options::options_description options, const char* positional,
    const std::vector<std::string>& arguments);

/// --set, --grid and --allow-outside: on every command that reads a sweep.
void add_sweep_options(boost::program_options::options_description& options);
SweepOverrides sweep_overrides(const boost::program_options::variables_map& values);
/// The sweep file that the command line names. Error(usage) where it names none.
SweepFile sweep_argument(const CommandHelp& help, const boost::program_options::variables_map& values);
/// The one bare word of `option`. Error(usage) saying what is missing.
std::string required_argument(const CommandHelp& help, const boost::program_options::variables_map& values,
                              const char* option, const char* what);

/// A word of a command as a shell takes it: in quotes where it needs them.
std::string shell_word(const std::string& word);

}  // namespace crossgrid
