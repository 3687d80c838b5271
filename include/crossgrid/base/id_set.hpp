#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// Ids seen so far, for millions of them, numbered in the order in which they came: 32 to 48 bytes per id, no
/// allocation of its own for each.
class IdSet {
 public:
  IdSet() : table_(16) {}
  /// Room for `expected` ids without growing.
  explicit IdSet(std::uint64_t expected) {
    std::size_t places = 16;
    while (places < 2 * expected) places *= 2;
    table_.resize(places);
    ids_.reserve(static_cast<std::size_t>(expected));
  }

  /// False where it was there already.
  bool insert(const Id128& id) {
    Place& place = find(id);
    if (place.number != 0) return false;
    ids_.push_back(id);
    place = {tag_of(id), static_cast<std::uint32_t>(ids_.size())};
    if (2 * ids_.size() > table_.size()) grow();
    return true;
  }

  /// insert() is soon called for it: the table of millions of ids is in no cache.
  void prefetch(const Id128& id) const { __builtin_prefetch(&table_[id.low & (table_.size() - 1)], 1); }

  bool contains(const Id128& id) const { return find(id).number != 0; }
  /// How many ids came before it; nothing where it is not there. Fast where that is one of `guesses`, which may be any
  /// numbers.
  std::optional<std::uint32_t> number(const Id128& id, std::initializer_list<std::uint32_t> guesses = {}) const {
    for (const std::uint32_t guess : guesses) {
      if (guess < ids_.size() && ids_[guess] == id) return guess;
    }
    const Place& place = find(id);
    return place.number != 0 ? std::optional(place.number - 1) : std::nullopt;
  }
  std::size_t size() const { return ids_.size(); }
  const std::vector<Id128>& ids() const { return ids_; }

 private:
  /// Of the table: which id is there, counted from 1 (0: none), and bits of it, so that others are seldom looked at.
  struct Place {
    std::uint32_t tag = 0;
    std::uint32_t number = 0;
  };

  static std::uint32_t tag_of(const Id128& id) { return static_cast<std::uint32_t>(id.high); }

  /// Where the id is, or an empty place for it; the low word is already well mixed.
  const Place& find(const Id128& id) const {
    std::size_t at = id.low & (table_.size() - 1);
    while (table_[at].number != 0 && (table_[at].tag != tag_of(id) || ids_[table_[at].number - 1] != id)) {
      at = (at + 1) & (table_.size() - 1);
    }
    return table_[at];
  }
  Place& find(const Id128& id) { return const_cast<Place&>(std::as_const(*this).find(id)); }

  void grow() {
    table_.assign(2 * table_.size(), Place{});
    std::uint32_t number = 0;
    for (const Id128& id : ids_) {
      std::size_t at = id.low & (table_.size() - 1);
      while (table_[at].number != 0) at = (at + 1) & (table_.size() - 1);
      table_[at] = {tag_of(id), ++number};
    }
  }

  std::vector<Place> table_;
  std::vector<Id128> ids_;  ///< by number
};

}  // namespace crossgrid
