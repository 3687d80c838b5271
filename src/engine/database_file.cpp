#include "crossgrid/engine/database_file.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_set>

#include "crossgrid/backend/thread_team.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/line_block.hpp"
#include "crossgrid/engine/plain_line.hpp"
#include "crossgrid/sweep/parameter_unit.hpp"

namespace crossgrid {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t most_line_bytes = std::size_t{1} << 20;
constexpr std::size_t most_levels = 16;
constexpr std::size_t block_bytes = std::size_t{4} << 20;
constexpr std::size_t near_bytes = std::size_t{16} << 10;  // of lines that are picked: read at once

std::string database_path(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? path + "/points.jsonl" : path;
}

/// crossings.jsonl has columns of its own.
std::string meta_path(const std::string& path) {
  return folder_of(path) + (path.ends_with("crossings.jsonl") ? "/crossings.meta.json" : "/points.meta.json");
}

Error not_a_line(const std::string& path, std::uint64_t number, const std::string& problem) {
  return input_error(fmt::format("{}:{}", path, number), "not a line of a database: " + problem);
}

/// What is wrong with a line; its number is added where it is known.
struct BadLine {
  std::string problem;
};

/// Parses single lines. What it gives lives until the next one.
class LineParser {
 public:
  LineParser() {
    if (parser_.allocate(most_line_bytes, most_levels) != simdjson::SUCCESS) throw std::bad_alloc();
  }
  /// `line` is followed by simdjson's padding.
  dom::object object(std::string_view line) {
    dom::object object;
    const auto error = parser_.parse(line.data(), line.size(), false).get_object().get(object);
    if (error != simdjson::SUCCESS) throw BadLine{simdjson::error_message(error)};
    return object;
  }

 private:
  dom::parser parser_;
};

DatabaseValue value_of(dom::element element, std::pmr::memory_resource& memory) {
  using Kind = DatabaseValue::Kind;
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::INT64:
      return DatabaseValue(element.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return DatabaseValue(element.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return DatabaseValue(element.get_double().value_unsafe());
    case dom::element_type::STRING:
      return {Kind::text, kept_text(memory, element.get_string().value_unsafe())};
    case dom::element_type::BOOL:
      return {Kind::json, element.get_bool().value_unsafe() ? "true" : "false"};
    default:  // a list
      return {Kind::json, kept_text(memory, simdjson::minify(element))};
  }
}

DatabaseValue value_of(std::string_view plain, std::pmr::memory_resource& memory) {
  return plain_value(plain, memory);
}

/// Room for the lines that begin in so many bytes of the file.
LineBuffer buffer_for(std::size_t range) {
  return {range, most_line_bytes, simdjson::SIMDJSON_PADDING};
}

void check_length(std::string_view line) {
  if (line.size() > most_line_bytes) throw BadLine{fmt::format("more than {} bytes", most_line_bytes)};
}

/// What the lines of one part of the file give.
struct Part {
  DatabaseTable::Memory memory = std::make_shared<std::pmr::monotonic_buffer_resource>();
  std::vector<std::vector<DatabaseValue>> columns;
  std::vector<std::uint64_t> begins;  ///< where each row's line begins in the file
  std::uint64_t lines = 0;
  std::optional<std::string> problem;  ///< of line `lines`
};

/// Reads the wanted columns of lines, where a condition on others holds.
class RowReader {
 public:
  RowReader(const ColumnNames& names, std::span<const std::string> wanted, const RowCondition* condition)
      : names_(names), plain_(names), condition_(condition) {
    for (const std::string& name : wanted) places_.push_back(names.place(name));
    if (condition) {
      for (const std::string& name : condition->columns()) condition_places_.push_back(names.place(name));
    }
  }

  /// One per thread: what is used from line to line.
  struct Lane {
    explicit Lane(std::size_t range) : buffer(buffer_for(range)) {}
    LineBuffer buffer;
    LineParser parser;
    std::vector<std::string_view> texts;
    std::vector<dom::element> elements;
    std::vector<DatabaseValue> asked;
    std::pmr::monotonic_buffer_resource scratch;
  };

  void read(LineBlock& block, Lane& lane, Part& part) const {
    part.columns.resize(places_.size());
    while (read_line(block, lane, part)) continue;
  }

  /// Reads the next line of a block; false where none is left.
  bool read_line(LineBlock& block, Lane& lane, Part& part) const {
    const auto line = block.next();
    if (!line) return false;
    ++part.lines;
    check_length(*line);
    if (take_line(*line, lane, part)) part.begins.push_back(block.line_begin());
    return true;
  }

 private:
  /// Makes a row of a line where the condition holds.
  bool take_line(std::string_view line, Lane& lane, Part& part) const {
    if (plain_.split(line, lane.texts)) return take(lane.texts, lane, part);
    split(lane.parser.object(line), lane.elements);
    return take(lane.elements, lane, part);
  }

  /// The values of a line, in the order of the columns.
  void split(dom::object object, std::vector<dom::element>& elements) const {
    elements.clear();
    for (const auto& field : object) {
      const std::size_t place = elements.size();
      if (place >= names_.size() || field.key != names_.names()[place]) break;
      if (field.value.is_object()) throw BadLine{fmt::format("column '{}' is an object", field.key)};
      elements.push_back(field.value);
    }
    if (elements.size() < names_.size() || object.size() != names_.size()) {
      throw BadLine{fmt::format("expected the columns of line 1 ({}), in their order; column {} differs", names_.size(),
                                elements.size() + 1)};
    }
  }

  template <typename Value>
  bool take(const std::vector<Value>& values, Lane& lane, Part& part) const {
    if (!holds(values, lane)) return false;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      part.columns[i].push_back(value_of(values[places_[i]], *part.memory));
    }
    return true;
  }

  template <typename Value>
  bool holds(const std::vector<Value>& values, Lane& lane) const {
    if (!condition_) return true;
    lane.asked.clear();
    lane.scratch.release();
    for (const std::size_t place : condition_places_) lane.asked.push_back(value_of(values[place], lane.scratch));
    return condition_->holds(lane.asked);
  }

  const ColumnNames& names_;
  PlainLine plain_;
  const RowCondition* condition_;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> condition_places_;
};

/// The parts one after the other.
DatabaseTable joined(std::span<const std::string> names, std::vector<Part>& parts) {
  DatabaseTable table{ColumnNames({names.begin(), names.end()}), {}, {}};
  std::size_t rows = 0;
  for (const Part& part : parts) rows += part.begins.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<DatabaseValue>& column = table.columns.emplace_back();
    column.reserve(rows);
    for (Part& part : parts) {
      std::vector<DatabaseValue>& from = part.columns[i];
      column.insert(column.end(), from.begin(), from.end());
      std::vector<DatabaseValue>().swap(from);
    }
  }
  for (Part& part : parts) table.texts.push_back(std::move(part.memory));
  return table;
}

