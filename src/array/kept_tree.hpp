#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "array_cuts.hpp"

namespace crossgrid::avx2 {
namespace {

/// The tree of an array's blocks with what every merge needs to be undone. Sources inside the array go up it, as what
/// each block puts out by itself; the voltages and currents at the joints come down it, to the cells.
class KeptTree {
 public:
  KeptTree(const WiredArray& array, const Loop& loop)
      : rows_(array.rows), cols_(array.cols), cuts_({0, array.rows, 0, array.cols}, task_size) {
    std::vector<Block> blocks(cuts_.areas().size());
    tasks_.resize(blocks.size());
    loop(blocks.size(), [&](std::size_t k) { blocks[k] = keep_task(array, cuts_.areas()[k], tasks_[k]); });
    root_ = cuts_.merged(loop, std::move(blocks), &joints_);
  }

  void transfer(double* to) const {
    const Ports& ports = root_.ports;
    ports.over(Port::bottom, [&](const Run& cols, Index first_col) {
      ports.over(Port::left, [&](const Run& rows, Index first_row) {
        for (Index j = 0; j < cols.width; ++j) {
          for (Index i = 0; i < rows.width; ++i) {
            to[(first_col + j) * rows_ + rows_ - 1 - (first_row + i)] = -root_.gain(cols.first + j, rows.first + i);
          }
        }
      });
    });
  }

  void solve(const CellList& cells, const Sources& sources, const Response& response) const {
    const Index count = sources.count, ports = root_.ports.width();
    const Index width = (count + lanes - 1) / lanes * lanes;  // circuits go through leaves in vectors
    const Wanted wanted(*this, cells);
    Offsets offsets;
    Matrix out;
    if (sources.injected != nullptr) out = rise(wanted, {sources.injected, count}, width, offsets);
    if (out.size() == 0) out = Matrix::Zero(ports, width);
    Matrix in = Matrix::Zero(ports, width);
    over_ends([&](Port port, Index row, Index place) {
      const double* const from = port == Port::left ? sources.drivers : sources.adcs;
      if (from != nullptr) in.row(row).head(count) = row_of(from, place, count);
    });
    add_few<Left::as_is>(out, root_.gain, in);
    over_ends([&](Port port, Index row, Index place) {
      double* const to = port == Port::left ? response.driver_currents : response.adc_currents;
      if (to != nullptr) row_of(to, place, count) = (port == Port::left ? 1 : -1) * out.row(row).head(count);
    });
    if (response.cell_voltages == nullptr && response.cell_currents == nullptr) return;
    fall(wanted, std::move(in), {sources.injected, count}, offsets, response);
  }

 private:
  /// Like leaves that were solved side by side.
  struct Leaves {
    Area areas[lanes];
    std::size_t places[lanes];
    int count;
    Index ports;
    Index port_places[4 * leaf_size];
    std::vector<CellStep> steps;
  };
  /// A task's part of the tree.
  struct Task {
    explicit Task(const Area& whole) : cuts(whole, leaf_size) {}
    Cuts cuts;
    Cuts::Joints joints;
    std::vector<Leaves> leaves;
  };
  using JointOffsets = std::vector<std::vector<Joint::Offset>>;
  /// What sources inside do: at joints, and between the lines of every cell before it was inserted.
  struct Offsets {
    JointOffsets joints;
    std::vector<JointOffsets> task_joints;
    std::vector<Matrix> between;  ///< [task]: cells in the order of leaves, lanes and steps, x circuits
  };

  using Row = Eigen::Matrix<double, 1, Eigen::Dynamic>;
  static Eigen::Map<const Row> row_of(const double* from, Index row, Index count) {
    return Eigen::Map<const Row>(from + row * count, count);
  }
  static Eigen::Map<Row> row_of(double* to, Index row, Index count) { return Eigen::Map<Row>(to + row * count, count); }

  static Block keep_task(const WiredArray& array, const Area& whole, std::unique_ptr<Task>& task) {
    task = std::make_unique<Task>(whole);
    const std::vector<Area>& areas = task->cuts.areas();
    std::vector<Block> blocks(areas.size());
    for (const Likes& likes : groups_of(array, areas)) {
      Leaves& leaves = task->leaves.emplace_back();
      leaves.count = likes.count;
      leaves.steps.resize(static_cast<std::size_t>(likes.areas[0]->rows * likes.areas[0]->cols));
      const LeafBlocks solved(array, likes.areas, likes.count, leaves.steps.data());
      for (int lane = 0; lane < likes.count; ++lane) {
        leaves.areas[lane] = *likes.areas[lane], leaves.places[lane] = likes.places[lane];
        Block& block = blocks[likes.places[lane]];
        block = solved.block(lane, Edges::both_ways, leaves.port_places);
        leaves.ports = block.ports.width();
      }
    }
    return task->cuts.merged(Cuts::one_by_one(), std::move(blocks), &task->joints);
  }

