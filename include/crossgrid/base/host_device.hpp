#pragma once

/// CROSSGRID_HD marks functions that run on the host and, compiled by nvcc, on a CUDA device; CROSSGRID_HD_INLINE those
/// small ones that must disappear into the loop that calls them, so that it vectorises.
/// CROSSGRID_MULTIVERSION compiles a host loop for several instruction sets and picks one at run time. The loops give
/// the same bits at each level: IEEE arithmetic, explicit fma, no reassociation. Sanitizer builds crash in GCC's
/// resolvers, so they get the plain version; so does a build for a processor that has all of it anyway.
/// CROSSGRID_UNROLL(count) before a loop unrolls it, up to `count` rounds.
#ifdef __CUDACC__
#define CROSSGRID_UNROLL(count)  // nvcc unrolls short loops by itself, and its host compiler knows no other's pragma
#define CROSSGRID_HD __host__ __device__
#define CROSSGRID_HD_INLINE __host__ __device__ __forceinline__
#else
#define CROSSGRID_PRAGMA(text) _Pragma(#text)
#define CROSSGRID_UNROLL(count) CROSSGRID_PRAGMA(GCC unroll count)
#define CROSSGRID_HD
#define CROSSGRID_HD_INLINE __attribute__((always_inline)) inline
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && !defined(__AVX2__)
#define CROSSGRID_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CROSSGRID_MULTIVERSION
#endif
