#include "crossgrid/base/uniform.hpp"

#include "draw_groups.hpp"

namespace crossgrid {
namespace {

/// Whole groups: the loop over 16 counters is what the compiler turns into vectors.
CROSSGRID_MULTIVERSION
void fill_groups(float* out, std::size_t groups, const DrawSequence& sequence, std::uint64_t first_group) {
  for (std::size_t group = 0; group < groups; ++group, out += draw_group) {
    const std::uint64_t base = (first_group + group) * 16;
    const auto low = static_cast<std::uint32_t>(base);
    const auto high = static_cast<std::uint32_t>(base >> 32);
    for (std::uint32_t i = 0; i < 16; ++i) {
      const PhiloxBlock block = philox4x32({{low + i, high, sequence.image, sequence.cycle}}, sequence.key);
      for (std::uint32_t k = 0; k < 4; ++k) out[16 * k + i] = standard_uniform(block.word[k]);
    }
  }
}

}  // namespace

void fill_uniforms(std::span<float> out, const DrawSequence& sequence, std::uint64_t first) {
  fill_from_groups(out, first, [&](float* to, std::size_t groups, std::uint64_t group) {
    fill_groups(to, groups, sequence, group);
  });
}

}  // namespace crossgrid
