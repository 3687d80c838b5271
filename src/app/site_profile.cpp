#include "crossgrid/app/site_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

/// A field of the profile that is being read.
class Field {
 public:
  Field(const std::string& file, std::string pointer, const Json& value)
      : file_(file), pointer_(std::move(pointer)), value_(value) {}

  [[noreturn]] void fail(const std::string& expected) const {
    throw input_error(file_ + ": " + pointer_, fmt::format("found {}, expected {}", value_.dump(), expected));
  }

  std::string line() const {
    const bool good =
        value_.is_string() && !value_.get_ref<const std::string&>().empty() &&
        std::none_of(value_.get_ref<const std::string&>().begin(), value_.get_ref<const std::string&>().end(),
                     [](unsigned char letter) { return letter < ' ' || letter == 127; });
    if (!good) fail("one line of text");
    return value_.get<std::string>();
  }

  std::string matching(const std::function<bool(const std::string&)>& good, const char* expected) const {
    if (!value_.is_string() || !good(value_.get_ref<const std::string&>())) fail(expected);
    return line();
  }

  std::uint32_t number(std::uint32_t least, std::uint32_t most) const {
    if (!value_.is_number_integer() || value_ < least || value_ > most) {
      fail(fmt::format("a whole number from {} to {}", least, most));
    }
    return value_.get<std::uint32_t>();
  }

  std::vector<std::string> list(const std::function<std::string(const Field&)>& read) const {
    if (!value_.is_array()) fail("a list of texts");
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < value_.size(); ++i) {
      texts.push_back(read(Field(file_, fmt::format("{}/{}", pointer_, i), value_[i])));
    }
    return texts;
  }

 private:
  const std::string& file_;
  std::string pointer_;
  const Json& value_;
};

bool matches(const std::string& text, const char* pattern) {
  return std::regex_match(text, std::regex(pattern));
}

bool is_option(const std::string& text) {
  return matches(text, "--[a-z][a-z0-9-]*(=.+)?");
}

using Read = std::function<void(SiteProfile&, const Field&)>;

template <std::string SiteProfile::*member>
void read_line(SiteProfile& profile, const Field& field) {
  profile.*member = field.line();
}

template <std::uint32_t SiteProfile::*member, std::uint32_t least, std::uint32_t most>
void read_number(SiteProfile& profile, const Field& field) {
  profile.*member = field.number(least, most);
}

const std::map<std::string, Read>& fields() {
  static const std::map<std::string, Read> table{
      {"about", [](SiteProfile&, const Field& field) { field.line(); }},
      {"partition", read_line<&SiteProfile::partition>},
      {"account", read_line<&SiteProfile::account>},
      {"qos", read_line<&SiteProfile::qos>},
      {"constraint", read_line<&SiteProfile::constraint>},
      {"time",
       [](SiteProfile& profile, const Field& field) {
         profile.time = field.matching([](const std::string& text) { return slurm_seconds(text).has_value(); },
                                       "a time limit such as \"30\" (minutes), \"12:00:00\" or \"1-12\"");
       }},
      {"nodes", read_number<&SiteProfile::nodes, 1, 100'000>},
      {"workers_per_node", read_number<&SiteProfile::workers_per_node, 1, 1024>},
      {"cpus_per_worker", read_number<&SiteProfile::cpus_per_worker, 1, 1024>},
      {"memory_per_node",
       [](SiteProfile& profile, const Field& field) {
         profile.memory_per_node = field.matching(
             [](const std::string& text) { return matches(text, "[0-9]+[KMGT]?"); }, "a size such as \"64G\"");
       }},
      {"gpus_per_node", read_number<&SiteProfile::gpus_per_node, 0, 64>},
      {"gpus_option",
       [](SiteProfile& profile, const Field& field) {
         profile.gpus_option = field.matching(
             [](const std::string& text) { return is_option(text) && text.find("{gpus}") != std::string::npos; },
             "an option of sbatch with {gpus} in it, such as \"--gres=gpu:{gpus}\"");
       }},
      {"modules",
       [](SiteProfile& profile, const Field& field) {
         profile.modules = field.list([](const Field& entry) { return entry.line(); });
       }},
      {"setup",
       [](SiteProfile& profile, const Field& field) {
         profile.setup = field.list([](const Field& entry) { return entry.line(); });
       }},
      {"options",
       [](SiteProfile& profile, const Field& field) {
         profile.options = field.list([](const Field& entry) {
           return entry.matching(is_option, "an option of sbatch such as \"--exclusive\" or \"--mem-bind=local\"");
         });
       }},
      {"launcher",
       [](SiteProfile& profile, const Field& field) {
         const std::string name = field.matching(
             [](const std::string& text) { return text == "mpirun" || text == "srun"; }, "\"mpirun\" or \"srun\"");
         profile.launcher = name == "srun" ? Launcher::srun : Launcher::mpirun;
       }},
      {"warning_seconds", read_number<&SiteProfile::warning_seconds, 30, 65535>},
  };
  return table;
}

}  // namespace

std::optional<std::uint64_t> slurm_seconds(const std::string& text) {
  std::smatch parts;
  static const std::regex plain("([0-9]{1,7})(:([0-9]{1,2}))?(:([0-9]{1,2}))?");
  static const std::regex with_days("([0-9]{1,4})-([0-9]{1,2})(:([0-9]{1,2}))?(:([0-9]{1,2}))?");
  const auto number = [&](std::size_t part) {
    return parts[part].matched ? std::stoull(parts[part].str()) : std::uint64_t{0};
  };
  if (std::regex_match(text, parts, with_days)) {
    return ((number(1) * 24 + number(2)) * 60 + number(4)) * 60 + number(6);
  }
  if (!std::regex_match(text, parts, plain)) return std::nullopt;
  return parts[5].matched ? (number(1) * 60 + number(3)) * 60 + number(5) : number(1) * 60 + number(3);
}

SiteProfile read_site_profile(const std::string& path) {
  const Json document = read_json_file(path);
  if (!document.is_object()) throw input_error(path + ": /", "expected an object, see docs/slurm.md");
  SiteProfile profile;
  for (const auto& [name, value] : document.items()) {
    const auto field = fields().find(name);
    if (field == fields().end()) {
      std::vector<std::string> known;
      for (const auto& [other, read] : fields()) known.push_back(other);
      const std::string nearest = nearest_name(name, known);
      throw input_error(
          fmt::format("{}: /{}", path, name),
          fmt::format("unknown field{}; known: {}", nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                      fmt::join(known, ", ")));
    }
    field->second(profile, Field(path, "/" + name, value));
  }
  if (profile.gpus_per_node > 0 && !document.contains("workers_per_node")) {
    profile.workers_per_node = profile.gpus_per_node;
  }
  return profile;
}

}  // namespace crossgrid
