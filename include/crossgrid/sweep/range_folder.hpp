#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/base/id128.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/network/range_store.hpp"

namespace crossgrid {

/// A folder of range files (range_file.hpp), each named by the hash of all that its ranges follow from: `facts`
/// (network, calibration images, method, numeric class) and the hardware. Processes may share it. What it holds is
/// never needed: a file that is missing, broken or cut short is calibrated and written anew.
class RangeFolder : public RangeStore {
 public:
  /// More are not written, so that a sweep over very many ranges does not burden the file system.
  static constexpr std::size_t most_files = 1000;

  /// The folder is made when something is kept. owner: part of temporary names, of this process only.
  RangeFolder(FileSystem& files, std::string folder, Id128 facts, std::vector<MatrixLayer> layers, std::string owner);

  std::optional<std::vector<LayerRanges>> find(std::span<const LayerHardware> hardware) override;
  void keep(std::span<const LayerHardware> hardware, std::span<const LayerRanges> ranges) override;

 private:
  std::string path_of(std::span<const LayerHardware> hardware) const;

  FileSystem& files_;
  std::string folder_;
  Id128 facts_;
  std::vector<MatrixLayer> layers_;
  std::string owner_;
};

}  // namespace crossgrid
