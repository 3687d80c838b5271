#include "crossgrid/core/partition.hpp"

#include <algorithm>

namespace crossgrid {

std::vector<Part> partition(int size, std::optional<int> limit, PartitionRule rule) {
  const int largest = limit.value_or(size);
  if (size <= largest) return {{0, size}};
  const int arrays = (size + largest - 1) / largest;
  const int share = rule == PartitionRule::equal ? (size + arrays - 1) / arrays : largest;
  std::vector<Part> parts;
  for (int first = 0; first < size; first += share) parts.push_back({first, std::min(share, size - first)});
  return parts;
}

}  // namespace crossgrid
