#include "crossgrid/engine/row_condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

enum class Comparison { equal, unequal, less, at_most, more, at_least, among };

/// A value that stands in a condition.
struct Literal {
  std::string text;
  DatabaseValue value;

  void own() {
    if (value.kind() == DatabaseValue::Kind::text) value = DatabaseValue(DatabaseValue::Kind::text, text);
  }
};

}  // namespace

struct RowCondition::Node {
  enum class Kind { any, all, negation, comparison };
  Kind kind = Kind::comparison;
  std::vector<std::unique_ptr<Node>> parts;  ///< of any, all, negation
  std::size_t column = 0;
  Comparison comparison = Comparison::equal;
  std::vector<Literal> literals;  ///< one, or those of `in`

  bool holds(std::span<const DatabaseValue> values) const {
    const auto is_true = [&](const auto& part) { return part->holds(values); };
    switch (kind) {
      case Kind::any:
        return std::any_of(parts.begin(), parts.end(), is_true);
      case Kind::all:
        return std::all_of(parts.begin(), parts.end(), is_true);
      case Kind::negation:
        return !is_true(parts.front());
      case Kind::comparison:
        break;
    }
    return compares(values[column]);
  }

 private:
  bool compares(const DatabaseValue& found) const {
    const DatabaseValue& wanted = literals.front().value;
    const auto equals = [&](const Literal& literal) {
      return comparable(found, literal.value) && compare(found, literal.value) == 0;
    };
    if (comparison == Comparison::among) return std::any_of(literals.begin(), literals.end(), equals);
    if (comparison == Comparison::equal) return equals(literals.front());
    if (comparison == Comparison::unequal) return !equals(literals.front());
    if (!comparable(found, wanted) || found.is_none()) return false;
    const int order = compare(found, wanted);
    switch (comparison) {
      case Comparison::less:
        return order < 0;
      case Comparison::at_most:
        return order <= 0;
      case Comparison::more:
        return order > 0;
      default:
        return order >= 0;
    }
  }
};

namespace {

using Node = RowCondition::Node;
using Kind = Node::Kind;

class Parser {
 public:
  Parser(std::string_view text, std::vector<std::string>& columns) : text_(text), columns_(columns) {}

  std::unique_ptr<Node> whole() {
    auto node = any();
    if (!at_end()) fail("expected 'and', 'or' or the end");
    return node;
  }

 private:
  static constexpr int most_levels = 64;
  static constexpr std::string_view operators = "<>=!";

  [[noreturn]] void fail(const std::string& expected) const {
    const auto before = std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                      [](char c) { return (c & 0xC0) != 0x80; });  // characters of UTF-8
    throw Error(ExitCode::usage, fmt::format("can't read the condition at column {}: {}\n  {}\n  {:>{}}", before + 1,
                                             expected, text_, '^', before + 1));
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  /// Takes the character if it is the next one.
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// Whether the word stands at `place`, with something that ends it on both sides.
  bool word_at(std::size_t place, std::string_view word) const {
    if (text_.substr(place, word.size()) != word) return false;
    const bool begins = place == 0 || std::string_view(" ()").find(text_[place - 1]) != std::string_view::npos;
    const std::size_t end = place + word.size();
    return begins && (end == text_.size() || text_[end] == ' ' || text_[end] == '(');
  }
  bool take_word(std::string_view word) {
    skip_spaces();
    if (!word_at(at_, word)) return false;
    at_ += word.size();
    return true;
  }

  /// Parts joined by a word: one part as it is, several as a node of `kind`.
  template <typename Part>
  std::unique_ptr<Node> joined(Kind kind, std::string_view word, const Part& part) {
    auto first = part();
    if (!take_word(word)) return first;
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->parts.push_back(std::move(first));
    do {
      node->parts.push_back(part());
    } while (take_word(word));
    return node;
  }

  std::unique_ptr<Node> any() {
    return joined(Kind::any, "or", [&] { return joined(Kind::all, "and", [&] { return one(); }); });
  }

  std::unique_ptr<Node> one() {
    if (++level_ > most_levels) fail(fmt::format("more than {} levels of 'not' and parentheses", most_levels));
    std::unique_ptr<Node> node;
    if (take_word("not")) {
      node = negation(one());
    } else if (take('(')) {
      node = any();
      if (!take(')')) fail("expected ')'");
    } else {
      node = comparison();
    }
    --level_;
    return node;
  }

  static std::unique_ptr<Node> negation(std::unique_ptr<Node> part) {
    auto node = std::make_unique<Node>();
    node->kind = Kind::negation;
    node->parts.push_back(std::move(part));
    return node;
  }

