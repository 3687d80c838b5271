#include "crossgrid/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <numeric>
#include <unordered_set>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t max_depth = 64;
constexpr std::size_t max_bytes = std::size_t{64} << 20;

/// Reads the text and tells how far the parser has come: its events carry no position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// "name:line:column" of a byte of the text, both from 1, columns in characters (UTF-8).
std::string place(const std::string& name, std::string_view text, std::size_t byte) {
  byte = std::min(byte, text.size());
  const std::size_t line_start = byte == 0 ? 0 : text.rfind('\n', byte - 1) + 1;  // npos + 1 is 0
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(line_start), '\n');
  const auto column =
      std::count_if(text.begin() + static_cast<std::ptrdiff_t>(line_start),
                    text.begin() + static_cast<std::ptrdiff_t>(byte), [](char c) { return (c & 0xC0) != 0x80; });
  return fmt::format("{}:{}:{}", name, lines + 1, column + 1);
}

/// Builds the value from the parser's events; refuses what RFC 8259 leaves open.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, std::string name, const char** reached)
      : text_(text), name_(std::move(name)), reached_(reached) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return open(Json::object());
  }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override {
    keys_.pop_back();
    return close();
  }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) {
      throw input_error(place(name_, text_, key_start()), fmt::format("key \"{}\" is there twice in one object", name));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const std::size_t byte = position == 0 ? 0 : position - 1;
    throw input_error(place(name_, text_, byte), "not valid JSON: " + reason(error.what()));
  }

 private:
  template <typename T>
  bool put(T&& value) {
    place_value(Json(std::forward<T>(value)));
    return true;
  }

  Json* place_value(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // Straight to the container: ordered_json's own insertion searches all keys, and they are known to differ.
    auto& members = parent.get_ref<Json::object_t&>();
    static_cast<std::vector<Json::object_t::value_type>&>(members).emplace_back(std::move(key_), std::move(value));
    return &members.back().second;
  }

  bool open(Json container) {
    if (open_.size() == max_depth) {
      throw input_error(place(name_, text_, consumed() - 1), fmt::format("nested deeper than {} levels", max_depth));
    }
    open_.push_back(place_value(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t consumed() const { return static_cast<std::size_t>(*reached_ - text_.data()); }

  /// The opening quote of the key that ends where the parser stands.
  std::size_t key_start() const {
    std::size_t at = consumed() - 1;
    do {
      at = text_.rfind('"', at - 1);
    } while (escaped(at));
    return at;
  }

  bool escaped(std::size_t at) const {
    std::size_t backslashes = 0;
    while (backslashes < at && text_[at - 1 - backslashes] == '\\') {
      ++backslashes;
    }
    return backslashes % 2 == 1;
  }

  /// The library's text without its own prefix and position.
  static std::string reason(std::string_view what) {
    for (const std::string_view prefix : {"[json.exception.", "parse error"}) {
      if (what.starts_with(prefix)) {
        const std::size_t end = prefix.front() == '[' ? what.find("] ") + 2 : what.find(": ") + 2;
        what.remove_prefix(std::min(end, what.size()));
      }
    }
    return std::string(what);
  }

  std::string_view text_;
  std::string name_;
  const char** reached_;
  Json root_;
  std::vector<Json*> open_;  // a container's own children are only appended while it is the innermost one
  std::vector<std::unordered_set<std::string>> keys_;
  std::string key_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  if (text.size() > max_bytes) {
    throw input_error(name, "larger than 64 MiB");
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    throw input_error(place(name, text, 0), "starts with a byte-order mark; expected plain UTF-8 without one");
  }
  const char* reached = text.data();
  Builder builder(text, name, &reached);
  const CountingIterator first(text.data(), &reached);
  const CountingIterator last(text.data() + text.size(), &reached);
  Json::sax_parse(first, last, &builder);
  return builder.take();
}

Json read_json_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    throw input_error(path, fmt::format("can't be read: {}", std::strerror(errno)));
  }
  std::string text;
  std::vector<char> block(1 << 16);
  std::size_t got = 0;
  while (text.size() <= max_bytes && (got = std::fread(block.data(), 1, block.size(), file.get())) > 0) {
    text.append(block.data(), got);
  }
  if (std::ferror(file.get()) != 0) {
    throw input_error(path, fmt::format("can't be read: {}", std::strerror(errno)));
  }
  return parse_json(text, path);
}

std::string shortest_number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

namespace {

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // A word that shares nothing with the candidate but its length is no misspelling of it.
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace crossgrid
