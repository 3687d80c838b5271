#include "crossgrid/engine/table_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "crossgrid/base/json.hpp"
#include "crossgrid/base/terminal_text.hpp"

namespace crossgrid {

namespace {

std::string csv_field(std::string text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void print_csv(const DatabaseTable& table, std::ostream& out) {
  const auto print = [&](const auto& field_of) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) out << (i == 0 ? "" : ",") << csv_field(field_of(i));
    out << '\n';
  };
  print([&](std::size_t i) { return table.names.names()[i]; });
  for (std::size_t row = 0; row < table.rows(); ++row) {
    print([&](std::size_t i) { return table.columns[i][row].plain(); });
  }
}

void print_json(const DatabaseTable& table, std::ostream& out) {
  std::vector<std::string> keys;
  for (const std::string& name : table.names.names()) keys.push_back(Json(name).dump());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out << (i == 0 ? '{' : ',') << keys[i] << ':' << table.columns[i][row].to_json();
    }
    out << "}\n";
  }
}

/// Characters, as far as alignment sees them.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ') + text;
}

void print_aligned(const DatabaseTable& table, std::ostream& out) {
  std::vector<std::vector<std::string>> columns;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::vector<std::string>& shown = columns.emplace_back();
    shown.push_back(without_control_characters(table.names.names()[i]));
    for (const DatabaseValue& value : table.columns[i]) shown.push_back(readable(value));
    std::size_t width = 0;
    for (const std::string& text : shown) width = std::max(width, width_of(text));
    widths.push_back(width);
  }
  for (std::size_t row = 0; row <= table.rows(); ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) out << (i == 0 ? "" : "  ") << aligned(columns[i][row], widths[i]);
    out << '\n';
  }
}

std::string markdown_field(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      if (std::string_view("\\`*[]|~").find(c) != std::string_view::npos) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

void print_markdown(const DatabaseTable& table, std::ostream& out) {
  const auto print = [&](const auto& field_of) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) out << "| " << field_of(i) << ' ';
    out << "|\n";
  };
  print([&](std::size_t i) { return markdown_field(without_control_characters(table.names.names()[i])); });
  print([&](std::size_t i) {
    const auto is_text = [](const DatabaseValue& value) { return !value.is_number() && !value.is_none(); };
    return std::any_of(table.columns[i].begin(), table.columns[i].end(), is_text) ? "---" : "--:";
  });
  for (std::size_t row = 0; row < table.rows(); ++row) {
    print([&](std::size_t i) { return markdown_field(readable(table.columns[i][row])); });
  }
}

}  // namespace

std::string readable(const DatabaseValue& value) {
  if (value.is_none()) return "-";
  if (value.is_number()) return fmt::format("{:.6g}", value.number());
  return without_control_characters(value.text());
}

void print_table(const DatabaseTable& table, TableFormat format, std::ostream& out) {
  switch (format) {
    case TableFormat::table:
      return print_aligned(table, out);
    case TableFormat::csv:
      return print_csv(table, out);
    case TableFormat::json_lines:
      return print_json(table, out);
    case TableFormat::markdown:
      return print_markdown(table, out);
  }
}

}  // namespace crossgrid
