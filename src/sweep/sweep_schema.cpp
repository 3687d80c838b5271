#include <fmt/format.h>

#include <functional>

#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/sweep_file.hpp"
#include "sweep_fields.hpp"

namespace crossgrid {

namespace {

Json sealed(Json properties) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

/// Which parameters an object may set.
enum class Holder { hardware, layers, settings };

bool may_hold(Holder holder, const Parameter& parameter) {
  switch (holder) {
    case Holder::hardware:
      return parameter.scope != ParameterScope::layers_only;
    case Holder::layers:
      return parameter.scope != ParameterScope::whole_network;
    case Holder::settings:
      return parameter.scope != ParameterScope::layers_only;
  }
  return false;
}

Json described(const Json& schema, const std::string& about) {
  Json out{{"description", about}};
  out.update(schema);
  return out;
}

Json parameter_schema(const Parameter& parameter) {
  Json out = described(value_schema(parameter.supported), parameter.about);
  out["default"] = column_value(parameter.fallback);
  return out;
}

/// Parameters of which no value is supported yet are left out: editors should not offer them.
std::vector<const Parameter*> offered() {
  std::vector<const Parameter*> some;
  for (const Parameter& parameter : parameters()) {
    if (!parameter.fallback.is_null()) {
      some.push_back(&parameter);
    }
  }
  return some;
}

using Items = std::vector<std::pair<std::string, Json>>;

Json reference(const std::string& name) {
  return {{"$ref", "#/definitions/" + name}};
}

Items parameter_items(Holder holder) {
  Items items;
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    if (may_hold(holder, parameter)) {
      items.emplace_back(parameter.path, reference(parameter.path));
    }
  }
  return items;
}

std::string escaped(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  }
  return pattern;
}

/// An object of dotted names, each of them also as nested objects ("adc.bits", "adc": {"bits"}): its sections become
/// definitions of their own, "<name>.<section>".
class NestedObject {
 public:
  NestedObject(std::string name, Items items, bool include, bool patterns, Json& definitions)
      : name_(std::move(name)),
        items_(std::move(items)),
        include_(include),
        patterns_(patterns),
        definitions_(definitions) {}

  /// The object that holds what is below `prefix` ("", or "adc.").
  Json object(const std::string& prefix) {
    Json properties = Json::object();
    if (include_) {
      properties["include"] = described({{"type", "string"}, {"minLength", 1}},
                                        "file whose members are merged in; what is written here wins");
    }
    Json patterns = Json::object();
    for (const auto& [path, schema] : items_) {
      if (!path.starts_with(prefix)) {
        continue;
      }
      const std::string rest = path.substr(prefix.size());
      for (std::size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.', dot + 1)) {
        add_section(properties, prefix, rest.substr(0, dot));
      }
      properties[rest] = schema;
      if (patterns_) {
        patterns[fmt::format("^{}@[^,]+$", escaped(rest))] = schema;
      }
    }
    Json whole = sealed(std::move(properties));
    if (patterns_) {
      whole["patternProperties"] = patterns;
    }
    return whole;
  }

 private:
  void add_section(Json& properties, const std::string& prefix, const std::string& section) {
    const std::string definition = name_ + "." + prefix + section;
    const Json section_schema = reference(definition);
    if (!definitions_.contains(definition)) {
      definitions_[definition] = Json();  // holds the place while its own sections are made
      definitions_[definition] = object(prefix + section + ".");
    }
    // A word or an object: dataset.images is "all" or {first, count}.
    const bool word = properties.contains(section) && properties[section].contains("enum");
    if (word) {
      properties[section] = {{"anyOf", {properties[section], section_schema}}};
    } else if (!properties.contains(section)) {
      properties[section] = section_schema;
    }
  }

  std::string name_;
  Items items_;
  bool include_;
  bool patterns_;
  Json& definitions_;
};

Json axis_schema(const Parameter& parameter) {
  Json list{{"type", "array"}, {"items", reference(parameter.path)}, {"minItems", 1}, {"uniqueItems", true}};
  if (!parameter.supported.integer && !parameter.supported.number) {
    return list;
  }
  return {{"anyOf", {list, reference("range")}}};
}

Json range_schema() {
  const Json number{{"type", "number"}};
  Json range = sealed({{"from", number},
                       {"to", number},
                       {"count", {{"type", "integer"}, {"minimum", 2}, {"maximum", 1'000'000}}},
                       {"scale", {{"enum", {"linear", "log"}}}}});
  range["required"] = {"from", "to", "count"};
  return range;
}

Json sampled_range_schema() {
  const Json number{{"type", "number"}};
  Json range = sealed({{"from", number}, {"to", number}, {"scale", {{"enum", {"linear", "log"}}}}});
  range["required"] = {"from", "to"};
  return range;
}

/// Ranges of sampled parameters, by name.
Json sample_schema() {
  const Json range = reference("sampled_range");
  Json properties = Json::object();
  Json patterns = Json::object();
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    if (!parameter.supported.integer && !parameter.supported.number) continue;
    if (parameter.scope != ParameterScope::layers_only) properties[parameter.path] = range;
    if (parameter.scope != ParameterScope::whole_network) {
      patterns[fmt::format("^{}@[^,]+$", escaped(parameter.path))] = range;
    }
  }
  Json parameters = sealed(std::move(properties));
  parameters["patternProperties"] = std::move(patterns);
  parameters["minProperties"] = 1;
  return parameters;
}

