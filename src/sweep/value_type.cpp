#include "crossgrid/sweep/value_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace crossgrid {

namespace {

double without_sign_of_zero(double value) {
  return value == 0 ? 0.0 : value;
}

std::optional<std::int64_t> integral(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return number <= std::uint64_t{1} << 62 ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
  }
  if (value.is_number_integer()) {
    return value.get<std::int64_t>();
  }
  // 8.0 has no fraction: to JSON Schema it is an integer too.
  if (value.is_number_float() && std::abs(value.get<double>()) < 1e15 &&
      std::trunc(value.get<double>()) == value.get<double>()) {
    return static_cast<std::int64_t>(value.get<double>());
  }
  return std::nullopt;
}

bool within(const ValueType::Numbers& range, double value) {
  return (range.low_open ? value > range.low : value >= range.low) &&
         (range.high_open ? value < range.high : value <= range.high);
}

std::optional<Json> numbers(const Json& value) {
  if (!value.is_array() || value.empty()) {
    return std::nullopt;
  }
  Json list = Json::array();
  for (const Json& item : value) {
    if (!item.is_number()) {
      return std::nullopt;
    }
    list.push_back(without_sign_of_zero(item.get<double>()));
  }
  return list;
}

std::optional<Json> interval(const Json& value) {
  const auto pair = numbers(value);
  return pair && pair->size() == 2 && pair->at(0) < pair->at(1) ? pair : std::nullopt;
}

std::optional<Json> intervals(const Json& value) {
  if (!value.is_array() || value.empty()) {
    return std::nullopt;
  }
  Json list = Json::array();
  for (const Json& item : value) {
    const auto pair = interval(item);
    if (!pair) {
      return std::nullopt;
    }
    list.push_back(*pair);
  }
  return list;
}

std::optional<Json> levels(const Json& value) {
  const auto list = numbers(value);
  if (!list || list->front() < 0.0 || list->back() > 1.0) {
    return std::nullopt;
  }
  const bool ascending = std::adjacent_find(list->begin(), list->end(), std::greater_equal<>()) == list->end();
  return ascending ? list : std::nullopt;
}

std::optional<Json> divisors(const Json& value) {
  if (!value.is_array() || value.empty()) {
    return std::nullopt;
  }
  Json list = Json::array();
  for (const Json& item : value) {
    const auto number = integral(item);
    if (!number || *number < 1) {
      return std::nullopt;
    }
    list.push_back(*number);
  }
  return list;
}

std::optional<Json> text_value(const ValueType& type, const Json& value) {
  const bool word = std::find(type.words.begin(), type.words.end(), value.get<std::string>()) != type.words.end();
  const bool path = type.path && !value.get_ref<const std::string&>().empty();
  return word || path ? std::optional(value) : std::nullopt;
}

std::optional<Json> number_value(const ValueType& type, const Json& value) {
  if (type.integer) {
    const auto number = integral(value);
    if (number && *number >= type.integer->low && *number <= type.integer->high) {
      return Json(*number);
    }
  }
  if (type.number && within(*type.number, value.get<double>())) {
    return Json(without_sign_of_zero(value.get<double>()));
  }
  return std::nullopt;
}

std::optional<Json> array_value(const ValueType& type, const Json& value) {
  std::optional<Json> found;
  if (type.interval) {
    found = interval(value);
  }
  if (!found && type.intervals) {
    found = intervals(value);
  }
  if (!found && type.levels) {
    found = levels(value);
  }
  if (!found && type.divisors) {
    found = divisors(value);
  }
  return found;
}

}  // namespace

std::optional<Json> canonical_value(const ValueType& type, const Json& value) {
  if (value.is_string()) {
    return text_value(type, value);
  }
  if (value.is_number()) {
    return number_value(type, value);
  }
  if (value.is_array()) {
    return array_value(type, value);
  }
  if (value.is_boolean()) {
    return type.boolean || type.only_boolean == value.get<bool>() ? std::optional(value) : std::nullopt;
  }
  if (type.limit && value.is_object() && value.size() == 1 && value.contains("limit") &&
      value.at("limit").is_number() && value.at("limit").get<double>() > 0) {
    return Json{{"limit", value.at("limit").get<double>()}};
  }
  return std::nullopt;
}

namespace {

std::string describe(const ValueType::Integers& range) {
  if (range.high == ValueType::Integers{}.high) {
    return fmt::format("an integer >= {}", range.low);
  }
  return range.low == range.high ? fmt::format("{}", range.low)
                                 : fmt::format("an integer {}..{}", range.low, range.high);
}

std::string describe(const ValueType::Numbers& range) {
  if (range.low == range.high) {
    return shortest_number(range.low);
  }
  const std::string low = fmt::format("{} {}", range.low_open ? ">" : ">=", shortest_number(range.low));
  if (std::isinf(range.high)) {
    return std::isinf(range.low) ? "a number" : "a number " + low;
  }
  return fmt::format("a number {} and {} {}", low, range.high_open ? "<" : "<=", shortest_number(range.high));
}

}  // namespace

