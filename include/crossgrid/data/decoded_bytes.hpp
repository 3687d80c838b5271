#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// What comes out of decoding: an array of bytes. Shared by copies.
struct DecodedBytes {
  std::array<std::uint64_t, 4> shape{};  ///< as Decoding had it
  std::span<const std::uint8_t> bytes;
  Id128 hash;                         ///< of the bytes
  std::shared_ptr<const void> owner;  ///< keeps them
};

/// How the bytes of files that can't be used as they are (packed, compressed) are made.
struct Decoding {
  std::array<std::uint64_t, 4> shape{};
  std::size_t size = 0;
  std::function<void(std::span<std::uint8_t> out)> fill;
};

/// Which bytes: `what` says from which files and how, `state` in which state these are (sizes, times of change).
struct DecodingKey {
  std::string what;
  std::string state;
};

/// Decodes once for all processes that share the cache folder: into a file there, which all of them map. Others wait
/// for the one that decodes, then use its file; one that is cut short or of another origin is made anew; one of the
/// same files in an older state is removed. What is small (4 MiB) is decoded into memory by each. The folder is the
/// first that can be written of $XDG_CACHE_HOME/crossgrid, ~/.cache/crossgrid and $TMPDIR/crossgrid-UID.
/// `begin` finds shape and size; it and `fill` may throw, which leaves nothing behind.
/// Error(storage) where the cache can't be written.
DecodedBytes decode_once(const DecodingKey& key, const std::function<Decoding()>& begin);

/// A DecodingKey::state: name, size and time of the last change.
std::string file_state(const std::string& path);
/// The key of what is made of one file.
DecodingKey decoding_key(const std::string& how, const std::string& path);

}  // namespace crossgrid