std::unique_ptr<File> opened(FileSystem& files, const std::string& path) {
  std::unique_ptr<File> file;
  const IoResult result = open_file(files, path, OpenMode::read, file);
  if (!result.ok()) {
    throw input_error(path, fmt::format("can't read it: {}; `crossgrid run` writes it", error_text(result.error)));
  }
  return file;
}

ColumnNames names_of_first_line(File& file, const std::string& path) {
  LineBuffer buffer = buffer_for(1);
  LineBlock block(file, 0, 1, path, buffer);
  const auto line = block.next();
  if (!line) return {};
  std::vector<std::string> names;
  try {
    check_length(*line);
    LineParser parser;
    std::unordered_set<std::string> seen;
    for (const auto& field : parser.object(*line)) {
      if (!seen.emplace(field.key).second) throw BadLine{fmt::format("column '{}' is there twice", field.key)};
      names.emplace_back(field.key);
    }
    if (names.empty()) throw BadLine{"no columns"};
  } catch (const BadLine& bad) {
    throw not_a_line(path, 1, bad.problem);
  }
  return ColumnNames(std::move(names));
}

/// Axes are the columns between `index` and `status`.
Json axes_of_columns(const ColumnNames& columns) {
  Json axes = Json::array();
  if (!columns.contains("index") || !columns.contains("status")) return axes;
  for (std::size_t place = columns.place("index") + 1; place < columns.place("status"); ++place) {
    const std::string& name = columns.names()[place];
    axes.push_back(Json{{"name", name}, {"unit", parameter_unit(name)}});
  }
  return axes;
}

/// Metrics are what has a mean.
Json metrics_of_columns(const ColumnNames& columns) {
  Json metrics = Json::array();
  for (const std::string& name : columns.names()) {
    if (name.ends_with(".mean")) metrics.push_back(name.substr(0, name.size() - 5));
  }
  return metrics;
}

/// Schema 1 did not say which columns are axes.
void bring_to_schema_2(Json& meta, const ColumnNames& columns) {
  meta["axes"] = axes_of_columns(columns);
  meta["schema"] = 2;
}

[[noreturn]] void refuse_meta(const std::string& path, const std::string& problem) {
  throw input_error(path, problem + "; 'crossgrid run' of the sweep writes it anew from the journal");
}

void check_meta(const Json& meta, const ColumnNames& columns, const std::string& path) {
  const auto list = [&](const char* name, const auto& is_good) {
    if (!meta.contains(name) || !meta.at(name).is_array() ||
        !std::all_of(meta.at(name).begin(), meta.at(name).end(), is_good)) {
      refuse_meta(path, fmt::format("/{}: missing, or not as docs/database.md has it", name));
    }
  };
  const auto text = [](const Json& object, const char* name) {
    return object.is_object() && object.contains(name) && object.at(name).is_string();
  };
  list("axes", [&](const Json& axis) {
    return text(axis, "name") && text(axis, "unit") &&
           (columns.size() == 0 || columns.contains(axis.at("name").get_ref<const std::string&>()));
  });
  list("metrics", [&](const Json& metric) { return metric.is_string(); });
}

