#include "crossgrid/engine/database_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

bool ColumnNames::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::size_t ColumnNames::place(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
  const std::string nearest = nearest_name(name, names_);
  throw Error(ExitCode::bad_input, fmt::format("unknown column '{}'{}\n  known: {}", name,
                                               nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                                               fmt::join(names_, ", ")));
}

DatabaseTable DatabaseTable::picked(std::span<const std::size_t> rows, const std::vector<std::string>& selected) const {
  DatabaseTable result{ColumnNames(selected), {}, texts};
  for (const std::string& name : selected) {
    const std::vector<DatabaseValue>& from = column(name);
    std::vector<DatabaseValue>& made = result.columns.emplace_back();
    made.reserve(rows.size());
    for (const std::size_t row : rows) made.push_back(from[row]);
  }
  return result;
}

std::string_view kept_text(std::pmr::memory_resource& memory, std::string_view text) {
  if (text.empty()) return {};
  auto* place = static_cast<char*>(memory.allocate(text.size(), 1));
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

}  // namespace crossgrid
