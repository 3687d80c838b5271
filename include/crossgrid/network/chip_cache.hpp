#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "crossgrid/core/integer_cells.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/prepared_matrix.hpp"

namespace crossgrid {

/// All that the programmed arrays of one layer depend on. Points that differ only in what comes after the arrays
/// (converters) share them.
struct ChipKey {
  int layer = 0;
  CoreConfig core = {};
  ArrayConfig array = {};
  DeviceConfig device = {};
  bool ideal_adc = false;  ///< then row blocks are merged and offsets folded in
  bool framed = false;     ///< geometry with an explicit frame (driven_geometry)
  bool gathered = false;   ///< windows are driven by themselves
  GroupedMatrix grouped = GroupedMatrix::shared;
  WindowTile window = {};
  std::optional<AlikeConverters> converters = {};  ///< of a block-diagonal matrix: whether blocks are multiplied apart
  std::optional<IntegerCells> integers = {};       ///< held as such
  std::uint64_t seed = 0;
  std::uint32_t trial = 0;
  bool operator==(const ChipKey&) const = default;
};
/// Seed and trial are left out where nothing is random.
/// blocks: whether the matrix has blocks (groups of a convolution, windows that share arrays).
ChipKey make_chip_key(int layer, const LayerHardware& hardware, bool framed, bool blocks, std::uint64_t seed,
                      std::uint32_t trial);

/// Programmed and packed layers of the last chips used, up to `capacity` bytes.
class ChipCache {
 public:
  static constexpr std::size_t default_capacity = std::size_t{256} << 20;
  explicit ChipCache(std::size_t capacity = default_capacity) : capacity_(capacity) {}

  /// Null where it is not kept.
  std::shared_ptr<const PreparedMatrix> find(const ChipKey& key);
  /// Drops the least recently used chips above the capacity; what others still hold lives on with them.
  void insert(const ChipKey& key, std::shared_ptr<const PreparedMatrix> matrix);
  std::size_t bytes() const { return bytes_; }

 private:
  std::list<std::pair<ChipKey, std::shared_ptr<const PreparedMatrix>>> chips_;  ///< most recently used first
  std::size_t capacity_;
  std::size_t bytes_ = 0;
};

}  // namespace crossgrid
