#include "gated_ladder.hpp"

namespace crossgrid::avx2 {
namespace {

using Index = std::ptrdiff_t;

/// Columns that are solved together: their state stays in the L1 cache.
constexpr Index width = 64;

/// A number of every column.
struct Columns {
  double of[width];
};

/// What the rows below do, as a network of resistors and sources seen from above. In go, for every supply line, the
/// drop d of its voltage from the source to its upper end and, for the bit line, the current t that enters from above;
/// out come the currents S that the supply lines deliver and the voltage w of the bit line's upper end:
///   S = source - conductance d - share t,   w = lift - share d + resistance t
/// (reciprocity gives both `share`). Nothing is divided by a resistance, so ideal wires are no special case.
template <int lines>
struct Below {
  Columns source[lines] = {}, share[lines] = {}, lift = {}, resistance = {};
  Columns conductance[lines][lines] = {};
};

/// What a step took away, for the way back down: from the inputs above to those of the rows below.
template <int lines>
struct CellStep {
  Columns open, cell, injected, scale, resistance, weight[lines];
};
template <int lines>
struct SegmentStep {
  Columns source, share, scale, conductance[lines];
};

/// A cell of supply line `line` at the upper end of the bit line. With v the voltage across it if it carried nothing,
/// v = open - weight d - resistance t, it carries i = (cell * v + injected) / (1 + cell * resistance).
template <int lines>
void insert_cell(Below<lines>& below, int line, const double* cells, const double* injected, double gate, Index count,
                 CellStep<lines>* step) {
  for (Index j = 0; j < count; ++j) {
    const double cell = cells[j], resistance = below.resistance.of[j];
    const double scale = 1 / (1 + cell * resistance), g = cell * scale;
    const double open = gate - below.lift.of[j], own = injected != nullptr ? injected[j] : 0;
    const double base = (cell * open + own) * scale;
    double weight[lines];
    for (int l = 0; l < lines; ++l) weight[l] = (l == line ? 1.0 : 0.0) - below.share[l].of[j];
    if (step != nullptr) {
      step->open.of[j] = open, step->cell.of[j] = cell, step->injected.of[j] = own, step->scale.of[j] = scale;
      step->resistance.of[j] = resistance;
      for (int l = 0; l < lines; ++l) step->weight[l].of[j] = weight[l];
    }
    for (int l = 0; l < lines; ++l) {
      below.source[l].of[j] += weight[l] * base;
      for (int m = 0; m < lines; ++m) below.conductance[l][m].of[j] += weight[l] * g * weight[m];
      below.share[l].of[j] += weight[l] * g * resistance;
    }
    below.lift.of[j] += resistance * base;
    below.resistance.of[j] = resistance - resistance * g * resistance;
  }
}

/// A segment of supply line `line`: d below = d above + segment * S.
template <int lines>
void insert_segment(Below<lines>& below, int line, double segment, Index count, SegmentStep<lines>* step) {
  for (Index j = 0; j < count; ++j) {
    const double scale = 1 / (1 + segment * below.conductance[line][line].of[j]), factor = segment * scale;
    const double source = below.source[line].of[j], share = below.share[line].of[j];
    double conductance[lines];
    for (int l = 0; l < lines; ++l) conductance[l] = below.conductance[line][l].of[j];
    if (step != nullptr) {
      step->source.of[j] = source, step->share.of[j] = share, step->scale.of[j] = scale;
      for (int l = 0; l < lines; ++l) step->conductance[l].of[j] = conductance[l];
    }
    for (int l = 0; l < lines; ++l) {
      below.source[l].of[j] -= conductance[l] * factor * source;
      for (int m = 0; m < lines; ++m) below.conductance[l][m].of[j] -= conductance[l] * factor * conductance[m];
      below.share[l].of[j] -= conductance[l] * factor * share;
    }
    below.lift.of[j] -= share * factor * source;
    below.resistance.of[j] += share * factor * share;
  }
}

/// A row that is driven, with what lies between it and the one above it that is driven too.
struct Row {
  Index row;
  double supply;  ///< its supply segments
};

template <int lines>
struct RowSteps {
  CellStep<lines> cells[lines];
  SegmentStep<lines> segments[lines];
};

/// Rows and steps of one solution: plain memory, as no instance of a standard template leaves AVX2 code.
template <class Element>
class Array {
 public:
  explicit Array(Index count) : elements_(count > 0 ? new Element[static_cast<std::size_t>(count)] : nullptr) {}
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { delete[] elements_; }
  Element& operator[](Index k) { return elements_[k]; }

