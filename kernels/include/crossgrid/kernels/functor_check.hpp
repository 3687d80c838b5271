#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace crossgrid {

/// CUDA devices that this process can use; 0 also where there is no driver.
int cuda_device_count();

/// One host/device element, run on both with the same input.
struct FunctorCheck {
  std::string element;
  std::size_t values = 0;     ///< compared
  std::size_t different = 0;  ///< of other bits
};

/// Runs every element of the simulation on about `count` values on the host and on the current CUDA device. Throws
/// Error(internal) with CUDA's text where a call fails.
std::vector<FunctorCheck> compare_functors(std::size_t count);

}  // namespace crossgrid
