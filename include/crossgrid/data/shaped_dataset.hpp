#pragma once

#include <memory>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// A data set of pixels whose images are resized and cropped one by one as they are read. Error(bad_input) of `place`
/// for floats, and where images are smaller than the crop.
std::shared_ptr<const Dataset> shape_images(std::shared_ptr<const Dataset> data, const ImageGeometry& geometry,
                                            const std::string& place);

}  // namespace crossgrid