Json read_meta(FileSystem& files, const std::string& path, const ColumnNames& columns) {
  if (!file_exists(files, path)) {
    return Json{
        {"schema", database_schema}, {"axes", axes_of_columns(columns)}, {"metrics", metrics_of_columns(columns)}};
  }
  Json meta = parse_json(read_text(files, path), path);
  if (!meta.is_object() || !meta.contains("schema") || !meta.at("schema").is_number_integer()) {
    refuse_meta(path, "/schema: missing, expected the version of the database");
  }
  const auto schema = meta.at("schema").get<std::int64_t>();
  if (schema > database_schema) {
    throw input_error(path, fmt::format("/schema: found {}, but this program reads databases up to {}: use a newer one",
                                        schema, database_schema));
  }
  if (schema < 1) refuse_meta(path, fmt::format("/schema: found {}, expected 1 to {}", schema, database_schema));
  if (schema == 1) bring_to_schema_2(meta, columns);
  check_meta(meta, columns, path);
  return meta;
}

int reading_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u));
}

}  // namespace

DatabaseFile::DatabaseFile(const std::string& path, FileSystem& files)
    : path_(database_path(path)), file_(opened(files, path_)) {
  const IoResult size = file_->size();
  if (!size.ok()) throw input_error(path_, "can't read it: " + error_text(size.error));
  size_ = static_cast<std::uint64_t>(size.value);
  columns_ = names_of_first_line(*file_, path_);
  meta_ = read_meta(files, meta_path(path_), columns_);
}

DatabaseFile::~DatabaseFile() = default;

std::vector<AxisColumn> DatabaseFile::axes() const {
  std::vector<AxisColumn> axes;
  for (const Json& axis : meta_.at("axes")) {
    axes.push_back({axis.at("name").get<std::string>(), axis.at("unit").get<std::string>()});
  }
  return axes;
}

std::vector<std::string> DatabaseFile::metrics() const {
  return meta_.at("metrics").get<std::vector<std::string>>();
}

/// A file that ends after a whole line may still be cut off.
void DatabaseFile::check_lines(std::uint64_t found) const {
  const auto points = meta_.find("points");
  if (points == meta_.end() || *points == found) return;
  throw input_error(path_, fmt::format("found {} points, but points.meta.json tells of {}: cut off, or not of the same "
                                       "run; 'crossgrid run' of the sweep writes both anew from the journal",
                                       found, points->dump()));
}

DatabaseTable DatabaseFile::read(std::span<const std::string> names, const RowCondition* condition,
                                 std::vector<std::uint64_t>* begins) const {
  std::vector<Part> parts;
  if (columns_.size() == 0) return joined(names, parts);
  const RowReader reader(columns_, names, condition);
  parts.resize((size_ + block_bytes - 1) / block_bytes);
  const int threads = std::min(static_cast<int>(parts.size()), reading_threads());
  std::vector<std::unique_ptr<RowReader::Lane>> lanes(static_cast<std::size_t>(threads));
  ThreadTeam(threads).parallel_for(parts.size(), [&](std::size_t index, int lane) {
    auto& own = lanes[static_cast<std::size_t>(lane)];
    if (!own) own = std::make_unique<RowReader::Lane>(block_bytes);
    LineBlock block(*file_, index * block_bytes, block_bytes, path_, own->buffer);
    try {
      reader.read(block, *own, parts[index]);
    } catch (const BadLine& bad) {
      parts[index].problem = bad.problem;
    }
  });

  std::uint64_t lines = 0;
  for (const Part& part : parts) {
    if (part.problem) throw not_a_line(path_, lines + part.lines, *part.problem);
    lines += part.lines;
    if (begins) begins->insert(begins->end(), part.begins.begin(), part.begins.end());
  }
  check_lines(lines);
  return joined(names, parts);
}

DatabaseTable DatabaseFile::read_lines(std::span<const std::string> names,
                                       std::span<const std::uint64_t> begins) const {
  std::vector<Part> parts(1);
  Part& part = parts.front();
  part.columns.resize(names.size());  // without lines too
  const RowReader reader(columns_, names, nullptr);
  RowReader::Lane lane(near_bytes);
  std::optional<LineBlock> block;
  bool same = true;
  try {
    for (const std::uint64_t begin : begins) {
      if (!block || !block->go_to(begin)) block.emplace(*file_, begin, near_bytes, path_, lane.buffer);
      reader.read_line(*block, lane, part);
    }
    same = std::ranges::equal(part.begins, begins);
  } catch (const BadLine&) {
    same = false;
  }
  if (!same) throw input_error(path_, "changed while it was read");
  return joined(names, parts);
}

}  // namespace crossgrid
