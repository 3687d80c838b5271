#include "crossgrid/base/normal.hpp"

#include "draw_groups.hpp"

namespace crossgrid {
namespace {

/// Whole groups: the loop over 16 counters is what the compiler turns into vectors.
CROSSGRID_MULTIVERSION
void fill_groups(float* out, std::size_t groups, PhiloxKey key, std::uint32_t image, std::uint32_t cycle,
                 std::uint64_t first_group) {
  for (std::size_t group = 0; group < groups; ++group, out += draw_group) {
    const std::uint64_t base = (first_group + group) * 16;
    const auto low = static_cast<std::uint32_t>(base);
    const auto high = static_cast<std::uint32_t>(base >> 32);
    float* const plane0 = out;
    for (std::uint32_t i = 0; i < 16; ++i) {
      const PhiloxBlock block = philox4x32({{low + i, high, image, cycle}}, key);
      const NormalPair a = box_muller(block.word[0], block.word[1]);
      const NormalPair b = box_muller(block.word[2], block.word[3]);
      plane0[i] = a.first;
      plane0[16 + i] = a.second;
      plane0[32 + i] = b.first;
      plane0[48 + i] = b.second;
    }
  }
}

}  // namespace

void fill_normals(std::span<float> out, const DrawSequence& sequence, std::uint64_t first) {
  fill_from_groups(out, first, [&](float* to, std::size_t groups, std::uint64_t group) {
    fill_groups(to, groups, sequence.key, sequence.image, sequence.cycle, group);
  });
}

}  // namespace crossgrid
