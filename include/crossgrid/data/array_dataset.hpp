#pragma once

#include <memory>
#include <string>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Opens a split of a folder of NPY files: SPLIT_images.npy and SPLIT_labels.npy, or x_SPLIT.npy and y_SPLIT.npy.
/// Images are N x height x width, N x height x width x channels, N x channels x height x width or N x features, of u1
/// (pixels), f4 or f8 (values); labels N or N x 1, of any integers. Error(bad_input) as open_dataset().
std::shared_ptr<const Dataset> open_npy_dataset(const std::string& folder, const std::string& split, Layout layout);

/// The same in an NPZ file, whose arrays are named like that without .npy, or `images` and `labels` for any split, or
/// in the NPZ file SPLIT.npz of a folder.
std::shared_ptr<const Dataset> open_npz_dataset(const std::string& path, const std::string& split, Layout layout);

/// Whether an NPY file or an array of an NPZ file has such a name: that of images, of any split.
bool names_images(const std::string& array);

}  // namespace crossgrid
