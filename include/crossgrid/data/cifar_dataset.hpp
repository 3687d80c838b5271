#pragma once

#include <memory>
#include <string>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Opens CIFAR-10 or CIFAR-100 in its binary layout: per image one label byte (CIFAR-100: coarse, then the fine one
/// that is used) and 3072 pixels, channel by channel. `path` is a file, or the folder of the archive: data_batch_1.bin
/// to data_batch_5.bin and test_batch.bin, or train.bin and test.bin. Error(bad_input) as open_dataset().
std::shared_ptr<const Dataset> open_cifar_dataset(const std::string& path, int classes, const std::string& split);

}  // namespace crossgrid
