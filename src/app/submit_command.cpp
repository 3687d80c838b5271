#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/run_words.hpp"
#include "crossgrid/app/slurm_queue.hpp"
#include "crossgrid/app/slurm_script.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/run_engine.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr CommandHelp help{
    "submit", "SWEEP [-o DIR] [--profile FILE] [--shards N] [options] [-- options of run]",
    "Hands a sweep to Slurm: a job, or an array of jobs with a shard each, that queue themselves again until all is "
    "done,\n"
    "and one that gathers and draws when they have ended. Scripts and logs are in DIR/slurm. docs/slurm.md says more.",
    "  crossgrid submit sweeps/quickstart.json --profile slurm/profiles/cpu.json --dry-run\n"
    "  crossgrid submit sweeps/fashion-mnist.json --profile mysite.json --nodes 2 --shards 8 --time 4:00:00\n"
    "  crossgrid submit sweeps/quickstart.json -- --threads 4 --isa avx2"};

po::options_description submit_options() {
  po::options_description options("options");
  add_sweep_options(options);
  options.add_options()("output,o", po::value<std::string>(), "output folder (default: results/NAME)")(
      "profile", po::value<std::string>(), "JSON file that says what the site wants: slurm/profiles/, docs/slurm.md")(
      "nodes", po::value<std::uint32_t>(), "nodes of each job, in place of the profile's")(
      "shards", po::value<std::uint32_t>()->default_value(1), "jobs that share the sweep, as a job array")(
      "time", po::value<std::string>(), "time limit of each job, in place of the profile's")(
      "dry-run", "print the scripts; submit nothing");
  return options;
}

/// The scripts that draw, beside an installed program or in its source tree; empty where they are not there.
std::string analysis_folder() {
  const fs::path program = fs::path(this_program()).parent_path();
  for (const char* place : {"../share/crossgrid/analysis", "../../analysis"}) {
    const fs::path folder = (program / place).lexically_normal();
    if (fs::exists(folder / "plot_accuracy.py")) return folder.string();
  }
  return "";
}

/// A picture of the results against the axis of most numbers, a line per value of the next one, the others fixed.
Words draw_command(const SweepContext& context, const std::string& folder) {
  const auto varies = [](const Axis& axis) { return axis.values.size() > 1; };
  const auto numbers = [](const Axis& axis) {
    return static_cast<std::size_t>(std::count_if(axis.values.begin(), axis.values.end(), [](const AxisValue& value) {
      return value.columns.front().is_number();
    }));
  };
  const std::vector<Axis>& axes = context.sweep.axes;
  const auto x =
      std::max_element(axes.begin(), axes.end(), [&](const Axis& a, const Axis& b) { return numbers(a) < numbers(b); });
  const std::string scripts = analysis_folder();
  if (x == axes.end() || numbers(*x) < 2 || scripts.empty()) return {};
  Words words{"python3", scripts + "/plot_accuracy.py", folder, "--x", x->columns.front()};
  bool has_lines = false;
  for (const Axis& axis : axes) {
    if (&axis == &*x || !varies(axis)) continue;
    if (!has_lines) {
      words.insert(words.end(), {"--by", axis.columns.front()});
      has_lines = true;
      continue;
    }
    const Json& first = axis.values.front().columns.front();
    const std::string text = first.is_string() ? first.get<std::string>() : first.dump();
    words.insert(words.end(), {"--where", axis.columns.front() + "=" + text});
  }
  const std::string& metric = context.sweep.metrics.front();
  words.insert(words.end(), {"--metric", metric, "-o", folder + "/" + metric + ".png"});
  return words;
}

SiteProfile profile_of(const po::variables_map& values) {
  SiteProfile profile;
  if (values.count("profile")) profile = read_site_profile(values["profile"].as<std::string>());
  if (values.count("nodes")) profile.nodes = values["nodes"].as<std::uint32_t>();
  if (profile.nodes < 1) throw Error(ExitCode::usage, "--nodes 0: expected 1 or more");
  if (values.count("time")) profile.time = values["time"].as<std::string>();
  if (profile.time.empty()) return profile;
  const auto seconds = slurm_seconds(profile.time);
  if (!seconds) {
    throw Error(ExitCode::usage,
                fmt::format("--time {}: expected a time limit such as 30 (minutes), 12:00:00 or 1-12", profile.time));
  }
  if (*seconds <= profile.warning_seconds) {
    throw Error(ExitCode::usage, fmt::format("a time limit of {} is not longer than the {} s before its end at which "
                                             "jobs stop in order (warning_seconds)",
                                             profile.time, profile.warning_seconds));
  }
  return profile;
}

