#pragma once

#include "crossgrid/base/matrix.hpp"

/// Complex matrices as one core of real blocks (physics.md section 1; as the peer does it).
namespace crossgrid {

/// [Re -Im; Im Re] of a complex matrix (outputs x inputs): its product with [Re x; Im x] is [Re y; Im y].
template <class RealMatrix>
RealMatrix complex_blocks(const RealMatrix& re, const RealMatrix& im) {
  RealMatrix all(2 * re.rows(), 2 * re.cols());
  all << re, -im, im, re;
  return all;
}

/// Vectors (one a row) as complex_blocks takes them: [Re x, Im x].
template <class RealMatrix>
RealMatrix complex_vectors(const RealMatrix& re, const RealMatrix& im) {
  RealMatrix all(re.rows(), 2 * re.cols());
  all << re, im;
  return all;
}

}  // namespace crossgrid
