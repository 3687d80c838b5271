#include "crossgrid/base/standard_draws.hpp"

#include "crossgrid/base/normal.hpp"
#include "crossgrid/base/uniform.hpp"

namespace crossgrid {

void fill_draws(DrawLaw law, std::span<float> out, const DrawSequence& sequence, std::uint64_t first) {
  law == DrawLaw::normal ? fill_normals(out, sequence, first) : fill_uniforms(out, sequence, first);
}

}  // namespace crossgrid
