#include <algorithm>
#include <optional>
#include <utility>

#include "onnx_export_graph.hpp"
#include "onnx_value.hpp"

namespace crossgrid {
namespace {

constexpr std::int64_t filled = -1;

/// Where each value of the output is from.
struct Source {
  int input = 0;  ///< -1: fill
  std::int64_t place = 0;
  bool operator==(const Source&) const = default;
};

std::vector<Source> sources_of(const Rearrange& copies) {
  std::vector<Source> sources;
  sources.reserve(copies.output.size());
  for (const Rearrange::Run& run : copies.runs) {
    for (std::int64_t k = 0; k < run.count; ++k) {
      sources.push_back(run.input < 0 ? Source{-1, 0} : Source{run.input, run.first + k});
    }
  }
  return sources;
}

std::int64_t size_of(const ExportedValue& value) {
  return element_count(value.dims);
}

class RearrangeExport {
 public:
  RearrangeExport(OnnxExportGraph& graph, const Layer& layer, const Rearrange& copies)
      : graph_(graph), layer_(layer), copies_(copies), sources_(sources_of(copies)) {
    for (const int input : layer.inputs) inputs_.push_back(graph.value(input));
  }

  ExportedValue run() {
    if (auto made = as_another_shape()) return *made;
    if (auto made = pixel_by_pixel()) return *made;
    if (auto made = channel_by_channel()) return *made;
    return value_by_value();
  }

 private:
  const Shape& out() const { return copies_.output; }
  std::int64_t pixels() const { return std::int64_t{out().height} * out().width; }
  Extents image_dims() const { return {1, out().channels, out().height, out().width}; }
  bool all(const auto& expected) const {
    for (std::size_t e = 0; e < sources_.size(); ++e) {
      if (sources_[e] != expected(static_cast<std::int64_t>(e))) return false;
    }
    return true;
  }

  /// All values of one input in order, or those of channels one after the other.
  std::optional<ExportedValue> as_another_shape() {
    if (size_of(inputs_.front()) != static_cast<std::int64_t>(out().size())) return std::nullopt;
    const std::int64_t channels = out().channels;
    if (all([](std::int64_t e) { return Source{0, e}; })) {
      const Extents dims{1, static_cast<std::int64_t>(out().size())};
      const ExportedValue memory = graph_.as_memory(layer_, inputs_.front(), dims);
      return ExportedValue{main_reshape(memory.name, dims), dims, false};
    }
    if (all([&](std::int64_t e) { return Source{0, e % channels * pixels() + e / channels}; })) {
      const ExportedValue memory =
          graph_.as_memory(layer_, inputs_.front(), {1, static_cast<std::int64_t>(out().size())});
      return ExportedValue{main_reshape(memory.name, image_dims()), image_dims(), true};
    }
    return std::nullopt;
  }
  std::string main_reshape(const std::string& from, Extents dims) {
    dims.front() = 0;
    return graph_.add_main(layer_, "Reshape", {from, graph_.add_integers(layer_, "shape", dims)});
  }

  /// Every pixel takes the same channels from the same pixel of all inputs.
  std::optional<ExportedValue> pixel_by_pixel() {
    std::vector<std::int64_t> channels;
    for (const ExportedValue& input : inputs_) {
      if (size_of(input) % pixels() != 0) return std::nullopt;
      channels.push_back(size_of(input) / pixels());
    }
    const std::int64_t outputs = out().channels;
    const bool same = all([&](std::int64_t e) {
      Source source = sources_[static_cast<std::size_t>(e % outputs)];
      if (source.input >= 0) source.place += e / outputs * channels[static_cast<std::size_t>(source.input)];
      return source;
    });
    if (!same) return std::nullopt;
    std::vector<ExportedValue> images;
    std::vector<std::int64_t> first{0};
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      images.push_back(graph_.as_image(layer_, inputs_[k], {static_cast<int>(channels[k]), out().height, out().width}));
      first.push_back(first.back() + channels[k]);
    }
    std::vector<std::int64_t> picked;
    for (std::int64_t c = 0; c < outputs; ++c) {
      const Source source = sources_[static_cast<std::size_t>(c)];
      picked.push_back(source.input < 0 ? filled : first[static_cast<std::size_t>(source.input)] + source.place);
    }
    return ExportedValue{gather(images, first.back(), std::move(picked)), image_dims(), true};
  }

