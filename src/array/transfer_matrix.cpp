#include "crossgrid/array/transfer_matrix.hpp"

#include <Eigen/LU>
#include <array>
#include <vector>

namespace crossgrid {
namespace {

/// Ports of a block of cells. Voltages at the left ends of its word lines and
/// at the lower ends of its bit lines go in, and the currents that are drawn at
/// the right and that enter at the top; the others come out.
enum Input { left_voltage, right_current, bottom_voltage, top_current, input_count };
enum Output { left_current, right_voltage, bottom_current, top_voltage, output_count };

/// outputs = gain * inputs. Ports that are open, at ground or not asked for
/// have no width.
struct Block {
  std::array<Eigen::Index, input_count> in = {};
  std::array<Eigen::Index, output_count> out = {};
  MatrixD gain;

  static Eigen::Index first(const auto& widths, int port) {
    Eigen::Index sum = 0;
    for (int k = 0; k < port; ++k) sum += widths[static_cast<std::size_t>(k)];
    return sum;
  }
  Eigen::Index input(int port) const { return first(in, port); }
  Eigen::Index output(int port) const { return first(out, port); }
};

/// Where the ports of the two halves of a block are in the block, which of them
/// meet inside, and how.
struct Joint {
  Output gives_x;  ///< of half A: what half B takes as takes_x
  Input takes_z;   ///< of half A: what half B gives as gives_z
  Output gives_z;
  Input takes_x;
};
/// A at the left, B at the right.
constexpr Joint side_by_side{right_voltage, right_current, left_current, left_voltage};
/// A below, B above.
constexpr Joint stacked{top_voltage, top_current, bottom_current, bottom_voltage};

/// Rows (or columns) of a half's gain without those of one port.
std::vector<Eigen::Index> others(const auto& widths, int port) {
  std::vector<Eigen::Index> places;
  const Eigen::Index from = Block::first(widths, port), to = Block::first(widths, port + 1);
  for (Eigen::Index k = 0; k < Block::first(widths, static_cast<int>(widths.size())); ++k) {
    if (k < from || k >= to) places.push_back(k);
  }
  return places;
}

/// Order of the whole's ports: for each kind those of the half that comes
/// first, then of the other; `inner` ones of A and B are gone. a and b: widths
/// of the halves. Entry: place in [A's others, B's others].
std::vector<Eigen::Index> merged_order(auto a, auto b, int inner_a, int inner_b, bool b_first) {
  a[static_cast<std::size_t>(inner_a)] = 0, b[static_cast<std::size_t>(inner_b)] = 0;
  const Eigen::Index a_total = Block::first(a, static_cast<int>(a.size()));
  std::vector<Eigen::Index> order;
  const auto add = [&order](Eigen::Index from, Eigen::Index count) {
    for (Eigen::Index k = 0; k < count; ++k) order.push_back(from + k);
  };
  for (int port = 0; port < static_cast<int>(a.size()); ++port) {
    const auto p = static_cast<std::size_t>(port);
    if (b_first) add(a_total + Block::first(b, port), b[p]);
    add(Block::first(a, port), a[p]);
    if (!b_first) add(a_total + Block::first(b, port), b[p]);
  }
  return order;
}

/// x = (I - A_xz B_zx)^-1 (A_xu u_A + A_xz B_zu u_B), z = B_zx x + B_zu u_B:
/// the identity plus wire resistances times conductances, so well conditioned.
Block merged(const Block& a, const Block& b, const Joint& joint, bool b_first) {
  const auto x_rows = Eigen::seqN(a.output(joint.gives_x), a.out[joint.gives_x]);
  const auto z_cols = Eigen::seqN(a.input(joint.takes_z), a.in[joint.takes_z]);
  const auto z_rows = Eigen::seqN(b.output(joint.gives_z), b.out[joint.gives_z]);
  const auto x_cols = Eigen::seqN(b.input(joint.takes_x), b.in[joint.takes_x]);
  const auto a_in = others(a.in, joint.takes_z), b_in = others(b.in, joint.takes_x);
  const auto a_out = others(a.out, joint.gives_x), b_out = others(b.out, joint.gives_z);
  const auto a_inputs = static_cast<Eigen::Index>(a_in.size()), b_inputs = static_cast<Eigen::Index>(b_in.size());
  const auto a_outputs = static_cast<Eigen::Index>(a_out.size()), b_outputs = static_cast<Eigen::Index>(b_out.size());
  const Eigen::Index width = a.out[joint.gives_x];

  const MatrixD a_xz = a.gain(x_rows, z_cols), b_zx = b.gain(z_rows, x_cols), b_zu = b.gain(z_rows, b_in);
  MatrixD x(width, a_inputs + b_inputs);
  x.leftCols(a_inputs) = a.gain(x_rows, a_in);
  x.rightCols(b_inputs) = a_xz * b_zu;
  x = (MatrixD::Identity(width, width) - a_xz * b_zx).partialPivLu().solve(x).eval();
  MatrixD z = b_zx * x;
  z.rightCols(b_inputs) += b_zu;

  MatrixD all(a_outputs + b_outputs, a_inputs + b_inputs);
  all.topRows(a_outputs) = a.gain(a_out, z_cols) * z;
  all.topLeftCorner(a_outputs, a_inputs) += a.gain(a_out, a_in);
  all.bottomRows(b_outputs) = b.gain(b_out, x_cols) * x;
  all.bottomRightCorner(b_outputs, b_inputs) += b.gain(b_out, b_in);

  Block whole;
  for (std::size_t port = 0; port < input_count; ++port) {
    whole.in[port] = (port == joint.takes_z ? 0 : a.in[port]) + (port == joint.takes_x ? 0 : b.in[port]);
    whole.out[port] = (port == joint.gives_x ? 0 : a.out[port]) + (port == joint.gives_z ? 0 : b.out[port]);
  }
  whole.gain = all(merged_order(a.out, b.out, joint.gives_x, joint.gives_z, b_first),
                   merged_order(a.in, b.in, joint.takes_z, joint.takes_x, b_first));
  return whole;
}

/// An array on its way to T.
struct Merging {
  const MatrixD& cells;
  const WireResistance& wires;

