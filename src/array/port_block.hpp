#pragma once

#include "eigen_avx2.hpp"
#include "wired_array.hpp"

namespace crossgrid::avx2 {
namespace {

/// Where lines leave a block of cells.
///
/// A block is a network in hybrid form: the voltages at the left ends of its word lines (VL) and at the lower ends of
/// its bit lines (VB) go in, and so do the currents drawn at the right ends (IR) and entering at the top (IT). Out come
/// IL, VR, -IB and -VT: with these signs the matrix of a network of resistors is symmetric.
enum class Port { left, right, bottom, top };

/// Lines that leave side by side.
struct Run {
  Port port;
  Index first, width;
};

/// Ports in the order of a block's rows and columns.
class Ports {
 public:
  void add(Port port, Index width) {
    if (count_ > 0 && runs_[count_ - 1].port == port) {
      runs_[count_ - 1].width += width;
    } else if (width > 0) {
      runs_[count_++] = {port, width_, width};
    }
    width_ += width;
  }
  Index width() const { return width_; }

  /// visit(run, place among the runs visited): the runs of `port`.
  template <class Visit>
  Index over(Port port, const Visit& visit) const {
    return over_if([&](const Run& run) { return run.port == port; }, visit);
  }
  /// Those of all other ports, port by port: however often blocks are merged, the runs stay few.
  template <class Visit>
  Index over_others(Port port, const Visit& visit) const {
    Index place = 0;
    for (const Port other : {Port::left, Port::right, Port::bottom, Port::top}) {
      if (other == port) continue;
      place += over(other, [&](const Run& run, Index within) { visit(run, place + within); });
    }
    return place;
  }

 private:
  template <class Test, class Visit>
  Index over_if(const Test& test, const Visit& visit) const {
    Index place = 0;
    for (int k = 0; k < count_; ++k) {
      if (!test(runs_[k])) continue;
      visit(runs_[k], place);
      place += runs_[k].width;
    }
    return place;
  }

