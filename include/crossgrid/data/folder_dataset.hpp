#pragma once

#include <memory>
#include <string>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Opens JPEG and PNG images in folders: <folder>/<split>/<class>/*, or <folder>/<class>/* where there is no folder of
/// the split's name. As torchvision's ImageFolder: classes count in the order of their names, images of a class in that
/// of theirs. All are decoded, resized and cropped once (decode_once); in a set with colours grey images are given
/// them. Error(bad_input) as open_dataset(), also where images would differ in size, or a class has none.
std::shared_ptr<const Dataset> open_folder_dataset(const std::string& folder, const std::string& split,
                                                   const ImageGeometry& geometry);

/// Whether a file is taken for an image, by its name: .jpg, .jpeg or .png, in small or capital letters.
bool names_image(const std::string& file);

}  // namespace crossgrid
