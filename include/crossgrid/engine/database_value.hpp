#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace crossgrid {

/// A value of a database's column. Texts are not owned: they live as long as the table that holds the value.
class DatabaseValue {
 public:
  enum class Kind : std::uint8_t {
    none,  ///< null
    integer,
    natural,  ///< an integer beyond int64
    real,
    text,
    json  ///< true, false and lists: compared and shown as their JSON text
  };

  DatabaseValue() : integer_(0) {}
  explicit DatabaseValue(std::int64_t value) : kind_(Kind::integer), integer_(value) {}
  explicit DatabaseValue(std::uint64_t value) : kind_(Kind::natural), natural_(value) {}
  /// Not finite: null, as JSON has it.
  explicit DatabaseValue(double value);
  /// `kind` is text or json.
  DatabaseValue(Kind kind, std::string_view text)
      : kind_(kind), size_(static_cast<std::uint32_t>(text.size())), text_(text.data()) {}

  Kind kind() const { return kind_; }
  bool is_none() const { return kind_ == Kind::none; }
  bool is_number() const { return kind_ == Kind::integer || kind_ == Kind::natural || kind_ == Kind::real; }
  /// NaN where it is no number.
  double number() const;
  /// Not of texts and JSON: the value's 64 bits; for the same number of the same kind the same.
  std::uint64_t bits() const;
  /// Of texts and JSON.
  std::string_view text() const { return {text_, size_}; }

  /// As CSV has it: all digits, texts without quotes, nothing for null.
  std::string plain() const;
  /// As JSON has it.
  std::string to_json() const;

 private:
  Kind kind_ = Kind::none;
  std::uint32_t size_ = 0;
  union {
    std::int64_t integer_;
    std::uint64_t natural_;
    double real_;
    const char* text_;
  };
};

/// -1, 0 or 1: the order in which columns are sorted, numbers before texts before nulls.
int compare(const DatabaseValue& a, const DatabaseValue& b);
/// Whether they are one value: equal numbers (4 and 4.0 are), equal texts, equal JSON, or both null.
bool same(const DatabaseValue& a, const DatabaseValue& b);
/// Equal where values are the same.
std::size_t hash_of(const DatabaseValue& value);
/// Whether < and > between them mean anything: both numbers, both texts, or both null.
bool comparable(const DatabaseValue& a, const DatabaseValue& b);

}  // namespace crossgrid
