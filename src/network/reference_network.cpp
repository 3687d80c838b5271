#include "crossgrid/network/reference_network.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "crossgrid/network/tensor_evaluation.hpp"

namespace crossgrid {

struct ReferenceNetwork::MatrixPart {
  MatrixLayer layer;
  ConvolutionShape geometry;  ///< of one image
  LayerHardware hardware;
  LayerRanges ranges;
  std::optional<ReferenceMatrix> arrays;  ///< none: digital
};

ReferenceNetwork::ReferenceNetwork(const Network& network, std::span<const LayerHardware> hardware,
                                   std::vector<LayerRanges> ranges, std::uint64_t seed, std::uint32_t trial)
    : network_(network), matrix_of_layer_(network.layers.size(), -1), seed_(seed), trial_(trial) {
  for (const MatrixLayer& layer : matrix_layers(network)) {
    const std::size_t m = matrices_.size();
    matrix_of_layer_[static_cast<std::size_t>(layer.layer)] = static_cast<int>(m);
    matrices_.push_back({layer, layer_geometry(network, layer.layer), hardware[m], std::move(ranges[m]), {}});
  }
}

ReferenceNetwork::~ReferenceNetwork() = default;

std::size_t ReferenceNetwork::matrices() const {
  return matrices_.size();
}

void ReferenceNetwork::program(std::size_t matrix) {
  MatrixPart& part = matrices_[matrix];
  if (!part.hardware.analog) return;
  const Layer& layer = network_.layers[static_cast<std::size_t>(part.layer.layer)];
  part.arrays.emplace(matrix_weights(layer, part.hardware), arrayed_hardware(layer, part.hardware),
                      LayerStreams{seed_, trial_, static_cast<std::uint32_t>(part.layer.layer)});
}

/// One image on its way, NHWC.
struct ReferenceNetwork::Walk {
  using Values = std::vector<double>;

  const ReferenceNetwork& network;
  std::uint32_t image;
  Image& found;

  static double at(const Values& from, const Shape& shape, int y, int x, int c) {
    const int place = (y * shape.width + x) * shape.channels + c;
    return from[static_cast<std::size_t>(place)];
  }

  /// The inputs of a window in the order (channel, kernel row, kernel column); 0 beyond the edge.
  static Values window(const Values& from, const Shape& in, const ConvolutionShape& g, int row, int column) {
    Values x;
    const WindowAxis &rows = g.window.vertical, &columns = g.window.horizontal;
    for (int c = 0; c < g.in_channels; ++c) {
      for (int ky = 0; ky < rows.kernel; ++ky) {
        for (int kx = 0; kx < columns.kernel; ++kx) {
          const int iy = rows.first(row) + ky * rows.dilation, ix = columns.first(column) + kx * columns.dilation;
          const bool inside = iy >= 0 && ix >= 0 && iy < g.height && ix < g.width;
          x.push_back(inside ? at(from, in, iy, ix, c) : 0);
        }
      }
    }
    return x;
  }

  /// x: of all groups.
  Values digital(const Matrix& weights, const Values& x, int groups) const {
    const Eigen::Index outputs = weights.rows() / groups, inputs = weights.cols();
    Values y;
    for (Eigen::Index j = 0; j < weights.rows(); ++j) {
      double sum = 0;
      for (Eigen::Index i = 0; i < inputs; ++i) {
        sum += static_cast<double>(weights(j, i)) * x[static_cast<std::size_t>(j / outputs * inputs + i)];
      }
      y.push_back(sum);
    }
    return y;
  }

  /// x: of all groups. Groups with arrays of their own: the whole matrix is multiplied by each group's inputs, of which
  /// only its own columns count.
  Values analog(const MatrixPart& part, const Values& x, std::uint32_t number) {
    const int groups = part.hardware.grouped == GroupedMatrix::per_group ? part.geometry.groups : 1;
    const std::size_t inputs = x.size() / static_cast<std::size_t>(groups);
    Values y;
    for (int group = 0; group < groups; ++group) {
      const auto first = x.begin() + static_cast<std::ptrdiff_t>(group) * static_cast<std::ptrdiff_t>(inputs);
      const Values own =
          analog_group(part, Values(first, first + static_cast<std::ptrdiff_t>(inputs)), number, group, groups);
      y.insert(y.end(), own.begin(), own.end());
    }
    const std::vector<double>& scales = part.hardware.core.column_scales;
    for (std::size_t j = 0; j < y.size() && !scales.empty(); ++j) y[j] *= scales[j % scales.size()];
    return y;
  }