  /// visit(port, row of the root, word line or bit line of the array).
  template <class Visit>
  void over_ends(const Visit& visit) const {
    root_.ports.over(Port::left, [&](const Run& run, Index at) {
      for (Index k = 0; k < run.width; ++k) visit(Port::left, run.first + k, rows_ - 1 - (at + k));
    });
    root_.ports.over(Port::bottom, [&](const Run& run, Index at) {
      for (Index k = 0; k < run.width; ++k) visit(Port::bottom, run.first + k, at + k);
    });
  }

  /// Which of the tree's blocks hold a cell that is asked for.
  struct Wanted {
    Wanted(const KeptTree& tree, const CellList& cells) {
      if (cells.places == nullptr) return;
      places_.reset(new Index[static_cast<std::size_t>(tree.rows_ * tree.cols_)]);
      for (Index k = 0; k < tree.rows_ * tree.cols_; ++k) places_[static_cast<std::size_t>(k)] = -1;
      for (Index k = 0; k < cells.count; ++k) places_[static_cast<std::size_t>(cells.places[k])] = k;
      cols_ = tree.cols_;
    }
    /// Of a cell in the list; -1: not in it.
    Index place(Index cell) const { return places_ == nullptr ? cell : places_[static_cast<std::size_t>(cell)]; }
    bool any(const Area& area) const {
      if (places_ == nullptr) return true;
      for (Index i = area.row; i < area.row + area.rows; ++i) {
        for (Index j = area.col; j < area.col + area.cols; ++j) {
          if (places_[static_cast<std::size_t>(i * cols_ + j)] >= 0) return true;
        }
      }
      return false;
    }

   private:
    std::unique_ptr<Index[]> places_;
    Index cols_ = 0;
  };

  /// From outputs of areas to those of the whole; empty where nothing inside drives.
  static Matrix up(const Cuts::Joints& joints, std::vector<Matrix> outputs, Index count, JointOffsets& offsets) {
    offsets.resize(joints.size());
    for (std::size_t level = joints.size(); level-- > 0;) {
      std::vector<Matrix> wholes(joints[level].size());
      offsets[level].resize(wholes.size());
      for (std::size_t k = 0; k < wholes.size(); ++k) {
        Matrix &a = outputs[2 * k], &b = outputs[2 * k + 1];
        if (a.size() == 0 && b.size() == 0) continue;
        if (a.size() == 0) a = Matrix::Zero(joints[level][k].a_ports.width(), count);
        if (b.size() == 0) b = Matrix::Zero(joints[level][k].b_ports.width(), count);
        wholes[k] = joints[level][k].up(a, b, offsets[level][k]);
      }
      outputs = std::move(wholes);
    }
    return std::move(outputs.front());
  }
  /// From inputs of the whole to those of the areas that are asked for; the others' stay empty.
  static std::vector<Matrix> down(const Cuts& cuts, const Cuts::Joints& joints, Matrix input, const Wanted& wanted,
                                  const JointOffsets* offsets) {
    std::vector<Matrix> inputs;
    inputs.push_back(std::move(input));
    for (std::size_t level = 0; level < joints.size(); ++level) {
      std::vector<Matrix> halves(2 * joints[level].size());
      for (std::size_t k = 0; k < joints[level].size(); ++k) {
        if (inputs[k].size() == 0) continue;
        const Joint::Offset* offset = offsets != nullptr ? &(*offsets)[level][k] : nullptr;
        if (offset != nullptr && offset->a.size() == 0) offset = nullptr;
        joints[level][k].down(inputs[k], offset, halves[2 * k], halves[2 * k + 1]);
        for (const std::size_t half : {2 * k, 2 * k + 1}) {
          if (!wanted.any(cuts.areas(level + 1)[half])) halves[half].resize(0, 0);
        }
      }
      inputs = std::move(halves);
    }
    return inputs;
  }

  /// visit(leaves, lane, number of the leaf's first cell): over a task's leaves.
  template <class Visit>
  static void for_each_leaf(const Task& task, const Visit& visit) {
    Index cell = 0;
    for (const Leaves& leaves : task.leaves) {
      for (int lane = 0; lane < leaves.count; ++lane) {
        visit(leaves, lane, cell);
        cell += static_cast<Index>(leaves.steps.size());
      }
    }
  }

  /// What is injected beside cells, four circuits at a time.
  struct Injected {
    const double* currents;
    Index count;

