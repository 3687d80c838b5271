#include "crossgrid/base/memory.hpp"

#include <fstream>
#include <string>

namespace crossgrid {

std::optional<std::uint64_t> available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kibibytes = 0; info >> name >> kibibytes; std::getline(info, unit)) {
    if (name == "MemAvailable:") return kibibytes * 1024;
  }
  return std::nullopt;
}

}  // namespace crossgrid
