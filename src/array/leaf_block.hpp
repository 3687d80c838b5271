#pragma once

#include "port_block.hpp"

namespace crossgrid::avx2 {
namespace {

constexpr int leaf_size = 8;

/// Cells side by side in an array.
struct Area {
  Index row, rows, col, cols;
};

/// What an inserted cell changed, for the voltages inside a block (KeptTree).
struct CellStep {
  Index right, top, reached;
  /// By lane: of its current on the block's outputs and, by reciprocity, of the inputs on its voltage.
  double effect[lanes][4 * leaf_size];
  Lanes cell, scale;  ///< conductance; 1 / (1 + cell * what it sees)
  Lanes seen;         ///< minus the resistance that it sees
};
/// The cell of an area, in an array of `cols` columns, that is inserted as number `step`.
inline Index cell_at(Index cols, const Area& area, Index step) {
  const Index col = step / area.rows, row = area.rows - 1 - step % area.rows;
  return (area.row + row) * cols + area.col + col;
}

/// The array's edges that a block keeps as ports. For a transfer matrix, drivers go in alone and ADCs out alone.
enum class Edges { one_way, both_ways };

/// Small blocks of one shape, cell by cell: a cell at the right end of its word line and the top end of its bit line is
/// a change of the block's gain of rank one. Begins with bare wires, which pass voltages and currents on.
class LeafBlocks {
 public:
  /// areas: `count` (at most `lanes`) of equal shape and at the same edges of the array. steps: one per cell, in the
  /// order of cell_at(); null: not wanted.
  LeafBlocks(const WiredArray& array, const Area* const* areas, int count, CellStep* steps = nullptr)
      : array_(array), areas_(areas), count_(count), rows_(areas[0]->rows), cols_(areas[0]->cols) {
    for (auto& row : gain_) {
      for (Lanes& entry : row) entry = Lanes{};
    }
    for (Index i = 0; i < rows_; ++i) gain_[place(Port::left, i)][place(Port::right, i)] += 1.0;
    for (Index j = 0; j < cols_; ++j) gain_[place(Port::bottom, j)][place(Port::top, j)] -= 1.0;
    for (Index j = 0; j < cols_; ++j) {
      for (Index i = rows_; i-- > 0;) insert(i, j, steps != nullptr ? steps++ : nullptr);
    }
  }

  /// Of areas[lane], without the ports at the array's edges. places: of its ports among those of a leaf with all of
  /// them; null: not wanted.
  Block block(int lane, Edges edges = Edges::one_way, Index* places = nullptr) const {
    const Area& area = *areas_[lane];
    const bool one_way = edges == Edges::one_way;
    const bool at_drivers = one_way && area.col == 0, open_right = area.col + area.cols == array_.cols;
    const bool at_adcs = one_way && area.row + area.rows == array_.rows, open_top = area.row == 0;
    Block block;
    Index inputs[4 * leaf_size], outputs[4 * leaf_size];
    Index in = 0, out = 0;
    const auto expose = [&](Port port, Index width, bool is_input, bool is_output) {
      for (Index k = 0; k < width; ++k) {
        if (is_input) inputs[in++] = place(port, k);
        if (is_output) outputs[out++] = place(port, k);
      }
    };
    const auto share = [&](Port port, Index width, bool gone) {
      if (gone) return;
      block.ports.add(port, width);
      expose(port, width, true, true);
    };
    share(Port::left, rows_, at_drivers);
    share(Port::right, rows_, open_right);
    share(Port::bottom, cols_, at_adcs);
    share(Port::top, cols_, open_top);
    if (at_drivers) block.inputs = rows_, expose(Port::left, rows_, true, false);
    if (at_adcs) block.outputs = cols_, expose(Port::bottom, cols_, false, true);
    block.gain.resize(out, in);
    for (Index row = 0; row < out; ++row) {
      for (Index col = 0; col < in; ++col) {
        const Index a = outputs[row], b = inputs[col];
        block.gain(row, col) = a < b ? gain_[a][b][lane] : gain_[b][a][lane];
      }
    }
    for (Index row = 0; places != nullptr && row < out; ++row) places[row] = outputs[row];
    return block;
  }

 private:
  /// Rows from the lowest up, as stacked blocks have them; columns are counted where cells are inserted last, so that
  /// those not yet reached are at the end.
  Index place(Port port, Index k) const {
    switch (port) {
      case Port::left:
        return k;
      case Port::right:
        return rows_ + k;
      case Port::bottom:
        return 2 * (rows_ + k);
      default:
        return 2 * (rows_ + k) + 1;
    }
  }

  Lanes cell(Index row, Index col) const {
    Lanes g{};
    for (int lane = 0; lane < lanes; ++lane) {
      const Area& area = *areas_[lane < count_ ? lane : 0];
      g[lane] = array_.cells[(area.row + row) * array_.cols + area.col + col];
    }
    return g;
  }

  /// With i the cell's current, which the old ends of both lines carry too: v = VR - r (IR + i), w = VT + c (IT + i),
  /// i = g (v - w). So gain += g / (1 - g (a_R + a_T)) a a^T with a the sum of the gain's rows R and T, once r and c
  /// are off its diagonal; the denominator is 1 plus g times what resists.
  void insert(Index row, Index col, CellStep* step) {
    const Index right = place(Port::right, rows_ - 1 - row), top = place(Port::top, col), reached = top + 1;
    Lanes r{}, c{};
    for (int lane = 0; lane < lanes; ++lane) {
      const Area& area = *areas_[lane < count_ ? lane : 0];
      r[lane] = array_.row_segments[area.col + col], c[lane] = array_.col_segments[area.row + row];
    }
    gain_[right][right] -= r, gain_[top][top] -= c;
    Lanes a[4 * leaf_size];
    for (Index k = 0; k < reached; ++k) {
      a[k] = (k < right ? gain_[k][right] : gain_[right][k]) + gain_[k][top];
    }
    const Lanes g = cell(row, col), scale = 1.0 / (1.0 - g * (a[right] + a[top])), factor = g * scale;
    if (step != nullptr) {
      step->right = right, step->top = top, step->reached = reached;
      for (int lane = 0; lane < lanes; ++lane) {
        for (Index k = 0; k < reached; ++k) step->effect[lane][k] = a[k][lane];
      }
      step->cell = g, step->scale = scale, step->seen = a[right] + a[top];
    }
    for (Index k = 0; k < reached; ++k) {
      const Lanes scaled = factor * a[k];
      for (Index l = k; l < reached; ++l) gain_[k][l] += scaled * a[l];
    }
  }

  const WiredArray& array_;
  const Area* const* areas_;
  int count_;
  Index rows_, cols_;
  Lanes gain_[4 * leaf_size][4 * leaf_size];  ///< upper half
};

}  // namespace
}  // namespace crossgrid::avx2
