#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

/// JSON as users write it. Objects keep the order of their keys (the order of grid axes matters).
namespace crossgrid {

using Json = nlohmann::ordered_json;

/// Parses strict JSON (RFC 8259): a key twice in one object, NaN, comments, a byte-order mark, trailing text, more than
/// 64 levels or 64 MiB are Error(bad_input) "name:line:column: what was found, what was expected".
Json parse_json(std::string_view text, const std::string& name);

/// Reads and parses a file; a missing or unreadable file is Error(bad_input) with the system's reason.
Json read_json_file(const std::string& path);

/// Shortest decimal text that reads back to the same double, independent of the locale ("0.1", "1e-05", "256").
std::string shortest_number(double value);

/// The candidate nearest to `word` by edit distance, or empty if none is near enough to suggest.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace crossgrid
