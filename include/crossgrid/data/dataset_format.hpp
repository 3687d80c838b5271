#pragma once

#include <string>
#include <vector>

namespace crossgrid {

/// spec.md dataset.format, but "auto".
const std::vector<std::string>& dataset_format_names();

/// Which format lies at `path`, by the names of what is there: IDX, NPY or NPZ files, CIFAR's .bin files, folders of
/// images. Error(bad_input) says what was found where it is none of them or several.
std::string recognise_format(const std::string& path);

}  // namespace crossgrid
