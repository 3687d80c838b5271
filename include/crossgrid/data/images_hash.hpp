#pragma once

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Hash of all images, channel-last, one after the other, however they are stored.
Id128 hash_images(const Dataset& data);
/// Hash of all labels: bytes where none is above 255, else 32 bits each.
Id128 hash_labels(const Dataset& data);

/// content() of a data set that is told by its shape, images and labels alone.
Id128 images_content(const Dataset& data);
/// The same where the hash of all images is known.
Id128 images_content(const Dataset& data, const Id128& images);

}  // namespace crossgrid
