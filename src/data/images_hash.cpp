#include "crossgrid/data/images_hash.hpp"

#include <fmt/format.h>

#include <variant>
#include <vector>

namespace crossgrid {
namespace {

template <class Number>
Id128 hash_labels(const Dataset& data) {
  std::vector<Number> labels(data.size());
  for (std::uint64_t k = 0; k < data.size(); ++k) labels[k] = static_cast<Number>(data.label(k));
  return hash_bytes(labels.data(), labels.size() * sizeof(Number));
}

}  // namespace

ImagesHash hash_images(const Dataset& data) {
  PieceHash images;
  ImageBuffer buffer;
  const auto add = [&](const auto& values) { images.add(values.data(), values.size_bytes()); };
  for (std::uint64_t k = 0; k < data.size(); ++k) std::visit(add, data.image(k, buffer));
  return {images.value(), data.classes() <= 256 ? hash_labels<std::uint8_t>(data) : hash_labels<std::int32_t>(data)};
}

Id128 images_content(const Dataset& data) {
  const ImagesHash hash = hash_images(data);
  return hash_text(fmt::format("{} x {} x {} x {}{}: {} {}", data.size(), data.height(), data.width(), data.channels(),
                               data.floats() ? " floats" : "", hash.images.hex(), hash.labels.hex()));
}

}  // namespace crossgrid
