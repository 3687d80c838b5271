#include "plain_unit_line.hpp"

#include <charconv>
#include <string>

#include "plain_json.hpp"

namespace crossgrid {

namespace {

/// Reads on as long as all is as expected.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool good() const { return good_; }
  bool at_end() const { return good_ && rest_.empty(); }

  /// Whether the text goes on so; if it does, behind that.
  bool take(std::string_view word) {
    if (!good_ || !rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) { good_ = take(word); }

  /// A text without escapes, up to and with its closing quote.
  std::string_view text() {
    std::size_t size = 0;
    while (size < rest_.size() && is_plain(rest_[size])) ++size;
    good_ = good_ && size < rest_.size() && rest_[size] == '"';
    if (!good_) return {};
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return found;
  }

  template <typename Number>
  Number number() {
    const char* const begin = rest_.data();
    const char* const end = good_ && !rest_.empty() ? after_number(begin) : nullptr;
    Number value = 0;
    good_ = end != nullptr;
    if (!good_) return value;
    const auto [read_to, error] = std::from_chars(begin, end, value);
    good_ = error == std::errc() && read_to == end;
    rest_.remove_prefix(static_cast<std::size_t>(end - begin));
    return value;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

void read_metric(Cursor& at, UnitResult& result) {
  MetricSum& metric = result.metrics[std::string(at.text())];
  at.expect(":{\"sum\":\"");
  const std::string_view sum = at.text();
  at.expect(",\"count\":");
  metric.count = at.number<std::uint64_t>();
  if (at.take(",\"clamped\":")) metric.clamped = at.number<std::uint64_t>();
  if (at.take(",\"not_finite\":")) metric.not_finite = at.number<std::uint64_t>();
  at.expect("}");
  if (at.good()) metric.sum = int128_from_text(sum);
}

}  // namespace

std::optional<UnitRecord> plain_unit(std::string_view members) {
  Cursor at(members);
  // The brace: numbers are read up to what is none of theirs.
  if (!members.ends_with('}') || !at.take("\"kind\":\"unit\",\"point\":\"")) return std::nullopt;
  UnitRecord record;
  UnitResult& result = record.result;
  const std::string_view point = at.text();
  at.expect(",\"trial\":");
  result.unit.trial = at.number<std::uint32_t>();
  at.expect(",\"first\":");
  result.unit.first = at.number<std::uint64_t>();
  at.expect(",\"count\":");
  result.unit.count = at.number<std::uint32_t>();
  at.expect(",\"status\":\"done\",\"metrics\":{");
  if (at.take("\"")) {
    do read_metric(at, result);
    while (at.take(",\""));
  }
  at.expect("},\"seconds\":");
  result.seconds = at.number<double>();
  at.expect(",\"attempts\":");
  result.attempts = at.number<std::uint32_t>();
  at.expect(",\"host\":\"");
  record.host = at.text();
  at.expect("}");
  if (!at.at_end() || result.unit.count == 0) return std::nullopt;
  record.point = Id128::from_hex(point);
  return record;
}

}  // namespace crossgrid