  /// Every channel takes the same pixels of the one input.
  std::optional<ExportedValue> channel_by_channel() {
    const std::int64_t channels = out().channels;
    if (inputs_.size() != 1 || channels == 1 || size_of(inputs_.front()) % channels != 0) return std::nullopt;
    const bool same = all([&](std::int64_t e) {
      Source source = sources_[static_cast<std::size_t>(e - e % channels)];
      if (source.input >= 0) source.place = source.place / channels * channels + e % channels;
      return source;
    });
    if (!same) return std::nullopt;
    const std::int64_t pixels_in = size_of(inputs_.front()) / channels;
    const Shape line{static_cast<int>(channels), 1, static_cast<int>(pixels_in)};
    const ExportedValue image = graph_.as_image(layer_, inputs_.front(), line);
    std::vector<std::int64_t> picked;
    for (std::int64_t p = 0; p < pixels(); ++p) {
      const Source source = sources_[static_cast<std::size_t>(p * channels)];
      picked.push_back(source.input < 0 ? filled : source.place / channels);
    }
    const std::string moved = gather({image}, pixels_in, std::move(picked), 3);
    return ExportedValue{graph_.reshaped(layer_, moved, {1, channels, 1, pixels()}, image_dims()), image_dims(), true};
  }

  ExportedValue value_by_value() {
    std::vector<ExportedValue> all;
    std::vector<std::int64_t> first{0}, picked;
    for (const ExportedValue& input : inputs_) {
      all.push_back(graph_.as_memory(layer_, input, {1, size_of(input)}));
      first.push_back(first.back() + size_of(input));
    }
    for (const Source& source : sources_) {
      picked.push_back(source.input < 0 ? filled : first[static_cast<std::size_t>(source.input)] + source.place);
    }
    const auto size = static_cast<std::int64_t>(picked.size());
    return {gather(all, first.back(), std::move(picked)), {1, size}, false};
  }

  /// Values one after the other along an axis, `extent` together, of which some are taken. The last node is the
  /// layer's own.
  std::string gather(const std::vector<ExportedValue>& values, std::int64_t extent, std::vector<std::int64_t> picked,
                     std::int64_t axis = 1) {
    std::vector<std::string> names;
    for (const ExportedValue& value : values) names.push_back(value.name);
    std::int64_t place = 0;
    const bool as_they_are = static_cast<std::int64_t>(picked.size()) == extent &&
                             std::ranges::all_of(picked, [&](std::int64_t from) { return from == place++; });
    if (as_they_are) return graph_.add_main(layer_, "Concat", names, {{"axis", axis}});
    std::string from = names.size() == 1 ? names.front() : graph_.add_helper(layer_, "Concat", names, {{"axis", axis}});
    if (std::ranges::count(picked, filled) > 0) {
      from = with_fill(from, values.front().dims.size(), axis);
      std::ranges::replace(picked, filled, extent);
    }
    return graph_.add_main(layer_, "Gather", {from, graph_.add_integers(layer_, "places", std::move(picked))},
                           {{"axis", axis}});
  }

  /// One place of `fill` more at the end of an axis.
  std::string with_fill(const std::string& from, std::size_t rank, std::int64_t axis) {
    std::vector<std::int64_t> pads(2 * rank, 0);
    pads[rank + static_cast<std::size_t>(axis)] = 1;
    if (graph_.opset() < 11) return graph_.add_helper(layer_, "Pad", {from}, {{"pads", pads}, {"value", copies_.fill}});
    return graph_.add_helper(layer_, "Pad",
                             {from, graph_.add_integers(layer_, "pads", pads),
                              graph_.add_constant(layer_, "fill", OnnxTensor::of_floats({}, {copies_.fill}))});
  }

  OnnxExportGraph& graph_;
  const Layer& layer_;
  const Rearrange& copies_;
  std::vector<Source> sources_;
  std::vector<ExportedValue> inputs_;
};

}  // namespace

ExportedValue export_rearrange(OnnxExportGraph& graph, const Layer& layer, const Rearrange& copies) {
  return RearrangeExport(graph, layer, copies).run();
}

}  // namespace crossgrid