  /// A merged block has at most the three other ports of each half, one run each: over_others visits a port's together.
  Run runs_[6] = {};
  int count_ = 0;
  Index width_ = 0;
};

/// outputs = gain * inputs. Rows: the ports that are in and out, then outputs alone (bit lines at the ADCs: their other
/// side is ground). Columns: the same ports, then inputs alone (word lines at their drivers). Ports at open ends are
/// gone.
struct Block {
  Ports ports;
  Index inputs = 0, outputs = 0;  ///< alone
  Matrix gain;
};

/// Parts of matrices: few types, so that Eigen's products are compiled once.
using Part = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;
using ConstPart = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;
enum class Left { as_is, transposed };

/// to += factor * left * right, without sharing it out.
template <Left form>
void add_part(Part to, const ConstPart& left, const ConstPart& right, double factor) {
  if constexpr (form == Left::as_is) {
    to.noalias() += factor * (left * right);
  } else {
    to.noalias() += factor * (left.transpose() * right);
  }
}
template <Left form>
ConstPart rows_of(const ConstPart& left, Index first, Index count) {
  if constexpr (form == Left::as_is) return left.middleRows(first, count);
  return left.middleCols(first, count);
}
/// Worth the threads' while.
bool long_product(const Part& to, const ConstPart& right) {
  return to.size() * right.rows() >= Index{1} << 22;
}
/// Lines of a share: every share packs the other factor anew.
Index lines_at_once(Index lines) {
  return lines < 1024 ? 128 : 256;
}

/// to += factor * left * right; long products are shared out along their longer side. The parts don't depend on the
/// threads.
template <Left form>
void add(const Loop& loop, Part to, const ConstPart& left, const ConstPart& right, double factor = 1) {
  if (to.size() == 0) return;
  if (!long_product(to, right)) {
    add_part<form>(to, left, right, factor);
    return;
  }
  const bool by_rows = to.rows() >= to.cols();
  const Index lines = by_rows ? to.rows() : to.cols(), at_once = lines_at_once(lines);
  loop(static_cast<std::size_t>((lines + at_once - 1) / at_once), [&](std::size_t part) {
    const Index first = static_cast<Index>(part) * at_once;
    const Index count = first + at_once < lines ? at_once : lines - first;
    if (by_rows) {
      add_part<form>(to.middleRows(first, count), rows_of<form>(left, first, count), right, factor);
    } else {
      add_part<form>(to.middleCols(first, count), left, right.middleCols(first, count), factor);
    }
  });
}

/// to = from^T, tile by tile.
void transpose(const Loop& loop, Part to, const ConstPart& from) {
  constexpr Index tile = 64;
  const auto rows = [&](std::size_t part) {
    const Index row = static_cast<Index>(part) * tile, height = row + tile < to.rows() ? tile : to.rows() - row;
    for (Index col = 0; col < to.cols(); col += tile) {
      const Index width = col + tile < to.cols() ? tile : to.cols() - col;
      to.block(row, col, height, width) = from.block(col, row, width, height).transpose();
    }
  };
  const auto parts = static_cast<std::size_t>((to.rows() + tile - 1) / tile);
  if (to.size() >= Index{1} << 16) {
    loop(parts, rows);
  } else {
    for (std::size_t part = 0; part < parts; ++part) rows(part);
  }
}

/// to += left^T * right, where the product is symmetric: half of the work.
void add_symmetric(const Loop& loop, Part to, const ConstPart& left, const ConstPart& right) {
  const Index width = to.rows(), at_once = width < 512 ? 64 : 128, parts = (width + at_once - 1) / at_once;
  const auto part = [&](std::size_t k) {
    const Index first = static_cast<Index>(k) * at_once, count = first + at_once < width ? at_once : width - first;
    add_part<Left::transposed>(to.block(first, first, count, width - first), left.middleCols(first, count),
                               right.rightCols(width - first), 1);
  };
  if (long_product(to, right)) {
    loop(static_cast<std::size_t>(parts), part);
  } else {
    for (Index k = 0; k < parts; ++k) part(static_cast<std::size_t>(k));
  }
  for (Index first = at_once; first < width; first += at_once) {
    const Index count = first + at_once < width ? at_once : width - first;
    transpose(loop, to.block(first, 0, count, first), to.block(0, first, first, count));
  }
}

/// In place, by halves. Without pivoting: the matrices here are I + R Y, with R resistances and Y conductances of
/// networks of resistors, whose pivots are the identity plus what is not negative.
void invert(const Loop& loop, Part matrix) {
  const Index width = matrix.rows();
  if (width <= 8) {
    for (Index k = 0; k < width; ++k) {
      const double pivot = 1 / matrix(k, k);
      matrix(k, k) = 1;
      matrix.row(k) *= pivot;
      for (Index i = 0; i < width; ++i) {
        if (i == k) continue;
        const double factor = matrix(i, k);
        matrix(i, k) = 0;
        matrix.row(i) -= factor * matrix.row(k);
      }
    }
    return;
  }
  const Index half = width / 2, rest = width - half;
  Part a = matrix.topLeftCorner(half, half), b = matrix.topRightCorner(half, rest);
  Part c = matrix.bottomLeftCorner(rest, half), d = matrix.bottomRightCorner(rest, rest);
  invert(loop, a);
  Matrix ab = Matrix::Zero(half, rest), ca = Matrix::Zero(rest, half);
  add<Left::as_is>(loop, ab, a, b);
  add<Left::as_is>(loop, ca, c, a);
  add<Left::as_is>(loop, d, c, ab, -1);
  invert(loop, d);
  b.setZero();
  add<Left::as_is>(loop, b, ab, d, -1);
  c.setZero();
  add<Left::as_is>(loop, c, d, ca, -1);
  add<Left::as_is>(loop, a, b, ca, -1);
}

/// A block that is to be joined at one of its ports.
struct Half {
  Half(const Block& block, Port port) : inputs(block.inputs), outputs(block.outputs) {
    const Ports& ports = block.ports;
    joined = ports.over(port, [](const Run&, Index) {});
    others = ports.width() - joined;
    inner.resize(joined, joined);
    to_joint.resize(joined, others + inputs);
    from_joint.resize(outputs, joined);
    ports.over(port, [&](const Run& row, Index at) {
      const auto lines = block.gain.middleRows(row.first, row.width);
      ports.over(port, [&](const Run& col, Index to) {
        inner.block(at, to, row.width, col.width) = lines.middleCols(col.first, col.width);
      });
      ports.over_others(port, [&](const Run& col, Index to) {
        to_joint.block(at, to, row.width, col.width) = lines.middleCols(col.first, col.width);
      });
      to_joint.block(at, others, row.width, inputs) = lines.rightCols(inputs);
      from_joint.middleCols(at, row.width) = block.gain.block(ports.width(), row.first, outputs, row.width);
    });
  }

