#pragma once

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Hashes of what a data set holds, however it is stored.
struct ImagesHash {
  Id128 images;  ///< of all images, channel-last, one after the other
  Id128 labels;  ///< of all labels: bytes where none is above 255, else 32 bits each
};

ImagesHash hash_images(const Dataset& data);

/// content() of a data set that is told by its shape, images and labels alone.
Id128 images_content(const Dataset& data);

}  // namespace crossgrid