  /// i = g / (1 + g (r + c)) (VL - VB - r IR - c IT), IL = IR + i, VR = VL - r
  /// IL, IB = IT + i, VT = VB + c IB.
  Block cell(Eigen::Index row, Eigen::Index col) const {
    const bool leftmost = col == 0, last = col + 1 == cells.cols();
    const bool top = row == 0, bottom = row + 1 == cells.rows();
    const double r = wires.row + (leftmost ? wires.row_end : 0), c = wires.col + (bottom ? wires.col_end : 0);
    const double g = cells(row, col), through = g / (1 + g * (r + c));
    const Eigen::RowVector4d i = through * Eigen::RowVector4d(1, -r, -1, -c);
    const Eigen::RowVector4d left = i + Eigen::RowVector4d::Unit(right_current);
    const Eigen::RowVector4d below = i + Eigen::RowVector4d::Unit(top_current);
    Eigen::Matrix4d all;
    all.row(left_current) = left;
    all.row(right_voltage) = Eigen::RowVector4d::Unit(left_voltage) - r * left;
    all.row(bottom_current) = below;
    all.row(top_voltage) = Eigen::RowVector4d::Unit(bottom_voltage) + c * below;
    Block block;
    block.in = {1, last ? 0 : 1, bottom ? 0 : 1, top ? 0 : 1};
    block.out = {leftmost ? 0 : 1, last ? 0 : 1, 1, top ? 0 : 1};
    std::vector<int> inputs, outputs;
    for (int port = 0; port < input_count; ++port) {
      if (block.in[static_cast<std::size_t>(port)] > 0) inputs.push_back(port);
      if (block.out[static_cast<std::size_t>(port)] > 0) outputs.push_back(port);
    }
    block.gain = all(outputs, inputs);
    return block;
  }

  Block block(Eigen::Index row, Eigen::Index rows, Eigen::Index col, Eigen::Index cols) const {
    if (rows == 1 && cols == 1) return cell(row, col);
    if (cols > rows) {
      const Eigen::Index half = cols / 2;
      return merged(block(row, rows, col, half), block(row, rows, col + half, cols - half), side_by_side, false);
    }
    const Eigen::Index half = rows / 2;
    return merged(block(row + half, rows - half, col, cols), block(row, half, col, cols), stacked, true);
  }
};

}  // namespace

MatrixD transfer_matrix(const MatrixD& cells, const WireResistance& wires) {
  return Merging{cells, wires}.block(0, cells.rows(), 0, cells.cols()).gain;
}

}  // namespace crossgrid