  /// Copies what is not at the joint to its place in the whole, where its other ports begin at row and column `at`, and
  /// clears the rest of its rows.
  void keep(const Block& block, Port port, Matrix& gain, Index at, Index inputs_at, Index outputs_at) const {
    const Ports& ports = block.ports;
    gain.middleRows(at, others).setZero();
    gain.middleRows(outputs_at, outputs).setZero();
    ports.over_others(port, [&](const Run& row, Index to_row) {
      const auto lines = block.gain.middleRows(row.first, row.width);
      ports.over_others(port, [&](const Run& col, Index to_col) {
        gain.block(at + to_row, at + to_col, row.width, col.width) = lines.middleCols(col.first, col.width);
      });
      gain.block(at + to_row, inputs_at, row.width, inputs) = lines.rightCols(inputs);
      gain.block(outputs_at, at + to_row, outputs, row.width) =
          block.gain.block(ports.width(), row.first, outputs, row.width);
    });
    gain.block(outputs_at, inputs_at, outputs, inputs) = block.gain.bottomRightCorner(outputs, inputs);
  }

  auto shared() const { return to_joint.leftCols(others); }
  auto driven() const { return to_joint.rightCols(inputs); }

  Index joined, others, inputs, outputs;
  Matrix inner;       ///< from the joint to the joint
  Matrix to_joint;    ///< from the other ports, then the inputs alone; transposed, from the joint to the other ports
  Matrix from_joint;  ///< to the outputs alone
};

/// The same number of several blocks or circuits.
constexpr int lanes = 4;
using Lanes = double __attribute__((vector_size(lanes * sizeof(double))));

inline Lanes load(const double* from) {
  Lanes values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}
inline void store(double* to, const Lanes& values) {
  __builtin_memcpy(to, &values, sizeof values);
}

/// add_part for a few circuits, whose number is a multiple of `lanes`: what a product of many columns prepares would
/// take longer than the product.
template <Left form>
void add_few(Part to, const ConstPart& left, const ConstPart& right, double factor = 1) {
  constexpr Index many = 8, large = Index{64} * 64;
  if (right.cols() > many && left.size() > large) {
    add_part<form>(to, left, right, factor);
    return;
  }
  constexpr Index at_once = 4;
  const Index depth = right.rows(), rows = to.rows(), stride = left.outerStride();
  for (Index first = 0; first < right.cols(); first += lanes) {
    const double* const x = right.data() + first;
    double* const y = to.data() + first;
    if constexpr (form == Left::as_is) {
      for (Index row = 0; row < rows; row += at_once) {
        const Index taken = row + at_once < rows ? at_once : rows - row;
        Lanes sums[at_once] = {};
        for (Index k = 0; k < depth; ++k) {
          const Lanes value = load(x + k * right.outerStride());
          for (Index r = 0; r < taken; ++r) sums[r] += left.data()[(row + r) * stride + k] * value;
        }
        for (Index r = 0; r < taken; ++r) {
          double* const place = y + (row + r) * to.outerStride();
          store(place, load(place) + factor * sums[r]);
        }
      }
    } else {
      for (Index k = 0; k < depth; k += at_once) {
        const Index taken = k + at_once < depth ? at_once : depth - k;
        Lanes values[at_once] = {};
        for (Index r = 0; r < taken; ++r) values[r] = factor * load(x + (k + r) * right.outerStride());
        for (Index row = 0; row < rows; ++row) {
          double* const place = y + row * to.outerStride();
          Lanes sum = load(place);
          for (Index r = 0; r < taken; ++r) sum += left.data()[(k + r) * stride + row] * values[r];
          store(place, sum);
        }
      }
    }
  }
}

/// What is kept of two halves that were joined, for the voltages and currents at the joint: of a at its port `gives`,
/// of b at `takes`. In the matrices that go up and down, every column is a circuit of its own.
struct Joint {
  Ports a_ports, b_ports;
  Port gives = Port::right, takes = Port::left;
  double sign = 1;
  Matrix a_inner, a_reach, b_inner, b_reach;  ///< Half::inner, Half::to_joint
  Matrix n;

