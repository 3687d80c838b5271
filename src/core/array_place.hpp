#pragma once

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/programmed_cells.hpp"

namespace crossgrid {

/// One array's share of the matrix.
struct ArrayPlace {
  Part rows, cols;
  Eigen::Index col_part;  ///< its unit column among the unit columns
};

/// Its cells, the unit column first.
inline MatrixD array_cells(const SliceCells& slice, Matrix SliceCells::*side, const ArrayPlace& place) {
  const Eigen::Index units = slice.unit.size() > 0 ? 1 : 0;
  MatrixD cells(place.rows.count, units + place.cols.count);
  if (units > 0) cells.col(0) = slice.unit.block(place.rows.first, place.col_part, place.rows.count, 1).cast<double>();
  cells.rightCols(place.cols.count) =
      (slice.*side).block(place.rows.first, place.cols.first, place.rows.count, place.cols.count).cast<double>();
  return cells;
}

}  // namespace crossgrid
