#include "crossgrid/app/slurm_script.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/slurm_templates.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

/// Replaces each @NAME@ once; what is put in is not looked at again.
std::string filled(std::string_view text, const std::map<std::string, std::string, std::less<>>& values) {
  std::string result;
  while (!text.empty()) {
    const std::size_t begin = text.find('@');
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('@', begin + 1);
    const auto value =
        end == std::string_view::npos ? values.end() : values.find(text.substr(begin + 1, end - begin - 1));
    if (value == values.end()) {
      const std::size_t plain = begin == std::string_view::npos ? text.size() : begin + 1;
      result += text.substr(0, plain);
      text.remove_prefix(plain);
    } else {
      result += text.substr(0, begin);
      result += value->second;
      text.remove_prefix(end + 1);
    }
  }
  return result;
}

std::string shell_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

/// `#SBATCH` lines.
class Header {
 public:
  void add(const std::string& option) { text_ += fmt::format("{}#SBATCH {}", text_.empty() ? "" : "\n", option); }
  void add(const char* name, const std::string& value) {
    if (!value.empty()) add(fmt::format("--{}={}", name, sbatch_word(value)));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// In file names sbatch replaces %x, %j and so on.
std::string literal_path(const std::string& path) {
  std::string text;
  for (const char letter : path) text += letter == '%' ? "%%" : std::string(1, letter);
  return text;
}

/// "--name" or "--name=value".
std::string sbatch_option(const std::string& option) {
  const std::size_t equals = option.find('=');
  if (equals == std::string::npos) return option;
  return option.substr(0, equals + 1) + sbatch_word(option.substr(equals + 1));
}

void add_site(Header& header, const SlurmRequest& request, const char* log) {
  const SiteProfile& profile = request.profile;
  header.add("partition", profile.partition);
  header.add("account", profile.account);
  header.add("qos", profile.qos);
  header.add("constraint", profile.constraint);
  header.add("time", profile.time);
  header.add("output", literal_path(request.folder) + "/slurm/" + log);
  header.add("--open-mode=append");
  for (const std::string& option : profile.options) header.add(sbatch_option(option));
}

std::string setup_lines(const SiteProfile& profile) {
  std::string text;
  for (const std::string& line : profile.setup) text += line + "\n";
  if (!profile.modules.empty()) text += "module load " + shell_words(profile.modules) + "\n";
  return text;
}

/// Rank 0 schedules and needs next to nothing: one rank more than workers.
std::string launch_words(const SiteProfile& profile) {
  std::string words = profile.launcher == Launcher::mpirun
                          ? "mpirun --enable-recovery --oversubscribe --bind-to none -np $((SLURM_NTASKS + 1))"
                          : "srun --mpi=pmix --overcommit --cpu-bind=none --ntasks=$((SLURM_NTASKS + 1))";
  if (profile.gpus_per_node > 0) {
    // Each rank sees one of its node's GPUs; its executors inherit that.
    words += R"( bash -c '
    IFS=, read -ra gpus <<<"$CUDA_VISIBLE_DEVICES"
    rank=${OMPI_COMM_WORLD_LOCAL_RANK:-$SLURM_LOCALID}
    ((${#gpus[@]})) && export CUDA_VISIBLE_DEVICES=${gpus[rank % ${#gpus[@]}]}
    exec "$@"' one-gpu)";
  }
  return words;
}

/// [s] between tries while an owner is believed, together longer than its lease.
constexpr const char* busy_pauses = "20 20 20 20 0";

std::map<std::string, std::string, std::less<>> common_values(const SlurmRequest& request) {
  return {{"WORK_FOLDER", shell_word(request.work_folder)},
          {"PROGRAM", shell_word(request.program)},
          {"FOLDER", shell_word(request.folder)},
          {"BUSY_PAUSES", busy_pauses},
          {"SETUP", setup_lines(request.profile)}};
}

}  // namespace

std::string sbatch_word(const std::string& word) {
  constexpr const char* plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,+@%";
  if (word.find('\n') != std::string::npos) {
    throw Error(ExitCode::usage, fmt::format("found a line break in '{}', which can't be told to sbatch", word));
  }
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "\"";
  for (const char letter : word) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + "\"";
}

std::string job_script(const SlurmRequest& request) {
  const SiteProfile& profile = request.profile;
  Header header;
  header.add("job-name", request.name);
  header.add(fmt::format("--nodes={}", profile.nodes));
  header.add(fmt::format("--ntasks-per-node={}", profile.workers_per_node));
  header.add(fmt::format("--cpus-per-task={}", profile.cpus_per_worker));
  header.add("mem", profile.memory_per_node);
  if (profile.gpus_per_node > 0) {
    constexpr std::string_view place = "{gpus}";
    std::string option = profile.gpus_option;
    option.replace(option.find(place), place.size(), std::to_string(profile.gpus_per_node));
    header.add(sbatch_option(option));
  }
  if (request.shards > 1) header.add(fmt::format("--array=1-{}", request.shards));
  header.add(fmt::format("--signal=B:USR1@{}", profile.warning_seconds));
  header.add("--requeue");
  add_site(header, request, request.shards > 1 ? "%x-%A_%a.log" : "%x-%j.log");
  auto values = common_values(request);
  values["SBATCH"] = header.text();
  values["RUN"] = shell_words(request.run);
  values["SHARDS"] = std::to_string(request.shards);
  values["LAUNCH"] = launch_words(profile);
  return filled(job_template, values);
}

std::string gather_script(const SlurmRequest& request) {
  Header header;
  header.add("job-name", request.name + "-gather");
  header.add("--ntasks=1");
  header.add(fmt::format("--cpus-per-task={}", request.profile.cpus_per_worker));
  add_site(header, request, "%x-%j.log");
  auto values = common_values(request);
  values["SBATCH"] = header.text();
  values["DRAW"] = request.draw.empty() ? "" : shell_words(request.draw) + " || echo 'not drawn, see above'";
  return filled(gather_template, values);
}

}  // namespace crossgrid
