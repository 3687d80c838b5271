#include "crossgrid/network/lane.hpp"

#include <algorithm>

namespace crossgrid {

namespace {
/// Bounds what a lane keeps when array sizes are swept; a product costs well under a millisecond to make again.
constexpr std::size_t most_products = 512;

template <class ProductKind>
ProductKind& find_or_make(std::map<AnyProductShape, ProductKind>& products, const AnyProductShape& shape) {
  if (const auto known = products.find(shape); known != products.end()) return known->second;
  if (products.size() >= most_products) products.clear();
  return products.emplace(shape, std::visit([](const auto& s) { return ProductKind(s); }, shape)).first->second;
}

template <class Value>
Value* grown(std::vector<Value>& buffer, std::size_t count) {
  if (buffer.size() < count) buffer.resize(count);
  return buffer.data();
}

}  // namespace

Product& Lane::product(const AnyProductShape& shape) {
  return find_or_make(products_, shape);
}

IntegerProduct& Lane::integer_product(const AnyProductShape& shape) {
  return find_or_make(integer_products_, shape);
}

float* Lane::scratch(Scratch which, std::size_t floats) {
  return grown(scratch_[which], floats);
}

double* Lane::scratch(DoubleScratch which, std::size_t doubles) {
  return crossgrid::grown(doubles_[which], doubles);
}

std::uint8_t* Lane::scratch(DigitScratch which, std::size_t digits) {
  return crossgrid::grown(digits_[which], digits);
}

std::int32_t* Lane::scratch(IntegerScratch which, std::size_t integers) {
  return crossgrid::grown(integers_[which], integers);
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
