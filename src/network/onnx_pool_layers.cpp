#include "onnx_layers.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "onnx_windows.hpp"

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

bool pools_images(const OnnxLowering& graph, const OnnxNode& node) {
  const Value& from = graph.value(node, 0);
  return (from.rank() == 3 || from.rank() == 4) && from.dims[0] == 1 && !graph.used(node, 1);
}

template <class Pool>
void add_pool(OnnxLowering& graph, const OnnxNode& node, Pool pool) {
  const Value image = graph.channels_last(node, graph.value(node, 0));
  Extents dims = image.dims;
  const Shape view = memory_shape(image.dims, image.order);
  if (image.rank() == 4) dims[2] = pool.window.vertical.windows(view.height);
  dims.back() = pool.window.horizontal.windows(view.width);
  graph.name_output(node, 0, graph.append(node, pool, {image}, view, dims, image.order));
}

void add_max_pool(OnnxLowering& graph, const OnnxNode& node) {
  const auto window = pools_images(graph, node) ? read_pool_window(node, graph.value(node, 0).dims) : std::nullopt;
  if (!window) return add_general_layer(graph, node);
  add_pool(graph, node, MaxPool2d{*window});
}

void add_average_pool(OnnxLowering& graph, const OnnxNode& node) {
  const auto window = pools_images(graph, node) ? read_pool_window(node, graph.value(node, 0).dims) : std::nullopt;
  const bool counts = node.integer("count_include_pad", 0) != 0;
  if (!window || (counts && node.integer("ceil_mode", 0) != 0)) return add_general_layer(graph, node);
  add_pool(graph, node, AvgPool2d{*window, counts});
}

void append_mean(OnnxLowering& graph, const OnnxNode& node, bool keep) {
  const Value image = graph.channels_last(node, graph.value(node, 0));
  const Shape view = memory_shape(image.dims, image.order);
  Extents dims{1, image.dims[1]};
  if (keep) dims.resize(image.dims.size(), 1);
  std::vector<int> order = keep ? image.order : row_major_order(2);
  graph.name_output(node, 0, graph.append(node, GlobalAvgPool{}, {image}, view, dims, std::move(order)));
}

void add_global_average(OnnxLowering& graph, const OnnxNode& node) {
  if (!pools_images(graph, node)) return add_general_layer(graph, node);
  append_mean(graph, node, true);
}

void add_global_max(OnnxLowering& graph, const OnnxNode& node) {
  if (!pools_images(graph, node)) return add_general_layer(graph, node);
  const Extents& dims = graph.value(node, 0).dims;
  MaxPool2d pool{Window{}};
  if (dims.size() == 4) pool.window.vertical.kernel = static_cast<int>(dims[2]);
  pool.window.horizontal.kernel = static_cast<int>(dims.back());
  add_pool(graph, node, pool);
}

/// Over all pixels it is a global average pool.
void add_mean(OnnxLowering& graph, const OnnxNode& node) {
  const Value& from = graph.value(node, 0);
  std::vector<std::int64_t> axes = node.integers("axes", {});
  if (const OnnxTensor* const given = graph.constant(node, 1)) axes = given->as_integers();
  for (std::int64_t& axis : axes) axis += axis < 0 ? from.rank() : 0;
  std::ranges::sort(axes);
  std::vector<std::int64_t> pixels(from.rank() > 2 ? static_cast<std::size_t>(from.rank()) - 2 : 0);
  std::iota(pixels.begin(), pixels.end(), 2);
  if (!pools_images(graph, node) || axes != pixels) return add_general_layer(graph, node);
  append_mean(graph, node, node.integer("keepdims", 1) != 0);
}

}  // namespace

void add_pool_layers(OnnxLayerMakers& makers) {
  makers["AveragePool"] = add_average_pool;
  makers["GlobalAveragePool"] = add_global_average;
  makers["GlobalMaxPool"] = add_global_max;
  makers["MaxPool"] = add_max_pool;
  makers["ReduceMean"] = add_mean;
}

}  // namespace crossgrid
