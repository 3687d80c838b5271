#include "crossgrid/app/slurm_queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

std::string jobs_path(const std::string& folder) {
  return folder + "/slurm/jobs.json";
}

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool is_job_id(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

void write_submitted_jobs(const std::string& folder, const SubmittedJobs& jobs) {
  const Json document{{"sweep", jobs.sweep}, {"gather", jobs.gather}};
  replace_file(posix_files(), jobs_path(folder), document.dump(2) + "\n");
}

SubmittedJobs read_submitted_jobs(const std::string& folder) {
  const std::string path = jobs_path(folder);
  if (!file_exists(posix_files(), path)) return {};
  const Json document = read_json_file(path);
  const auto id = [&](const char* name, bool may_be_empty) {
    const bool text = document.is_object() && document.contains(name) && document[name].is_string();
    std::string value = text ? document[name].get<std::string>() : "";
    if (!text || !(is_job_id(value) || (may_be_empty && value.empty()))) {
      throw input_error(fmt::format("{}: /{}", path, name), "expected the id of a job, digits in quotes");
    }
    return value;
  };
  return {id("sweep", false), id("gather", true)};
}

std::string run_slurm(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(ExitCode::internal, "pipe2: " + error_text(errno));
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int problem = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (problem != 0) {
    ::close(ends[0]);
    throw Error(ExitCode::bad_input, fmt::format("can't start {}: {}; submit and cancel need Slurm's programs on PATH",
                                                 words[0], error_text(problem)));
  }
  std::string output = read_to_end(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(ExitCode::bad_input, fmt::format("{} failed (exit code {}): see what it says above", words[0],
                                                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  return output;
}

std::vector<std::string> queued_jobs(const SubmittedJobs& jobs) {
  // Asked for by id, squeue fails where Slurm has forgotten one.
  std::istringstream lines(run_slurm({"squeue", "--noheader", "--me", "--format=%F"}));
  std::vector<std::string> queued;
  for (std::string line; lines >> line;) {
    const bool ours = line == jobs.sweep || line == jobs.gather;
    if (ours && std::find(queued.begin(), queued.end(), line) == queued.end()) queued.push_back(line);
  }
  return queued;
}

}  // namespace crossgrid