  Values analog_group(const MatrixPart& part, Values x, std::uint32_t number, int group, int groups) {
    ReferenceMvm mvm;
    mvm.input_range = part.ranges.dac, mvm.adc_ranges = part.ranges.adc, mvm.adc_levels = part.ranges.levels;
    mvm.image = image, mvm.window = number;
    x.resize(x.size() + static_cast<std::size_t>(part.hardware.core.bias_row_count()), 1.0);
    const ReferenceResult result = part.arrays->multiply(x, mvm);
    found.halvings += static_cast<std::uint64_t>(result.halvings);
    int columns = 0;
    for (const ReferenceConversion& conversion : result.conversions) columns = std::max(columns, conversion.column + 1);
    for (const ReferenceConversion& conversion : result.conversions) {
      if (conversion.column / (columns / groups) != group) continue;
      const bool inside = conversion.value >= conversion.range.low && conversion.value <= conversion.range.high;
      ++found.conversions;
      if (!inside) ++found.clipped;
    }
    const std::size_t outputs = result.outputs.size() / static_cast<std::size_t>(groups);
    const auto first = result.outputs.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(group) * outputs);
    return {first, first + static_cast<std::ptrdiff_t>(outputs)};
  }

  /// The bias that is added digitally; empty: none.
  const std::vector<float>& added_bias(const MatrixPart& part) const {
    static const std::vector<float> none;
    const bool in_rows = part.arrays && part.hardware.core.bias_row_count() > 0;
    return in_rows ? none : layer_bias(network.network_.layers[static_cast<std::size_t>(part.layer.layer)]);
  }

  /// An MVM of the inputs of all windows of a tile gives their outputs; those over the edge are of zeros and dropped.
  Values tiled(const MatrixPart& part, const Values& from, const Shape& in) {
    const ConvolutionShape& g = part.geometry;
    const std::vector<float>& bias = added_bias(part);
    const WindowTile& tile = part.hardware.window;
    const auto outputs = static_cast<std::size_t>(g.out_channels);
    const auto place = [&](int row, int column) {
      return (static_cast<std::size_t>(row) * static_cast<std::size_t>(g.out_width()) +
              static_cast<std::size_t>(column)) *
             outputs;
    };
    Values to(static_cast<std::size_t>(g.windows()) * outputs);
    std::uint32_t number = 0;
    for (int top = 0; top < g.out_height(); top += tile.y) {
      for (int left = 0; left < g.out_width(); left += tile.x, ++number) {
        std::vector<std::optional<std::pair<int, int>>> windows;
        Values x;
        for (int k = 0; k < tile.windows(); ++k) {
          const int row = top + k / tile.x, column = left + k % tile.x;
          const bool inside = row < g.out_height() && column < g.out_width();
          windows.push_back(inside ? std::optional(std::pair(row, column)) : std::nullopt);
          const Values own =
              inside ? window(from, in, g, row, column)
                     : Values(static_cast<std::size_t>(g.in_channels) * static_cast<std::size_t>(g.window.size()), 0.0);
          x.insert(x.end(), own.begin(), own.end());
        }
        const Values y = analog(part, x, number);
        for (std::size_t k = 0; k < windows.size(); ++k) {
          if (!windows[k]) continue;
          for (std::size_t j = 0; j < outputs; ++j) {
            to[place(windows[k]->first, windows[k]->second) + j] =
                y[k * outputs + j] + (bias.empty() ? 0 : double(bias[j]));
          }
        }
      }
    }
    return to;
  }

  /// One MVM and what is added to it.
  Values product(const MatrixPart& part, const Values& x, std::uint32_t number) {
    const Layer& layer = network.network_.layers[static_cast<std::size_t>(part.layer.layer)];
    const std::vector<float>& bias = added_bias(part);
    Values y = part.arrays ? analog(part, x, number) : digital(layer_weights(layer), x, part.geometry.groups);
    for (std::size_t j = 0; j < y.size(); ++j) y[j] += bias.empty() ? 0 : double(bias[j]);
    return y;
  }

  Values matrix(const MatrixPart& part, const Values& from, const Shape& in) {
    const ConvolutionShape& g = part.geometry;
    Values to;
    if (part.arrays && part.hardware.window.windows() > 1) return tiled(part, from, in);
    for (int row = 0; row < g.out_height(); ++row) {
      for (int column = 0; column < g.out_width(); ++column) {
        const Values x = g.height == 1 && g.width == 1 && g.rows() == static_cast<int>(from.size())
                             ? from
                             : window(from, in, g, row, column);
        const auto number = static_cast<std::uint32_t>(row * g.out_width() + column);
        const Values y = product(part, x, number);
        to.insert(to.end(), y.begin(), y.end());
      }
    }
    return to;
  }

