#include "crossgrid/network/chip_cache.hpp"

#include <algorithm>

namespace crossgrid {

ChipKey make_chip_key(int layer, const LayerHardware& hardware, bool framed, bool blocks, std::uint64_t seed,
                      std::uint32_t trial) {
  const bool random = hardware.device.random();
  ChipKey key{layer, hardware.core, hardware.array, hardware.device};
  key.ideal_adc = hardware.adc.model == ConverterModel::ideal;
  key.framed = framed;
  key.gathered = drives_windows(hardware);
  key.grouped = hardware.grouped;
  key.window = hardware.window;
  if (blocks) key.converters = alike_converters(hardware.adc);
  key.integers = integer_cells(hardware);
  key.seed = random ? seed : 0;
  key.trial = random ? trial : 0;
  return key;
}

std::shared_ptr<const PreparedMatrix> ChipCache::find(const ChipKey& key) {
  const auto found = std::ranges::find(chips_, key, &decltype(chips_)::value_type::first);
  if (found == chips_.end()) return nullptr;
  chips_.splice(chips_.begin(), chips_, found);
  return chips_.front().second;
}

void ChipCache::insert(const ChipKey& key, std::shared_ptr<const PreparedMatrix> matrix) {
  if (find(key)) return;
  bytes_ += matrix->bytes;
  chips_.emplace_front(key, std::move(matrix));
  while (bytes_ > capacity_ && chips_.size() > 1) {
    bytes_ -= chips_.back().second->bytes;
    chips_.pop_back();
  }
}

}  // namespace crossgrid
