#pragma once

#include <vector>

#include "crossgrid/sweep/parameter.hpp"

/// The table's rows, by section, and the ways to make one.
namespace crossgrid {

std::vector<Parameter> core_rows();
std::vector<Parameter> array_rows();
std::vector<Parameter> device_rows();
std::vector<Parameter> converter_rows();
std::vector<Parameter> layer_rows();
Parameter adc_rounding_row();
/// From adc.group to adc.table.
std::vector<Parameter> adc_circuit_rows();

namespace types {

inline ValueType words(std::vector<std::string> words) {
  return {.words = std::move(words)};
}
inline ValueType integer(std::int64_t low, std::int64_t high = ValueType::Integers{}.high) {
  return {.integer = ValueType::Integers{low, high}};
}
inline ValueType integer_or(std::int64_t low, std::int64_t high, const std::string& word) {
  return {.words = {word}, .integer = ValueType::Integers{low, high}};
}
inline ValueType at_least(double low) {
  return {.number = ValueType::Numbers{.low = low}};
}
inline ValueType above(double low) {
  return {.number = ValueType::Numbers{.low = low, .low_open = true}};
}
inline ValueType fraction() {
  return {.number = ValueType::Numbers{.low = 0, .high = 1}};
}
inline ValueType boolean() {
  return {.boolean = true};
}
/// Only one value: what an unsupported parameter's default is checked with.
ValueType only(const Json& value);

}  // namespace types

/// A parameter of which this version supports the default only.
Parameter future(std::string path, std::string about, ValueType type, Json fallback);

/// A supported parameter whose word stands for a C++ value. `access` gives a reference to it in a LayerHardware.
template <class Access, class Value>
Parameter choice(std::string path, std::string about, std::vector<std::string> known, Access access,
                 std::vector<std::pair<std::string, Value>> values, ParameterGroup group) {
  Parameter row;
  row.path = std::move(path);
  row.about = std::move(about);
  row.type.words = std::move(known);
  for (const auto& [word, value] : values) {
    row.supported.words.push_back(word);
  }
  row.group = group;
  row.set = [access, values](LayerHardware& hardware, const Json& json) {
    for (const auto& [word, value] : values) {
      if (json == word) {
        access(hardware) = value;
      }
    }
  };
  row.get = [access, values](const LayerHardware& hardware) {
    for (const auto& [word, value] : values) {
      if (access(hardware) == value) {
        return Json(word);
      }
    }
    return Json();
  };
  row.fallback = row.get(LayerHardware{});
  return row;
}

/// A supported parameter held as `Value` (int, double, bool).
template <class Value, class Access>
Parameter plain(std::string path, std::string about, ValueType type, Access access, ParameterGroup group) {
  Parameter row;
  row.path = std::move(path);
  row.about = std::move(about);
  row.type = type;
  row.supported = std::move(type);
  row.group = group;
  row.set = [access](LayerHardware& hardware, const Json& json) { access(hardware) = json.get<Value>(); };
  row.get = [access](const LayerHardware& hardware) {
    if constexpr (std::is_same_v<Value, int>) {
      return Json(static_cast<std::int64_t>(access(hardware)));
    } else {
      return Json(access(hardware));
    }
  };
  row.fallback = row.get(LayerHardware{});
  return row;
}

/// A supported parameter held as std::optional<int>, with a word for none.
template <class Access>
Parameter integer_or_word(std::string path, std::string about, std::int64_t low, std::int64_t high, std::string word,
                          Access access, ParameterGroup group) {
  Parameter row;
  row.path = std::move(path);
  row.about = std::move(about);
  row.type = types::integer_or(low, high, word);
  row.supported = row.type;
  row.group = group;
  row.instead_of_zero = '"' + word + '"';
  row.set = [access](LayerHardware& hardware, const Json& json) {
    access(hardware) = json.is_string() ? std::nullopt : std::optional<int>(json.get<int>());
  };
  row.get = [access, word](const LayerHardware& hardware) {
    const std::optional<int>& value = access(hardware);
    return value ? Json(static_cast<std::int64_t>(*value)) : Json(word);
  };
  row.fallback = row.get(LayerHardware{});
  return row;
}

}  // namespace crossgrid