  /// Sequence by sequence. products: outputs of all MVMs, in their order; 0 where they are not taken.
  Values recurrent(const MatrixPart& part, const Recurrent& layer, const Values& from, Values& products) {
    const auto sequences = static_cast<std::size_t>(layer.sequences), steps = static_cast<std::size_t>(layer.steps);
    const std::size_t hidden = layer.cell.hidden, columns = layer.cell.blocks() * hidden;
    const auto inputs = static_cast<std::size_t>(layer.inputs());
    const bool has_cells = layer.cell.kind == RecurrentKind::lstm;
    products.assign(static_cast<std::size_t>(layer.mvms()) * columns, 0.0);
    Values to((steps + (has_cells ? 2 : 1)) * sequences * hidden);
    const auto vector = [&](const Values& all, std::size_t k, std::size_t size) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(k * size);
      return Values(first, first + static_cast<std::ptrdiff_t>(size));
    };
    const auto put = [&](const Values& values, std::size_t k) {
      std::ranges::copy(values, to.begin() + static_cast<std::ptrdiff_t>(k * hidden));
    };
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
      Values state = vector(layer.state, sequence, hidden);
      Values cells = has_cells ? vector(layer.cells, sequence, hidden) : Values{};
      std::size_t mvm = sequence;
      for (std::size_t k = 0; k < steps; ++k) {
        const std::size_t at = (layer.reverse ? steps - 1 - k : k) * sequences + sequence;
        Values step(columns);
        for (int number = 0; number < layer.cell.products(); ++number, mvm += sequences) {
          Values x = number == 0 ? vector(from, at, inputs) : Values(inputs, 0.0);
          Values second = state;
          if (number > 0) layer.cell.reset_state(step, state, second);
          x.insert(x.end(), second.begin(), second.end());
          const Values y = product(part, x, static_cast<std::uint32_t>(mvm));
          const auto [first, end] = layer.cell.values_of(number);
          for (std::size_t j = first; j < end; ++j) products[mvm * columns + j] = step[j] = y[j];
        }
        layer.cell.step(step, state, cells);
        put(state, at);
      }
      put(state, steps * sequences + sequence);
      if (has_cells) put(cells, (steps + 1) * sequences + sequence);
    }
    return to;
  }

  /// finish(value, count) of the `count` pixels of each window that lie in the image, merged one by one from `start`.
  template <class Pool, class Merge, class Finish>
  static Values pooled(const Values& from, const Shape& in, const Shape& out, const Pool& pool, double start,
                       const Merge& merge, const Finish& finish) {
    const WindowAxis &rows = pool.window.vertical, &columns = pool.window.horizontal;
    Values to;
    for (int row = 0; row < out.height; ++row) {
      for (int column = 0; column < out.width; ++column) {
        for (int c = 0; c < in.channels; ++c) {
          double value = start;
          int count = 0;
          for (int i = 0; i < rows.kernel; ++i) {
            for (int j = 0; j < columns.kernel; ++j) {
              const int y = rows.first(row) + i * rows.dilation, x = columns.first(column) + j * columns.dilation;
              if (y < 0 || x < 0 || y >= in.height || x >= in.width) continue;
              value = merge(value, at(from, in, y, x, c));
              ++count;
            }
          }
          to.push_back(finish(value, count));
        }
      }
    }
    return to;
  }

  static double sum(double a, double b) { return a + b; }

  static Values rearranged(const Rearrange& runs, std::span<const Values* const> inputs) {
    Values to;
    for (const Rearrange::Run& run : runs.runs) {
      if (run.input < 0) {
        to.insert(to.end(), static_cast<std::size_t>(run.count), double(runs.fill));
      } else {
        const auto first = inputs[static_cast<std::size_t>(run.input)]->begin() + run.first;
        to.insert(to.end(), first, first + run.count);
      }
    }
    return to;
  }

  static Values flattened(const Values& from, const Shape& in) {
    Values to;
    for (int c = 0; c < in.channels; ++c) {
      for (int y = 0; y < in.height; ++y) {
        for (int x = 0; x < in.width; ++x) to.push_back(at(from, in, y, x, c));
      }
    }
    return to;
  }

  /// Over the channels of every pixel. A last one is left out: metrics are of the logits.
  static Values softmax(Values values, int channels) {
    const auto count = static_cast<std::size_t>(channels);
    for (std::size_t first = 0; first < values.size(); first += count) {
      const std::span<double> pixel(values.data() + first, count);
      const double largest = std::ranges::max(pixel);
      double sum = 0;
      for (double& value : pixel) sum += value = std::exp(value - largest);
      for (double& value : pixel) value /= sum;
    }
    return values;
  }

  Values operation(const Layer& layer, std::span<const Values* const> inputs, const Shape& in) {
    const Values& from = *inputs.front();
    return std::visit(
        [&](const auto& kind) -> Values {
          using Kind = std::decay_t<decltype(kind)>;
          if constexpr (std::is_same_v<Kind, MaxPool2d>) {
            return pooled(
                from, in, layer.output, kind, -INFINITY, [](double a, double b) { return std::max(a, b); },
                [](double value, int) { return value; });
          } else if constexpr (std::is_same_v<Kind, AvgPool2d>) {
            return pooled(from, in, layer.output, kind, 0, sum, [&](double value, int count) {
              return value / (kind.padding_counts ? kind.window.size() : count);
            });
          } else if constexpr (std::is_same_v<Kind, GlobalAvgPool>) {
            Values to(static_cast<std::size_t>(in.channels), 0.0);
            for (std::size_t k = 0; k < from.size(); ++k) to[k % to.size()] += from[k];
            for (double& value : to) value /= in.height * in.width;
            return to;
          } else if constexpr (std::is_same_v<Kind, Flatten>) {
            return flattened(from, in);
          } else if constexpr (std::is_same_v<Kind, Add>) {
            Values to = from;
            for (std::size_t k = 0; k < to.size(); ++k) to[k] += (*inputs[1])[k];
            return to;
          } else if constexpr (std::is_same_v<Kind, Clamp>) {
            Values to = from;
            for (double& value : to) {
              if (value < double(kind.low)) value = double(kind.low);
              if (value > double(kind.high)) value = double(kind.high);
            }
            return to;
          } else if constexpr (std::is_same_v<Kind, ChannelAffine>) {
            Values to = from;
            for (std::size_t k = 0; k < to.size(); ++k) {
              const std::size_t c = k % kind.scale.size();
              to[k] = to[k] * double(kind.scale[c]) + double(kind.shift[c]);
            }
            return to;
          } else if constexpr (std::is_same_v<Kind, Rearrange>) {
            return rearranged(kind, inputs);
          } else if constexpr (std::is_same_v<Kind, TensorOperation>) {
            return run_tensor_operation(kind, inputs);
          } else {
            return &layer == &network.network_.layers.back() ? from : softmax(from, in.channels);
          }
        },
        layer.operation);
  }
};

