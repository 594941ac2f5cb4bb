// SPDX-License-Identifier: Apache-2.0
// The JSON schema of kernels.yaml, printed from the table of keys that the parser obeys.
#include <nlohmann/json.hpp>

#include "verify/gate/registry_file.h"
#include "verify/gate/registry_keys.h"

namespace barline::verify {
namespace {

using json = nlohmann::ordered_json;

/// What is used in many places stands once, below `definitions`.
json reference(const char* name) { return {{"$ref", std::string("#/definitions/") + name}}; }

json map_of(json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

json list_of(const std::vector<std::string>& names) {
  return {{"type", "array"}, {"items", {{"enum", names}}}, {"minItems", 1}, {"uniqueItems", true}};
}

json map_keyed_by(const std::vector<std::string>& keys, const json& value) {
  json properties = json::object();
  for (const std::string& key : keys) properties[key] = value;
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

json budget_schema() {
  json by_target = reference("budget_by_target");
  return {{"anyOf", {by_target, map_keyed_by(known_types(), by_target)}}};
}

json source_schema() {
  json path = {{"type", "string"}, {"pattern", "\\.(ptx|cubin)$"}};
  return {{"anyOf", {path, map_keyed_by(known_targets(), path)}}};
}

json notes_schema() {
  return {{"type", "array"},
          {"items", {{"type", "string"}, {"pattern", "^C[0-9]+$"}}},
          {"minItems", 1},
          {"uniqueItems", true}};
}

/// Which section an entry is follows from one key, so that an editor completes and complains well.
json kernels_schema() {
  return map_of({{"if", {{"required", {"source"}}}},
                 {"then", reference("source")},
                 {"else", reference("kernel")}});
}

json schedules_schema() { return map_of({{"anyOf", {reference("schedule"), {{"type", "null"}}}}}); }

json value_schema(const KeyInfo& key) {
  using K = ValueKind;
  json dims = map_of({{"type", "integer"}, {"minimum", 1}, {"maximum", largest_dim}});
  switch (key.kind) {
    case K::Text: return {{"type", "string"}, {"minLength", 1}};
    case K::Count: return {{"type", "integer"}, {"minimum", key.least}, {"maximum", key.most}};
    case K::Number: return {{"type", "number"}, {"exclusiveMinimum", 0}};
    case K::Targets: return list_of(known_targets());
    case K::Types: return list_of(known_types());
    case K::Dims: return dims;
    case K::Args: return map_of({{"type", "number"}});
    case K::Shapes: return map_of(dims);
    case K::Kernels: return kernels_schema();
    case K::Schedules: return schedules_schema();
    case K::Budget: return budget_schema();
    case K::TargetBudget: return reference("budget_by_target");
    case K::SourceFiles: return source_schema();
    case K::Notes: return notes_schema();
    case K::Compare: return reference("compare");
    case K::CompareKind: return {{"enum", compare_kinds()}};
    case K::RunPlaces: return list_of(run_places());
  }
  return json::object();
}

json section_schema(Section section) {
  json properties = json::object(), required = json::array();
  for (const KeyInfo& key : registry_keys()) {
    if (key.section != section) continue;
    json value = value_schema(key);
    if (value.contains("$ref")) value = {{"allOf", json::array({value})}};  // a $ref stands alone
    value["description"] = key.doc;
    properties[std::string(key.key)] = std::move(value);
    if (key.required) required.push_back(key.key);
  }
  json out = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) out["required"] = required;
  return out;
}

}  // namespace

std::string registry_schema() {
  json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "barline kernels.yaml"}};
  schema.update(section_schema(Section::File));
  schema["properties"]["version"] = {{"const", 1}, {"description", "Version of this format."}};
  schema["definitions"] = {{"kernel", section_schema(Section::Kernel)},
                           {"schedule", section_schema(Section::Schedule)},
                           {"source", section_schema(Section::Source)},
                           {"compare", section_schema(Section::Compare)},
                           {"budget_by_target", map_keyed_by(known_targets(), reference("row"))},
                           {"row", section_schema(Section::Row)}};
  return schema.dump(2) + "\n";
}

}  // namespace barline::verify
