#include "bare_double_product.hpp"

#include "eigen_avx2.hpp"

namespace crossgrid::benchmarks {

void multiply_rows(const double* a, const double* b, double* c, int size, int first, int count) {
  using avx2::Matrix;
  const Eigen::Map<const Matrix> left(a, size, size), right(b, size, size);
  Eigen::Map<Matrix>(c, size, size).middleRows(first, count).noalias() = left.middleRows(first, count) * right;
}

}  // namespace crossgrid::benchmarks