  /// What sources inside the halves bring to the joint when nothing goes in.
  struct Offset {
    Matrix a, b;
  };
  static void split(const Ports& ports, Port port, const Matrix& of, Matrix& joint, Matrix& others) {
    const Index joined = ports.over(port, [](const Run&, Index) {});
    joint.resize(joined, of.cols()), others.resize(ports.width() - joined, of.cols());
    ports.over(
        port, [&](const Run& run, Index at) { joint.middleRows(at, run.width) = of.middleRows(run.first, run.width); });
    ports.over_others(port, [&](const Run& run, Index at) {
      others.middleRows(at, run.width) = of.middleRows(run.first, run.width);
    });
  }
  static Matrix put_together(const Ports& ports, Port port, const Matrix& joint, const ConstPart& others) {
    Matrix whole(ports.width(), joint.cols());
    ports.over(port, [&](const Run& run, Index at) {
      whole.middleRows(run.first, run.width) = joint.middleRows(at, run.width);
    });
    ports.over_others(port, [&](const Run& run, Index at) {
      whole.middleRows(run.first, run.width) = others.middleRows(at, run.width);
    });
    return whole;
  }
  /// x and z of joined(), from what the halves do at the joint by themselves.
  void meet(const Matrix& u, const Matrix& v, Matrix& x, Matrix& z) const {
    Matrix drive = sign * u;
    add_few<Left::as_is>(drive, a_inner, v);
    x.setZero(n.rows(), u.cols());
    add_few<Left::as_is>(x, n, drive);
    z = sign * v;
    add_few<Left::as_is>(z, b_inner, x, sign);
  }