std::string describe(const ValueType& type) {
  std::vector<std::string> forms;
  if (type.integer) {
    forms.push_back(describe(*type.integer));
  }
  if (type.number) {
    forms.push_back(describe(*type.number));
  }
  if (type.boolean) {
    forms.emplace_back("true, false");
  }
  if (type.only_boolean) {
    forms.emplace_back(*type.only_boolean ? "true" : "false");
  }
  for (const std::string& word : type.words) {
    forms.push_back('"' + word + '"');
  }
  const std::pair<bool, const char*> others[] = {
      {type.limit, "{\"limit\": a number > 0}"},  {type.interval, "[lo, hi] with lo < hi"},
      {type.intervals, "a list of [lo, hi]"},     {type.levels, "an ascending list of numbers in [0, 1]"},
      {type.divisors, "a list of integers >= 1"}, {type.path, "the path of a file"}};
  for (const auto& [known, form] : others) {
    if (known) {
      forms.emplace_back(form);
    }
  }
  if (forms.size() < 2) {
    return forms.empty() ? "" : forms.front();
  }
  const std::string last = forms.back();
  forms.pop_back();
  return fmt::format("{} or {}", fmt::join(forms, ", "), last);
}

namespace {

Json number_schema(const ValueType::Numbers& range) {
  Json schema{{"type", "number"}};
  if (std::isfinite(range.low)) {
    schema[range.low_open ? "exclusiveMinimum" : "minimum"] = column_value(range.low);
  }
  if (std::isfinite(range.high)) {
    schema[range.high_open ? "exclusiveMaximum" : "maximum"] = column_value(range.high);
  }
  return schema;
}

Json list_schema(Json items, int fewest, int most = 0) {
  Json schema{{"type", "array"}, {"items", std::move(items)}, {"minItems", fewest}};
  if (most > 0) {
    schema["maxItems"] = most;
  }
  return schema;
}

}  // namespace

Json value_schema(const ValueType& type) {
  const Json number{{"type", "number"}};
  Json forms = Json::array();
  if (type.integer) {
    forms.push_back({{"type", "integer"}, {"minimum", type.integer->low}, {"maximum", type.integer->high}});
  }
  if (type.number) {
    forms.push_back(number_schema(*type.number));
  }
  if (type.boolean) {
    forms.push_back({{"type", "boolean"}});
  }
  if (type.only_boolean) {
    forms.push_back({{"enum", Json::array({*type.only_boolean})}});
  }
  if (!type.words.empty()) {
    forms.push_back({{"enum", type.words}});
  }
  if (type.limit) {
    forms.push_back({{"type", "object"},
                     {"properties", {{"limit", {{"type", "number"}, {"exclusiveMinimum", 0}}}}},
                     {"required", {"limit"}},
                     {"additionalProperties", false}});
  }
  if (type.interval) {
    forms.push_back(list_schema(number, 2, 2));
  }
  if (type.intervals) {
    forms.push_back(list_schema(list_schema(number, 2, 2), 1));
  }
  if (type.levels) {
    forms.push_back(list_schema({{"type", "number"}, {"minimum", 0}, {"maximum", 1}}, 1));
  }
  if (type.divisors) {
    forms.push_back(list_schema({{"type", "integer"}, {"minimum", 1}}, 1));
  }
  if (type.path) {
    forms.push_back({{"type", "string"}, {"minLength", 1}});
  }
  return forms.size() == 1 ? forms.front() : Json{{"anyOf", forms}};
}

std::string canonical_text(const Json& value) {
  if (value.is_number_float()) {
    return shortest_number(value.get<double>());
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    std::transform(value.begin(), value.end(), std::back_inserter(items), canonical_text);
    return fmt::format("[{}]", fmt::join(items, ","));
  }
  if (value.is_object()) {
    std::vector<std::string> members;
    for (const auto& [key, member] : value.items()) {
      members.push_back(Json(key).dump() + ":" + canonical_text(member));
    }
    return fmt::format("{{{}}}", fmt::join(members, ","));
  }
  return value.dump();
}

Json column_value(const Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    return std::abs(number) < 1e15 && std::trunc(number) == number ? Json(static_cast<std::int64_t>(number)) : value;
  }
  Json column = value;
  if (column.is_structured()) {
    for (Json& member : column) {
      member = column_value(member);
    }
  }
  return column;
}

std::string found_text(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

}  // namespace crossgrid
