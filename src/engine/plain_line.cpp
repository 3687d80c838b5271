#include "crossgrid/engine/plain_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "plain_json.hpp"

namespace crossgrid {

namespace {

const char* after_text(const char* at) {
  do ++at;
  while (is_plain(*at));
  return *at == '"' ? at + 1 : nullptr;
}

const char* after_word(std::string_view word, std::string_view rest) {
  return rest.starts_with(word) ? rest.data() + word.size() : nullptr;
}

const char* after_value(std::string_view rest) {
  switch (rest.front()) {
    case '"':
      return after_text(rest.data());
    case 'n':
      return after_word("null", rest);
    case 't':
      return after_word("true", rest);
    case 'f':
      return after_word("false", rest);
    default:
      return after_number(rest.data());
  }
}

}  // namespace

PlainLine::PlainLine(const ColumnNames& names) {
  const auto needs_no_escape = [](const std::string& name) { return std::all_of(name.begin(), name.end(), is_plain); };
  if (!std::all_of(names.names().begin(), names.names().end(), needs_no_escape)) return;
  for (const std::string& name : names.names()) keys_.push_back((keys_.empty() ? "{\"" : ",\"") + name + "\":");
}

bool PlainLine::split(std::string_view line, std::vector<std::string_view>& values) const {
  if (keys_.empty()) return false;
  values.clear();
  const char* at = line.data();
  const char* const end = at + line.size();
  for (const std::string& key : keys_) {
    // Longer than the key: a byte of the value is there.
    if (static_cast<std::size_t>(end - at) <= key.size() || std::memcmp(at, key.data(), key.size()) != 0) return false;
    const char* const value = at + key.size();
    at = after_value({value, end});
    if (at == nullptr) return false;
    values.emplace_back(value, at);
  }
  return end - at == 1 && *at == '}';
}

DatabaseValue plain_value(std::string_view text, std::pmr::memory_resource& memory) {
  using Kind = DatabaseValue::Kind;
  switch (text.front()) {
    case '"':
      return {Kind::text, kept_text(memory, text.substr(1, text.size() - 2))};
    case 'n':
      return {};
    case 't':
      return {Kind::json, "true"};
    case 'f':
      return {Kind::json, "false"};
    default:
      break;
  }
  if (text.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t integer = 0;
    std::from_chars(text.data(), text.data() + text.size(), integer);
    return DatabaseValue(integer);
  }
  double real = 0;
  std::from_chars(text.data(), text.data() + text.size(), real);
  return DatabaseValue(real);
}

}  // namespace crossgrid
