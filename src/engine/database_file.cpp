#include "crossgrid/engine/database_file.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_set>

#include "crossgrid/backend/thread_team.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/sweep/parameter_unit.hpp"

namespace crossgrid {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t most_line_bytes = std::size_t{1} << 20;
constexpr std::size_t usual_line_bytes = std::size_t{16} << 10;
constexpr std::size_t most_levels = 16;
constexpr std::uint64_t block_bytes = std::uint64_t{4} << 20;

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
    if (line.size() > most_line_bytes) throw BadLine{fmt::format("more than {} bytes", most_line_bytes)};
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

/// Room for a block with its last line.
class BlockBuffer {
 public:
  /// From the newline before the block to the end of its last line.
  static constexpr std::size_t most_bytes = 1 + block_bytes + most_line_bytes + 1;

  char* bytes() { return bytes_.get(); }

 private:
  std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(most_bytes + simdjson::SIMDJSON_PADDING);
};

/// The lines of a file that begin in one block of it, read whole; they lie in the buffer.
class Block {
 public:
  Block(File& file, std::uint64_t index, const std::string& path, BlockBuffer& buffer) {
    const std::uint64_t begin = index * block_bytes;
    const std::uint64_t from = begin == 0 ? 0 : begin - 1;  // the newline before a line that begins with the block
    const auto own = static_cast<std::size_t>(begin + block_bytes - from);
    std::size_t size = 0;
    const auto read_up_to = [&](std::size_t wanted) {
      const IoResult read = read_all(file, buffer.bytes() + size, wanted - size, from + size);
      if (!read.ok()) throw input_error(path, "can't read it: " + error_text(read.error));
      size += static_cast<std::size_t>(read.value);
      text_ = std::string_view(buffer.bytes(), size);
    };
    // Most lines are short: the rest of the last one is mostly among a few bytes more.
    read_up_to(own + usual_line_bytes);
    if (size == own + usual_line_bytes && text_.find('\n', own - 1) == std::string_view::npos) {
      read_up_to(own + most_line_bytes + 1);
    }
    std::memset(buffer.bytes() + size, 0, simdjson::SIMDJSON_PADDING);
    own_ = std::min(size, own);
    if (begin > 0) {
      const std::size_t newline = text_.substr(0, own_).find('\n');
      at_ = newline == std::string_view::npos ? own_ : newline + 1;
    }
  }

  /// The next line without its newline, if one is left.
  std::optional<std::string_view> next() {
    if (at_ >= own_) return std::nullopt;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

 private:
  std::string_view text_;
  std::size_t own_ = 0;  ///< lines begin before here
  std::size_t at_ = 0;
};

/// What one block gives.
struct Part {
  DatabaseTable::Memory memory = std::make_shared<std::pmr::monotonic_buffer_resource>();
  std::vector<std::vector<DatabaseValue>> columns;
  std::uint64_t lines = 0;
  std::optional<std::string> problem;  ///< of line `lines`
};

/// Reads the wanted columns of lines, where a condition on others holds.
class RowReader {
 public:
  RowReader(const ColumnNames& names, std::span<const std::string> wanted, const RowCondition* condition)
      : names_(names), condition_(condition) {
    for (const std::string& name : wanted) places_.push_back(names.place(name));
    if (condition) {
      for (const std::string& name : condition->columns()) condition_places_.push_back(names.place(name));
    }
  }

  /// One per thread: what is used from line to line.
  struct Lane {
    BlockBuffer buffer;
    LineParser parser;
    std::vector<dom::element> elements;
    std::vector<DatabaseValue> asked;
    std::pmr::monotonic_buffer_resource scratch;
  };

  void read(Block& block, Lane& lane, Part& part) const {
    part.columns.resize(places_.size());
    while (const auto line = block.next()) {
      ++part.lines;
      split(lane.parser.object(*line), lane.elements);
      if (!holds(lane)) continue;
      for (std::size_t i = 0; i < places_.size(); ++i) {
        part.columns[i].push_back(value_of(lane.elements[places_[i]], *part.memory));
      }
    }
  }

 private:
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

  bool holds(Lane& lane) const {
    if (!condition_) return true;
    lane.asked.clear();
    lane.scratch.release();
    for (const std::size_t place : condition_places_) {
      lane.asked.push_back(value_of(lane.elements[place], lane.scratch));
    }
    return condition_->holds(lane.asked);
  }

  const ColumnNames& names_;
  const RowCondition* condition_;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> condition_places_;
};

std::unique_ptr<File> opened(FileSystem& files, const std::string& path) {
  std::unique_ptr<File> file;
  const IoResult result = open_file(files, path, OpenMode::read, file);
  if (!result.ok()) {
    throw input_error(path, fmt::format("can't read it: {}; `crossgrid run` writes it", error_text(result.error)));
  }
  return file;
}

ColumnNames names_of_first_line(File& file, const std::string& path) {
  BlockBuffer buffer;
  Block block(file, 0, path, buffer);
  const auto line = block.next();
  if (!line) return {};
  std::vector<std::string> names;
  try {
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

DatabaseTable DatabaseFile::read(std::span<const std::string> names, const RowCondition* condition) const {
  DatabaseTable table{ColumnNames({names.begin(), names.end()}), {}, {}};
  table.columns.resize(names.size());
  if (columns_.size() == 0) return table;
  const RowReader reader(columns_, names, condition);
  const std::uint64_t blocks = (size_ + block_bytes - 1) / block_bytes;
  std::vector<Part> parts(blocks);
  const int threads = static_cast<int>(std::min<std::uint64_t>(blocks, static_cast<std::uint64_t>(reading_threads())));
  std::vector<std::unique_ptr<RowReader::Lane>> lanes(static_cast<std::size_t>(threads));
  ThreadTeam(threads).parallel_for(blocks, [&](std::size_t index, int lane) {
    auto& own = lanes[static_cast<std::size_t>(lane)];
    if (!own) own = std::make_unique<RowReader::Lane>();
    Block block(*file_, index, path_, own->buffer);
    try {
      reader.read(block, *own, parts[index]);
    } catch (const BadLine& bad) {
      parts[index].problem = bad.problem;
    }
  });

  std::uint64_t lines = 0;
  std::size_t rows = 0;
  for (const Part& part : parts) {
    if (part.problem) throw not_a_line(path_, lines + part.lines, *part.problem);
    lines += part.lines;
    if (!part.columns.empty()) rows += part.columns.front().size();
  }
  check_lines(lines);
  for (std::size_t i = 0; i < names.size(); ++i) {
    table.columns[i].reserve(rows);
    for (Part& part : parts) {
      std::vector<DatabaseValue>& from = part.columns[i];
      table.columns[i].insert(table.columns[i].end(), from.begin(), from.end());
      std::vector<DatabaseValue>().swap(from);
    }
  }
  for (Part& part : parts) table.texts.push_back(std::move(part.memory));
  return table;
}

}  // namespace crossgrid
