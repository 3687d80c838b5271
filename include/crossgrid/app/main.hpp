#pragma once

namespace crossgrid {

/// The whole program: parses the command line, runs one command, prints errors, returns the exit code.
int run_command_line(int argc, char** argv);

}  // namespace crossgrid