    Lanes at(Index place, Index first) const { return load(currents + place * count + first, count - first); }
  };
  static Lanes load(const double* from, Index left) {
    Lanes values{};
    if (left >= lanes) return avx2::load(from);
    for (Index k = 0; k < left; ++k) values[k] = from[k];
    return values;
  }
  static void store(double* to, Index left, const Lanes& values) {
    if (left >= lanes) {
      avx2::store(to, values);
    } else {
      for (Index k = 0; k < left; ++k) to[k] = values[k];
    }
  }

  Matrix rise(const Wanted& wanted, const Injected& injected, Index width, Offsets& offsets) const {
    std::vector<Matrix> outputs(tasks_.size());
    offsets.task_joints.resize(tasks_.size()), offsets.between.resize(tasks_.size());
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const Task& task = *tasks_[t];
      const Area& area = cuts_.areas()[t];
      if (!wanted.any(area)) continue;
      Matrix& between = offsets.between[t];
      between.setZero(area.rows * area.cols, width);
      std::vector<Matrix> leaf_outputs(task.cuts.areas().size());
      for_each_leaf(task, [&](const Leaves& leaves, int lane, Index cell) {
        if (!wanted.any(leaves.areas[lane])) return;
        Matrix& to = leaf_outputs[leaves.places[lane]];
        to.resize(leaves.ports, width);
        for (Index first = 0; first < width; first += lanes) {
          Lanes all[4 * leaf_size] = {};
          for (std::size_t s = 0; s < leaves.steps.size(); ++s) {
            const CellStep& step = leaves.steps[s];
            const Lanes own = all[step.right] + all[step.top];
            store(&between(cell + static_cast<Index>(s), first), lanes, own);
            Lanes current = step.cell[lane] * own;
            const Index place = wanted.place(cell_at(cols_, leaves.areas[lane], static_cast<Index>(s)));
            if (place >= 0) current += injected.at(place, first);
            current *= step.scale[lane];
            const double* const effect = step.effect[lane];
            for (Index p = 0; p < step.reached; ++p) all[p] += effect[p] * current;
          }
          for (Index p = 0; p < leaves.ports; ++p) store(&to(p, first), lanes, all[leaves.port_places[p]]);
        }
      });
      outputs[t] = up(task.joints, std::move(leaf_outputs), width, offsets.task_joints[t]);
    }
    return up(joints_, std::move(outputs), width, offsets.joints);
  }

  void fall(const Wanted& wanted, Matrix in, const Injected& injected, const Offsets& offsets,
            const Response& response) const {
    const Index width = in.cols(), count = injected.count;
    const bool driven = injected.currents != nullptr;
    std::vector<Matrix> inputs = down(cuts_, joints_, std::move(in), wanted, driven ? &offsets.joints : nullptr);
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      if (inputs[t].size() == 0) continue;
      const Task& task = *tasks_[t];
      const std::vector<Matrix> leaf_inputs =
          down(task.cuts, task.joints, std::move(inputs[t]), wanted, driven ? &offsets.task_joints[t] : nullptr);
      for_each_leaf(task, [&](const Leaves& leaves, int lane, Index cell) {
        const Matrix& from = leaf_inputs[leaves.places[lane]];
        if (from.size() == 0) return;
        for (Index first = 0; first < width; first += lanes) {
          Lanes all[4 * leaf_size] = {};
          for (Index p = 0; p < leaves.ports; ++p) all[leaves.port_places[p]] = load(&from(p, first), lanes);
          for (std::size_t s = leaves.steps.size(); s-- > 0;) {
            const CellStep& step = leaves.steps[s];
            const Index place = wanted.place(cell_at(cols_, leaves.areas[lane], static_cast<Index>(s)));
            Lanes sums[4] = {};
            if (driven) sums[0] = load(&offsets.between[t](cell + static_cast<Index>(s), first), lanes);
            const double* const effect = step.effect[lane];
            Index p = 0;
            for (; p + 4 <= step.reached; p += 4) {
              for (Index k = 0; k < 4; ++k) sums[k] += effect[p + k] * all[p + k];
            }
            for (; p < step.reached; ++p) sums[0] += effect[p] * all[p];
            const Lanes voltage = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            Lanes current = step.cell[lane] * voltage;
            if (driven && place >= 0) current += injected.at(place, first);
            current *= step.scale[lane];
            all[step.right] += current;
            all[step.top] += current;
            if (place < 0) continue;
            const Index at = place * count + first;
            if (response.cell_voltages != nullptr) {
              store(response.cell_voltages + at, count - first, voltage + step.seen[lane] * current);
            }
            if (response.cell_currents != nullptr) store(response.cell_currents + at, count - first, current);
          }
        }
      });
    }
  }

  Index rows_, cols_;
  Cuts cuts_;
  std::vector<std::unique_ptr<Task>> tasks_;
  Cuts::Joints joints_;
  Block root_;
};

}  // namespace
}  // namespace crossgrid::avx2
