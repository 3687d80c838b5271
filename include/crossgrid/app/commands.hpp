#pragma once

#include <string>
#include <vector>

/// The commands, one source file each. Each takes the words after its name and returns the exit code
/// (docs/exit-codes.md); errors come as crossgrid::Error.
namespace crossgrid {

using Arguments = std::vector<std::string>;

int run_command(const Arguments& arguments);
int plan_command(const Arguments& arguments);
int validate_command(const Arguments& arguments);
int status_command(const Arguments& arguments);
int gather_command(const Arguments& arguments);
int submit_command(const Arguments& arguments);
int cancel_command(const Arguments& arguments);
int query_command(const Arguments& arguments);
int replay_command(const Arguments& arguments);
int diff_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int explain_command(const Arguments& arguments);
int calibrate_command(const Arguments& arguments);
int export_command(const Arguments& arguments);
int adc_command(const Arguments& arguments);
int circuit_command(const Arguments& arguments);
int info_command(const Arguments& arguments);
/// Hidden: the process that a worker starts to run units in.
int executor_command(const Arguments& arguments);

}  // namespace crossgrid