  /// Outputs of the whole from those of its halves, where sources inside are all that drives them.
  Matrix up(const Matrix& a, const Matrix& b, Offset& offset) const {
    Matrix a_others, b_others, x, z;
    split(a_ports, gives, a, offset.a, a_others);
    split(b_ports, takes, b, offset.b, b_others);
    meet(offset.a, offset.b, x, z);
    Matrix whole(a_others.rows() + b_others.rows(), a.cols());
    whole.topRows(a_others.rows()) = a_others;
    whole.bottomRows(b_others.rows()) = b_others;
    add_few<Left::transposed>(whole.topRows(a_others.rows()), a_reach, z);
    add_few<Left::transposed>(whole.bottomRows(b_others.rows()), b_reach, x);
    return whole;
  }
  /// Inputs of the halves from those of the whole. offset: of up(); null: no sources.
  void down(const Matrix& whole, const Offset* offset, Matrix& a, Matrix& b) const {
    const auto a_others = whole.topRows(a_reach.cols()), b_others = whole.bottomRows(b_reach.cols());
    Matrix u = Matrix::Zero(a_inner.rows(), whole.cols()), v = u, x, z;
    if (offset != nullptr) u = offset->a, v = offset->b;
    add_few<Left::as_is>(u, a_reach, a_others);
    add_few<Left::as_is>(v, b_reach, b_others);
    meet(u, v, x, z);
    a = put_together(a_ports, gives, z, a_others);
    b = put_together(b_ports, takes, x, b_others);
  }
};

/// Joins `a` at its port that gives voltages, and takes currents, to `b` at the one that takes voltages. sign: 1 where
/// voltages and currents at the joint are as the ports have them (side by side), -1 where both are negated (stacked).
///
/// With A and B the inner gains at the joint, u and v what the other ports do to it, x the voltages that B takes and z
/// the currents that A takes (the Redheffer star product):
///   x = sign * u + A v + A B x,  z = sign * (v + B x),  so x = N (sign * u + A v), z = N^T (sign * v + B u)
/// with N = (I - A B)^-1: the identity plus resistances times conductances, which nothing makes singular.
Block joined(const Loop& loop, const Block& first, Port gives, const Block& second, Port takes, double sign,
             Joint* kept = nullptr) {
  Half a(first, gives), b(second, takes);
  Block whole;
  first.ports.over_others(gives, [&](const Run& run, Index) { whole.ports.add(run.port, run.width); });
  second.ports.over_others(takes, [&](const Run& run, Index) { whole.ports.add(run.port, run.width); });
  whole.inputs = a.inputs + b.inputs, whole.outputs = a.outputs + b.outputs;
  const Index shared = a.others + b.others;
  Matrix& gain = whole.gain;
  gain.resize(shared + whole.outputs, shared + whole.inputs);
  loop(2, [&](std::size_t half) {
    if (half == 0) {
      a.keep(first, gives, gain, 0, shared, shared);
    } else {
      b.keep(second, takes, gain, a.others, shared + a.inputs, shared + a.outputs);
    }
  });

  Matrix n = Matrix::Identity(a.joined, a.joined);
  add<Left::as_is>(loop, n, a.inner, b.inner, -1);
  invert(loop, n);

  // What a half does to itself through the other: a's answer to its own u is N^T B u, b's to v is N A v.
  Matrix around(a.joined, a.joined), drive;
  const auto reflect = [&](const Half& half, Index at, Index inputs_at, Index outputs_at) {
    drive.setZero(half.joined, half.others + half.inputs);
    add<Left::as_is>(loop, drive, around, half.to_joint);
    const auto by_ports = drive.leftCols(half.others), by_inputs = drive.rightCols(half.inputs);
    add_symmetric(loop, gain.block(at, at, half.others, half.others), half.shared(), by_ports);
    add<Left::transposed>(loop, gain.block(at, inputs_at, half.others, half.inputs), half.shared(), by_inputs);
    add<Left::as_is>(loop, gain.block(outputs_at, at, half.outputs, half.others), half.from_joint, by_ports);
    add<Left::as_is>(loop, gain.block(outputs_at, inputs_at, half.outputs, half.inputs), half.from_joint, by_inputs);
  };
  around.setZero();
  add<Left::as_is>(loop, around, b.inner, n);
  reflect(a, 0, shared, shared);
  around.setZero();
  add<Left::as_is>(loop, around, n, a.inner);
  reflect(b, a.others, shared + a.inputs, shared + a.outputs);

  // From b's ports to a's, and by symmetry back.
  drive.setZero(b.joined, b.others + b.inputs);
  add<Left::transposed>(loop, drive, n, b.to_joint, sign);
  const auto by_ports = drive.leftCols(b.others), by_inputs = drive.rightCols(b.inputs);
  auto across = gain.block(0, a.others, a.others, b.others);
  add<Left::transposed>(loop, across, a.shared(), by_ports);
  add<Left::transposed>(loop, gain.block(0, shared + a.inputs, a.others, b.inputs), a.shared(), by_inputs);
  add<Left::as_is>(loop, gain.block(shared, a.others, a.outputs, b.others), a.from_joint, by_ports);
  add<Left::as_is>(loop, gain.block(shared, shared + a.inputs, a.outputs, b.inputs), a.from_joint, by_inputs);
  transpose(loop, gain.block(a.others, 0, b.others, a.others), across);
  if (a.inputs > 0) {
    Matrix driven = Matrix::Zero(a.joined, a.inputs);
    add<Left::as_is>(loop, driven, n, a.driven(), sign);
    add<Left::transposed>(loop, gain.block(a.others, shared, b.others, a.inputs), b.shared(), driven);
  }
  if (b.outputs > 0) {
    Matrix seen = Matrix::Zero(b.outputs, a.joined);
    add<Left::as_is>(loop, seen, b.from_joint, n, sign);
    add<Left::as_is>(loop, gain.block(shared + a.outputs, 0, b.outputs, a.others), seen, a.shared());
    add<Left::as_is>(loop, gain.block(shared + a.outputs, shared, b.outputs, a.inputs), seen, a.driven());
  }
  if (kept != nullptr) {
    kept->a_ports = first.ports, kept->b_ports = second.ports;
    kept->gives = gives, kept->takes = takes, kept->sign = sign;
    kept->a_inner.swap(a.inner), kept->a_reach.swap(a.to_joint);
    kept->b_inner.swap(b.inner), kept->b_reach.swap(b.to_joint);
    kept->n.swap(n);
  }
  return whole;
}

}  // namespace
}  // namespace crossgrid::avx2