ReferenceNetwork::Image ReferenceNetwork::run(const Dataset& data, std::uint64_t image) const {
  Image found;
  Walk walk{*this, static_cast<std::uint32_t>(image), found};
  std::vector<double> pixels;
  ImageBuffer buffer;
  const auto read = [&](const auto& values) {
    for (const auto value : values) {
      pixels.push_back(network_.preprocess(value, pixels.size() % static_cast<std::size_t>(network_.input.channels)));
    }
  };
  std::visit(read, data.image(image, buffer));
  std::vector<std::vector<double>> values;
  const auto value_of = [&](int index) -> const std::vector<double>& {
    return index < 0 ? pixels : values[static_cast<std::size_t>(index)];
  };
  for (std::size_t k = 0; k < network_.layers.size(); ++k) {
    const Layer& layer = network_.layers[k];
    const std::vector<double>& from = value_of(layer.inputs.front());
    const Shape& in = input_shape(network_, layer);
    if (matrix_of_layer_[k] >= 0) {
      const MatrixPart& part = matrices_[static_cast<std::size_t>(matrix_of_layer_[k])];
      if (const auto* const recurrent = std::get_if<Recurrent>(&layer.operation)) {
        std::vector<double> products;
        values.push_back(walk.recurrent(part, *recurrent, from, products));
        found.outputs.push_back(std::move(products));
      } else {
        values.push_back(walk.matrix(part, from, in));
        found.outputs.push_back(values.back());
      }
    } else {
      std::vector<const std::vector<double>*> inputs;
      for (const int input : layer.inputs) inputs.push_back(&value_of(input));
      values.push_back(walk.operation(layer, inputs, in));
    }
  }
  found.logits = std::move(values.back());
  return found;
}

}  // namespace crossgrid
