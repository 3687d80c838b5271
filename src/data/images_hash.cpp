#include "crossgrid/data/images_hash.hpp"

#include <fmt/format.h>

#include <variant>
#include <vector>

namespace crossgrid {
namespace {

template <class Number>
Id128 hash_labels_as(const Dataset& data) {
  std::vector<Number> labels(data.size());
  for (std::uint64_t k = 0; k < data.size(); ++k) labels[k] = static_cast<Number>(data.label(k));
  return hash_bytes(labels.data(), labels.size() * sizeof(Number));
}

}  // namespace

Id128 hash_images(const Dataset& data) {
  PieceHash images;
  ImageBuffer buffer;
  const auto add = [&](const auto& values) { images.add(values.data(), values.size_bytes()); };
  for (std::uint64_t k = 0; k < data.size(); ++k) std::visit(add, data.image(k, buffer));
  return images.value();
}

Id128 hash_labels(const Dataset& data) {
  return data.classes() <= 256 ? hash_labels_as<std::uint8_t>(data) : hash_labels_as<std::int32_t>(data);
}

Id128 images_content(const Dataset& data) {
  return images_content(data, hash_images(data));
}

Id128 images_content(const Dataset& data, const Id128& images) {
  return hash_text(fmt::format("{} x {} x {} x {}{}: {} {}", data.size(), data.height(), data.width(), data.channels(),
                               data.floats() ? " floats" : "", images.hex(), hash_labels(data).hex()));
}

}  // namespace crossgrid
