#include "crossgrid/core/partition.hpp"

#include <algorithm>

namespace crossgrid {

std::vector<Part> partition(int size, std::optional<int> limit, const PartitionRule& rule) {
  const int largest = limit.value_or(size);
  if (size <= largest) return {{0, size}};
  const int arrays = (size + largest - 1) / largest;
  const bool whole = std::ranges::any_of(rule.divisors, [&](int divisor) {
    const int block = largest / divisor;
    return block > 0 && size % block == 0;
  });
  const bool fill = rule.kind == PartitionRule::Kind::fill || (rule.kind == PartitionRule::Kind::divisors && whole);
  const int share = fill ? largest : (size + arrays - 1) / arrays;
  std::vector<Part> parts;
  for (int first = 0; first < size; first += share) parts.push_back({first, std::min(share, size - first)});
  return parts;
}

std::vector<RowGroup> row_groups(const std::vector<Part>& arrays, std::optional<int> active) {
  std::vector<RowGroup> groups;
  for (int array = 0; array < static_cast<int>(arrays.size()); ++array) {
    const Part& rows = arrays[static_cast<std::size_t>(array)];
    for (const Part& group : partition(rows.count, active, {PartitionRule::Kind::fill, {}})) {
      groups.push_back({{rows.first + group.first, group.count}, array});
    }
  }
  return groups;
}

}  // namespace crossgrid
