#pragma once

#include <Eigen/Core>

namespace crossgrid {

/// Row-major float matrix: weights (outputs x inputs), conductances (rows x cols).
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// The same in double, for references and solvers.
using MatrixD = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace crossgrid