  std::unique_ptr<Node> comparison() {
    auto node = std::make_unique<Node>();
    node->column = column_place(column_name());
    const bool negated = take_word("not");
    if (take_word("in")) {
      node->comparison = Comparison::among;
      if (!take('(')) fail("expected '(' and a list of values");
      do {
        node->literals.push_back(literal(true));
      } while (take(','));
      if (!take(')')) fail("expected ',' or ')'");
      for (Literal& item : node->literals) item.own();
      return negated ? negation(std::move(node)) : std::move(node);
    }
    if (negated) fail("expected 'in'");
    node->comparison = comparison_sign();
    node->literals.push_back(literal(false));
    node->literals.front().own();
    return node;
  }

  Comparison comparison_sign() {
    static constexpr std::pair<std::string_view, Comparison> signs[] = {
        {"==", Comparison::equal},    {"!=", Comparison::unequal}, {"<=", Comparison::at_most},
        {">=", Comparison::at_least}, {"=", Comparison::equal},    {"<", Comparison::less},
        {">", Comparison::more}};
    skip_spaces();
    for (const auto& [sign, meaning] : signs) {
      if (text_.substr(at_, sign.size()) != sign) continue;
      at_ += sign.size();
      return meaning;
    }
    fail("expected one of = != < <= > >= in, as in adc.bits>=6");
  }

  std::size_t column_place(std::string name) {
    const auto found = std::find(columns_.begin(), columns_.end(), name);
    if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
    columns_.push_back(std::move(name));
    return columns_.size() - 1;
  }

  /// In quotes, or up to a comparison.
  std::string column_name() {
    if (at_end()) fail("expected a column");
    if (text_[at_] == '"') return quoted();
    std::size_t end = at_;
    while (end < text_.size() && operators.find(text_[end]) == std::string_view::npos && !word_at(end, "in") &&
           !(word_at(end, "not") && end > at_)) {
      ++end;
    }
    return bare(end, "expected a column");
  }

  /// What stands from here up to `end`, without spaces around it.
  std::string bare(std::size_t end, const char* expected) {
    std::string_view found = text_.substr(at_, end - at_);
    found.remove_suffix(found.size() - (found.find_last_not_of(' ') + 1));
    if (found.empty()) fail(expected);
    at_ = end;
    return std::string(found);
  }

  /// A JSON text.
  std::string quoted() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail("expected a closing '\"'");
    std::string text;
    try {
      text = parse_json(text_.substr(at_, end + 1 - at_), "text").get<std::string>();
    } catch (const Error&) {
      fail("not a JSON text in quotes");
    }
    at_ = end + 1;
    return text;
  }

  /// Where a bare value ends: before 'and', 'or', a ')' that is not its own, in a list a ',' outside of brackets.
  std::size_t value_end(bool listed) const {
    int depth = 0;
    std::size_t end = at_;
    for (; end < text_.size(); ++end) {
      const char c = text_[end];
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (depth < 0 || (depth == 0 && ((listed && c == ',') || word_at(end, "and") || word_at(end, "or")))) break;
    }
    return end;
  }

  /// A list as databases write it, without spaces.
  std::string list_text(const std::string& text) const {
    try {
      return parse_json(text, "list").dump();
    } catch (const Error&) {
      fail("not a JSON list");
    }
  }

  Literal literal(bool listed) {
    constexpr const char* expected = "expected a value: a number, null, a word or a text in quotes";
    Literal result;
    if (at_end()) fail(expected);
    if (text_[at_] == '"') {
      result.text = quoted();
      result.value = DatabaseValue(DatabaseValue::Kind::text, "");
      return result;
    }
    if (operators.find(text_[at_]) != std::string_view::npos) fail(expected);
    result.text = bare(value_end(listed), expected);
    if (result.text == "null") return result;
    if (result.text.front() == '[') result.text = list_text(result.text);
    double number = 0;
    const char* const end = result.text.data() + result.text.size();
    const auto [stop, error] = std::from_chars(result.text.data(), end, number);
    result.value = error == std::errc() && stop == end && std::isfinite(number)
                       ? DatabaseValue(number)
                       : DatabaseValue(DatabaseValue::Kind::text, "");
    return result;
  }

  std::string_view text_;
  std::vector<std::string>& columns_;
  std::size_t at_ = 0;
  int level_ = 0;
};

}  // namespace

RowCondition::RowCondition(std::string_view text) : root_(Parser(text, columns_).whole()) {}
RowCondition::~RowCondition() = default;
RowCondition::RowCondition(RowCondition&&) noexcept = default;
RowCondition& RowCondition::operator=(RowCondition&&) noexcept = default;

bool RowCondition::holds(std::span<const DatabaseValue> values) const {
  return root_->holds(values);
}

}  // namespace crossgrid
