#pragma once

// Eigen under another name. Files that include this are compiled for AVX2 (CMakeLists.txt): the linker must never take
// one of their instances for the portable code's, which tells the owner of an older processor that it is too old. They
// include no other header that has Eigen in it.
#define Eigen EigenForAvx2
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

namespace crossgrid::avx2 {

using Index = Eigen::Index;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace crossgrid::avx2
