#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// Which cells of a matrix are stuck, as somebody measured them.
struct FaultMap {
  enum State : std::uint8_t { good = 0, off = 1, on = 2 };

  int planes = 1;  ///< 1: the same for every plane of cells
  int rows = 0, cols = 0;
  std::vector<std::uint8_t> states;  ///< planes x rows x cols
  Id128 content;

  /// States of a plane, row-major.
  const std::uint8_t* plane(int index) const {
    const std::size_t size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
    return states.data() + (planes == 1 ? 0 : static_cast<std::size_t>(index) * size);
  }
};

}  // namespace crossgrid
