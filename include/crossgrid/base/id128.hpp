#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace crossgrid {

/// A 128-bit content hash (XXH3, for identity, not for security). Ids add up: a point's id is the sum of the ids of
/// its (parameter, value) pairs, modulo 2^128, so it does not depend on their order.
struct Id128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend Id128 operator+(Id128 a, Id128 b) {
    const std::uint64_t low_sum = a.low + b.low;
    return {a.high + b.high + (low_sum < a.low ? 1u : 0u), low_sum};
  }
  Id128& operator+=(Id128 other) { return *this = *this + other; }
  auto operator<=>(const Id128&) const = default;

  /// 32 lower-case hex digits.
  std::string hex() const;
  /// Reads hex() back. Throws Error(bad_input) for anything else.
  static Id128 from_hex(std::string_view text);
};

/// Hash of bytes.
Id128 hash_bytes(const void* data, std::size_t size);
inline Id128 hash_text(std::string_view text) {
  return hash_bytes(text.data(), text.size());
}
/// hash_bytes() of bytes that come piece by piece.
class PieceHash {
 public:
  PieceHash();
  void add(const void* data, std::size_t size);
  Id128 value() const;

 private:
  std::unique_ptr<XXH3_state_s, void (*)(XXH3_state_s*)> state_;
};
/// Hash of a file's content, read in blocks. Throws Error(bad_input) naming the file and the reason.
Id128 hash_file(const std::string& path);

/// For unordered containers: the low word is already well mixed.
struct Id128Hasher {
  std::size_t operator()(const Id128& id) const { return static_cast<std::size_t>(id.low); }
};

}  // namespace crossgrid
