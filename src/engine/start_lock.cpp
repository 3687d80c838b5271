#include "crossgrid/engine/start_lock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

StartLock::StartLock(FileSystem& files, const std::string& folder, double patience) {
  create_folders(files, folder);
  const std::string path = folder + "/start.lock";
  const IoResult opened = open_file(files, path, OpenMode::append, file_);
  if (!opened.ok()) {
    throw Error(ExitCode::storage,
                fmt::format("{}: can't write to the output folder: {}", path, error_text(opened.error)));
  }
  constexpr std::chrono::milliseconds pause{20};
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(patience);
  while (lock_file(*file_).error == EAGAIN) {
    if (std::chrono::steady_clock::now() >= end) {
      throw Error(ExitCode::busy, fmt::format("{}: another run has been starting there for {:.0f} s; try again later",
                                              folder, patience));
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace crossgrid
