#include "crossgrid/sweep/range_folder.hpp"

#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/range_file.hpp"

namespace crossgrid {

RangeFolder::RangeFolder(FileSystem& files, std::string folder, Id128 facts, std::vector<MatrixLayer> layers,
                         std::string owner)
    : files_(files), folder_(std::move(folder)), facts_(facts), layers_(std::move(layers)), owner_(std::move(owner)) {}

std::string RangeFolder::path_of(std::span<const LayerHardware> hardware) const {
  std::string text = facts_.hex();
  for (std::size_t m = 0; m < hardware.size(); ++m) {
    Json values = Json::object();
    for (const Parameter& parameter : parameters()) {
      if (parameter.get) values[parameter.path] = parameter.get(hardware[m]);
    }
    text += '\n' + layers_.at(m).name + values.dump();
  }
  return folder_ + "/" + hash_text(text).hex() + ".json";
}

std::optional<std::vector<LayerRanges>> RangeFolder::find(std::span<const LayerHardware> hardware) {
  const std::string path = path_of(hardware);
  if (!file_exists(files_, path)) return std::nullopt;
  try {
    const RangeFile file = read_range_file(path);
    check_layers(file, layers_);
    for (std::size_t m = 0; m < hardware.size(); ++m) {
      if (!range_problems(file, hardware[m], layers_[m]).empty()) return std::nullopt;
    }
    return layer_ranges(file, layers_);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void RangeFolder::keep(std::span<const LayerHardware> hardware, std::span<const LayerRanges> ranges) {
  std::vector<StoredRanges> stored;
  for (std::size_t m = 0; m < hardware.size(); ++m) {
    StoredRanges layer = stored_ranges(layers_.at(m).name, hardware[m], ranges[m]);
    if (layer.dac || !layer.adc.empty() || !layer.levels.empty()) stored.push_back(std::move(layer));
  }
  try {
    create_folders(files_, folder_);
    std::vector<std::string> names;
    if (!files_.list(folder_, names).ok() || names.size() >= most_files) return;
    const std::string path = path_of(hardware), own = path + "." + owner_;
    replace_file(files_, own, range_file_text(stored, Json::object()));
    if (!files_.rename(own, path).ok()) files_.remove(own);
  } catch (const Error&) {
    return;  // no room, no right to write: the next process calibrates again
  }
}

}  // namespace crossgrid