Json settings_schema(Json& definitions) {
  // What is set per layer only can be set here too, with a pattern.
  Json settings = NestedObject("settings", parameter_items(Holder::settings), false, true, definitions).object("");
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    const std::string pattern = fmt::format("^{}@[^,]+$", escaped(parameter.path));
    if (parameter.scope == ParameterScope::layers_only) {
      settings["patternProperties"][pattern] = reference(parameter.path);
    } else if (parameter.scope == ParameterScope::whole_network) {
      settings["patternProperties"].erase(pattern);
    }
  }
  settings["minProperties"] = 1;
  return settings;
}

Json grid_schema() {
  Json properties = Json::object();
  properties["include"] = {{"type", "string"}, {"minLength", 1}};
  std::string plain_names = "include";
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    if (parameter.scope != ParameterScope::layers_only) {
      properties[parameter.path] = reference("axis." + parameter.path);
    }
    const std::string first = parameter.path.substr(0, parameter.path.find('.'));
    if (("|" + plain_names + "|").find("|" + first + "|") == std::string::npos) {
      plain_names += "|" + first;
    }
  }
  Json grid = sealed(std::move(properties));
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    if (parameter.scope != ParameterScope::whole_network) {
      grid["patternProperties"][fmt::format("^{}@[^,]+$", escaped(parameter.path))] =
          reference("axis." + parameter.path);
    }
  }
  grid["patternProperties"]["^[^,]+(,[^,]+)+$"] = {
      {"type", "array"}, {"items", {{"type", "array"}, {"minItems", 2}}}, {"minItems", 1}, {"uniqueItems", true}};
  grid["patternProperties"][fmt::format("^(?!({}|point|index|status|images|deterministic|trials|seed)$)[^.,@]+$",
                                        plain_names)] = {{"type", "object"},
                                                         {"minProperties", 1},
                                                         {"not", {{"required", {"from"}}}},
                                                         {"additionalProperties", reference("settings")}};
  return grid;
}

/// An object of conditions on axes.
Json point_rule_schema() {
  const Json number{{"type", "number"}};
  Json bounds = sealed({{"at_least", number}, {"at_most", number}, {"above", number}, {"below", number}});
  bounds["minProperties"] = 1;
  Json limit = sealed({{"limit", number}});
  limit["required"] = {"limit"};
  const Json value{{"anyOf", {{{"type", {"number", "string", "boolean", "array"}}}, bounds, limit}}};
  return {{"type", "object"}, {"additionalProperties", value}};
}

Json exclude_schema() {
  Json rule = point_rule_schema();
  rule["minProperties"] = 1;
  return {{"type", "array"}, {"items", rule}};
}

Json expected_schema() {
  const Json text{{"type", "string"}, {"minLength", 1}};
  Json columns = Json::array();
  for (const std::string& column : expected_columns(known_metrics())) columns.push_back(column);
  Json entry = sealed({{"where", described(point_rule_schema(), "the points, as in exclude; {}: all")},
                       {"metric", described({{"enum", columns}}, "the column of the results")},
                       {"value", {{"type", "number"}}},
                       {"tolerance", described({{"type", "number"}, {"minimum", 0}}, "largest distance from value")},
                       {"source", described(text, "where the value is from")}});
  entry["required"] = {"where", "metric", "value", "tolerance", "source"};
  return {{"type", "array"}, {"items", entry}};
}

Json layers_schema(Json& definitions) {
  Json entry = NestedObject("layers", parameter_items(Holder::layers), false, false, definitions).object("");
  entry["properties"]["match"] = {
      {"type", "string"}, {"minLength", 1}, {"description", "layers by name, with * and ?"}};
  entry["required"] = {"match"};
  entry["minProperties"] = 2;
  return {{"type", "array"}, {"items", entry}};
}

Items field_items() {
  Items items;
  for (const SweepField& field : sweep_fields()) {
    if (field.path != "layers" && field.path != "exclude" && field.path != "expected") {
      const bool sampled = field.path == "sample.parameters";
      items.emplace_back(field.path, sampled ? reference(field.path) : described(field.schema, field.about));
    }
  }
  for (auto& [path, schema] : parameter_items(Holder::hardware)) {
    items.emplace_back("hardware." + path, schema);
  }
  return items;
}

/// `network` and `dataset.path` in any of the places where they may stand; an included file may bring them too.
Json required_fields() {
  const auto has = [](const char* key) { return Json{{"required", {key}}}; };
  const Json nested_path{{"required", {"dataset"}},
                         {"properties", {{"dataset", {{"anyOf", {has("path"), has("include")}}}}}}};
  return Json::array(
      {{{"anyOf", {has("network"), has("include")}}}, {{"anyOf", {has("dataset.path"), nested_path, has("include")}}}});
}

}  // namespace

Json sweep_schema() {
  Json definitions = Json::object();
  for (const Parameter* offer : offered()) {
    const Parameter& parameter = *offer;
    definitions[parameter.path] = parameter_schema(parameter);
    definitions["axis." + parameter.path] = axis_schema(parameter);
  }
  definitions["range"] = range_schema();
  definitions["sampled_range"] = sampled_range_schema();
  definitions["sample.parameters"] = described(sample_schema(), find_sweep_field("sample.parameters")->about);
  definitions["settings"] = settings_schema(definitions);
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "Crossgrid sweep"},
              {"description", "Made by Crossgrid from its table of parameters; do not edit."}};
  schema.update(NestedObject("sweep", field_items(), true, false, definitions).object(""));
  schema["properties"]["layers"] = layers_schema(definitions);
  schema["properties"]["grid"] = grid_schema();
  schema["properties"]["exclude"] = exclude_schema();
  schema["properties"]["expected"] = expected_schema();
  schema["allOf"] = required_fields();
  schema["definitions"] = definitions;
  return schema;
}

}  // namespace crossgrid
