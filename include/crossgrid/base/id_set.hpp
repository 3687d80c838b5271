#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// Ids seen so far, for millions of them: one table of 16 to 32 bytes per id, no allocation of its own for each.
class IdSet {
 public:
  /// Room for `expected` ids without growing.
  explicit IdSet(std::uint64_t expected = 0) {
    std::size_t places = 16;
    while (places < 2 * expected) places *= 2;
    table_.resize(places);
  }

  /// False where it was there already.
  bool insert(const Id128& id) {
    if (id == Id128{}) return !std::exchange(has_zero_, true);
    Id128& place = find(id);
    if (place == id) return false;
    place = id;
    if (2 * ++size_ > table_.size()) grow();
    return true;
  }

 private:
  /// Where the id is, or an empty place for it; the low word is already well mixed.
  Id128& find(const Id128& id) {
    std::size_t at = id.low & (table_.size() - 1);
    while (table_[at] != Id128{} && table_[at] != id) at = (at + 1) & (table_.size() - 1);
    return table_[at];
  }

  void grow() {
    std::vector<Id128> old(2 * table_.size());
    old.swap(table_);
    for (const Id128& id : old) {
      if (id != Id128{}) find(id) = id;
    }
  }

  std::vector<Id128> table_;  ///< zero: an empty place
  std::uint64_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace crossgrid
