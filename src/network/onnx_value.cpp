#include "onnx_value.hpp"

#include <algorithm>
#include <numeric>

namespace crossgrid {
namespace {

/// Dimensions that have more than one place, in the order of memory.
std::vector<int> wide_dimensions(const Extents& dims, const std::vector<int>& order) {
  std::vector<int> wide;
  std::ranges::copy_if(order, std::back_inserter(wide), [&](int d) { return dims[static_cast<std::size_t>(d)] != 1; });
  return wide;
}

Rearrange rearrange_of(std::span<const std::int64_t> sources, std::span<const std::int64_t> sizes, float fill) {
  Rearrange made;
  made.fill = fill;
  for (std::int64_t source : sources) {
    int input = -1;
    if (source >= 0) {
      for (input = 0; source >= sizes[static_cast<std::size_t>(input)]; ++input) {
        source -= sizes[static_cast<std::size_t>(input)];
      }
    }
    Rearrange::Run* const last = made.runs.empty() ? nullptr : &made.runs.back();
    const bool goes_on = last != nullptr && last->input == input && (input < 0 || last->first + last->count == source);
    if (goes_on) {
      ++last->count;
    } else {
      made.runs.push_back({input, input < 0 ? 0 : static_cast<std::int32_t>(source), 1});
    }
  }
  return made;
}

}  // namespace

std::vector<int> row_major_order(int rank) {
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<int> channels_last_order(int rank) {
  std::vector<int> order = row_major_order(rank);
  if (rank > 2) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

std::vector<int> with_last(std::vector<int> order, int dimension) {
  std::erase(order, dimension);
  order.push_back(dimension);
  return order;
}

bool same_memory(const Extents& dims, const std::vector<int>& a, const std::vector<int>& b) {
  return wide_dimensions(dims, a) == wide_dimensions(dims, b);
}

std::vector<std::int64_t> memory_places(const Extents& dims, const std::vector<int>& order) {
  std::vector<std::int64_t> strides(dims.size());
  std::int64_t stride = 1;
  for (std::size_t k = order.size(); k-- > 0;) {
    const auto dimension = static_cast<std::size_t>(order[k]);
    strides[dimension] = stride;
    stride *= dims[dimension];
  }
  std::vector<std::int64_t> places(static_cast<std::size_t>(element_count(dims)));
  std::vector<std::int64_t> index(dims.size(), 0);
  std::int64_t place = 0;
  for (std::int64_t& own : places) {
    own = place;
    for (std::size_t d = dims.size(); d-- > 0;) {
      place += strides[d];
      if (++index[d] < dims[d]) break;
      place -= strides[d] * dims[d];
      index[d] = 0;
    }
  }
  return places;
}

std::vector<std::int64_t> elements_in_memory(const Extents& dims, const std::vector<int>& order) {
  const std::vector<std::int64_t> places = memory_places(dims, order);
  std::vector<std::int64_t> elements(places.size());
  for (std::size_t k = 0; k < places.size(); ++k) {
    elements[static_cast<std::size_t>(places[k])] = static_cast<std::int64_t>(k);
  }
  return elements;
}

OnnxTensor in_memory_order(const OnnxTensor& tensor, const std::vector<int>& order) {
  Extents dims;
  for (const int d : order) dims.push_back(tensor.dims()[static_cast<std::size_t>(d)]);
  return tensor.picked(dims, elements_in_memory(tensor.dims(), order));
}

std::vector<float> floats_of(const OnnxTensor& tensor) {
  if (const auto* const floats = tensor.floats()) return *floats;
  const std::vector<double> values = tensor.as_reals();
  return {values.begin(), values.end()};
}

OnnxTensor zeros_of(ElementType type, const Extents& dims) {
  return OnnxTensor::of_floats(dims, std::vector<float>(static_cast<std::size_t>(element_count(dims)), 0.0f))
      .cast(type);
}

Shape memory_shape(const Extents& dims, const std::vector<int>& order) {
  const auto extent = [&](std::size_t k) { return static_cast<int>(dims[static_cast<std::size_t>(order[k])]); };
  if (dims.empty()) return {1, 1, 1};
  if (dims.size() == 4 && order == channels_last_order(4) && dims[0] == 1) return {extent(3), extent(1), extent(2)};
  const int channels = extent(order.size() - 1);
  return {channels, 1, static_cast<int>(element_count(dims) / std::max(channels, 1))};
}

bool flattens(std::span<const std::int64_t> sources, const Shape& image) {
  if (sources.size() != image.size()) return false;
  const auto pixels = static_cast<std::int64_t>(image.height) * image.width;
  std::int64_t place = 0;
  return std::ranges::all_of(sources, [&](std::int64_t source) {
    const std::int64_t channel = place / pixels, pixel = place % pixels;
    ++place;
    return source == pixel * image.channels + channel;
  });
}

Operation copies_of(std::span<const std::int64_t> sources, std::span<const std::int64_t> sizes, float fill,
                    const Shape& view, const Shape& output) {
  if (sizes.size() == 1 && flattens(sources, view)) return Flatten{};
  Rearrange copies = rearrange_of(sources, sizes, fill);
  copies.output = output;
  return copies;
}

}  // namespace crossgrid