 private:
  Element* elements_;
};

template <int lines>
void solve(const Ladders& all, double* currents, const LadderCells* cells) {
  // Rows that are cut off leave their segments in series. From the lowest up.
  Array<Row> rows(all.rows);
  Index driven = 0;
  double supply = 0;
  for (Index i = 0; i < all.rows; ++i) {
    supply += all.supply_segments[i];
    if (all.gates[i] == 0) continue;
    rows[driven++] = {i, supply};
    supply = 0;
  }
  Array<RowSteps<lines>> steps(cells != nullptr ? driven : 0);
  for (Index first = 0; first < all.cols; first += width) {
    const Index count = first + width < all.cols ? width : all.cols - first;
    Below<lines> below;
    Index bit_from = all.rows;
    for (Index k = driven; k-- > 0;) {
      const Index row = rows[k].row, at = row * all.cols + first;
      double bit = 0;
      for (Index i = row; i < bit_from; ++i) bit += all.bit_segments[i];
      bit_from = row;
      for (Index j = 0; j < count; ++j) below.resistance.of[j] += bit;
      RowSteps<lines>* const kept = cells != nullptr ? &steps[k] : nullptr;
      for (int line = 0; line < lines; ++line) {
        const double gate = line == 0 ? all.gates[row] : -all.gates[row];
        insert_cell<lines>(below, line, all.cells[line] + at,
                           all.injected[line] != nullptr ? all.injected[line] + at : nullptr, gate, count,
                           kept != nullptr ? &kept->cells[line] : nullptr);
      }
      for (int line = 0; line < lines; ++line) {
        insert_segment<lines>(below, line, rows[k].supply, count, kept != nullptr ? &kept->segments[line] : nullptr);
      }
    }
    for (Index j = 0; j < count; ++j) {
      currents[first + j] = 0;
      for (int line = 0; line < lines; ++line) currents[first + j] += below.source[line].of[j];
    }
    if (cells == nullptr) continue;
    for (int line = 0; line < lines; ++line) {
      for (Index i = 0; i < all.rows; ++i) {
        for (Index j = 0; j < count; ++j) {
          const Index at = i * all.cols + first + j;
          cells[line].voltages[at] = cells[line].currents[at] = 0;
        }
      }
    }
    Columns drop[lines] = {}, entering = {};
    for (Index k = 0; k < driven; ++k) {
      const RowSteps<lines>& step = steps[k];
      for (Index j = 0; j < count; ++j) {
        for (int line = lines; line-- > 0;) {
          const SegmentStep<lines>& segment = step.segments[line];
          double current = segment.source.of[j] - segment.share.of[j] * entering.of[j];
          for (int l = 0; l < lines; ++l) current -= segment.conductance[l].of[j] * drop[l].of[j];
          drop[line].of[j] += rows[k].supply * current * segment.scale.of[j];
        }
        for (int line = lines; line-- > 0;) {
          const CellStep<lines>& cell = step.cells[line];
          double voltage = cell.open.of[j] - cell.resistance.of[j] * entering.of[j];
          for (int l = 0; l < lines; ++l) voltage -= cell.weight[l].of[j] * drop[l].of[j];
          const double current = (cell.cell.of[j] * voltage + cell.injected.of[j]) * cell.scale.of[j];
          const Index at = rows[k].row * all.cols + first + j;
          cells[line].voltages[at] = voltage - cell.resistance.of[j] * current;
          cells[line].currents[at] = current;
          entering.of[j] += current;
        }
      }
    }
  }
}

}  // namespace

void solve_ladders(const Ladders& ladders, double* currents, const LadderCells* cells) {
  if (ladders.lines == 1) {
    solve<1>(ladders, currents, cells);
  } else {
    solve<2>(ladders, currents, cells);
  }
}

}  // namespace crossgrid::avx2
