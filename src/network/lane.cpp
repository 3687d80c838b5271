#include "crossgrid/network/lane.hpp"

#include <algorithm>

namespace crossgrid {

namespace {
/// Bounds what a lane keeps when array sizes are swept; a product costs well under a millisecond to make again.
constexpr std::size_t most_products = 512;
}  // namespace

Product& Lane::product(const AnyProductShape& shape) {
  for (auto& [known, product] : products_) {
    if (known == shape) return product;
  }
  if (products_.size() >= most_products) products_.clear();
  products_.emplace_back(shape, std::visit([](const auto& s) { return Product(s); }, shape));
  return products_.back().second;
}

float* Lane::scratch(Scratch which, std::size_t floats) {
  return grown(scratch_[which], floats);
}

double* Lane::scratch(DoubleScratch which, std::size_t doubles) {
  std::vector<double>& buffer = doubles_[which];
  if (buffer.size() < doubles) buffer.resize(doubles);
  return buffer.data();
}

float* Lane::slot(int role, int slot, std::size_t floats) {
  auto& slots = slots_[static_cast<std::size_t>(role)];
  if (slots.size() <= static_cast<std::size_t>(slot)) slots.resize(static_cast<std::size_t>(slot) + 1);
  return grown(slots[static_cast<std::size_t>(slot)], floats);
}

float* Lane::grown(Buffer& buffer, std::size_t floats) {
  if (buffer.size() < floats) buffer = Buffer(floats);
  return buffer.data();
}

}  // namespace crossgrid