/// What the job's 'crossgrid run' is told: this command's words for the sweep, and what follows "--".
Words run_words(const po::variables_map& values, const std::string& folder, const Words& extra) {
  Words words{values["sweep"].as<std::string>(), "--output", folder};
  for (const char* option : {"set", "grid"}) {
    if (!values.count(option)) continue;
    for (const std::string& text : values[option].as<Words>())
      words.insert(words.end(), {std::string("--") + option, text});
  }
  if (values.count("allow-outside")) words.emplace_back("--allow-outside");
  words.insert(words.end(), extra.begin(), extra.end());
  return words;
}

void refuse_second_submission(const std::string& folder) {
  const SubmittedJobs before = read_submitted_jobs(folder);
  if (before.sweep.empty()) return;
  const Words queued = queued_jobs(before);
  if (queued.empty()) return;
  throw Error(ExitCode::busy,
              fmt::format("{}: job {} of an earlier submission is still in the queue; wait for it, or end it with "
                          "'crossgrid cancel {}'",
                          folder, fmt::join(queued, ", "), shell_word(folder)));
}

/// The id that 'sbatch --parsable' prints: "12", or "12;cluster".
std::string submit_script(Words words) {
  words.insert(words.begin(), {"sbatch", "--parsable"});
  const std::string output = run_slurm(words);
  std::string id = output.substr(0, output.find_first_of(";\n"));
  if (!is_job_id(id)) {
    throw Error(ExitCode::bad_input, fmt::format("sbatch printed '{}', expected the id of a job", output));
  }
  return id;
}

/// Counts of jobs without a new record begin anew.
void forget_idle_jobs(const std::string& folder) {
  std::vector<std::string> names;
  posix_files().list(folder + "/slurm", names);
  for (const std::string& name : names) {
    if (name.starts_with("idle-")) posix_files().remove(fmt::format("{}/slurm/{}", folder, name));
  }
}

void submit(const SlurmRequest& request, const std::string& folder) {
  refuse_second_submission(folder);
  create_folders(posix_files(), folder + "/slurm");
  forget_idle_jobs(folder);
  const std::string job = folder + "/slurm/job.sh", gather = folder + "/slurm/gather.sh";
  replace_file(posix_files(), job, job_script(request));
  replace_file(posix_files(), gather, gather_script(request));
  SubmittedJobs jobs;
  jobs.sweep = submit_script({job});
  write_submitted_jobs(folder, jobs);
  jobs.gather = submit_script({"--dependency=afterany:" + jobs.sweep, gather});
  write_submitted_jobs(folder, jobs);
  fmt::print("submitted job {}{}, then {} to gather; scripts and logs are in {}/slurm\n", jobs.sweep,
             request.shards > 1 ? fmt::format(" ({} shards)", request.shards) : "", jobs.gather, folder);
  fmt::print("how far it is: crossgrid status {0}\nto end it: crossgrid cancel {0}\n", shell_word(folder));
}

}  // namespace

int submit_command(const Arguments& arguments) {
  const auto divider = std::find(arguments.begin(), arguments.end(), "--");
  const Words own(arguments.begin(), divider);
  const Words extra(divider == arguments.end() ? divider : divider + 1, arguments.end());
  const auto values = parse_arguments(help, submit_options(), "sweep", own);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  const std::string folder =
      values->count("output") ? (*values)["output"].as<std::string>() : "results/" + context.sweep.name;
  if (folder.empty()) throw Error(ExitCode::usage, "--output '': expected the name of a folder");
  SlurmRequest request;
  request.profile = profile_of(*values);
  request.shards = (*values)["shards"].as<std::uint32_t>();
  if (request.shards < 1 || request.shards > most_shards) {
    throw Error(ExitCode::usage, fmt::format("--shards {}: expected 1 to {}", request.shards, most_shards));
  }
  if (request.shards > 1) refuse_shards_in_rounds(context.sweep);
  request.name = context.sweep.name;
  request.program = this_program();
  request.work_folder = fs::current_path().string();
  request.folder = fs::absolute(folder).lexically_normal().string();
  check_run_words(extra);
  request.run = run_words(*values, request.folder, extra);
  request.draw = draw_command(context, request.folder);
  if (values->count("dry-run")) {
    fmt::print("{}", job_script(request));
    fmt::print("\n# ---- then, when it has ended, {}/slurm/gather.sh:\n{}", folder, gather_script(request));
    return 0;
  }
  submit(request, folder);
  return 0;
}

}  // namespace crossgrid
