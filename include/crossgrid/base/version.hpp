#pragma once

/// What this program was built from: printed by `crossgrid info`, stored with every result.
namespace crossgrid {

const char* version_number();
/// Short commit, with "-dirty" where the tree had changes; "unknown" outside a checkout.
const char* version_commit();
const char* build_type();
/// Sanitizers compiled in, empty for none.
const char* build_sanitizers();
/// Version of the CUDA toolkit that the kernels were compiled with, empty for a build without CUDA.
const char* build_cuda_version();

/// Records made under another physics version are never used: raised when any model's output changes.
inline constexpr int physics_version = 3;

}  // namespace crossgrid
