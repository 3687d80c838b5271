#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace crossgrid::testing {

/// What tests/data/make_images.py makes with NumPy and PIL, once per test program.
class MadeImages : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = (std::filesystem::temp_directory_path() / ("crossgrid-images-" + std::to_string(::getpid()))).string();
    std::filesystem::create_directories(folder_);
    const std::string script = CROSSGRID_TEST_SOURCE_DIR "/tests/data/make_images.py";
    made_ = std::system(("/usr/bin/python3 " + script + " " + folder_).c_str()) == 0;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }
  void SetUp() override {
    if (made_) return;
    if (std::getenv("CI") != nullptr) FAIL() << "install python3-pil and python3-numpy";
    GTEST_SKIP() << "needs python3-pil and python3-numpy";
  }
  static std::string path(const std::string& name) { return folder_ + "/" + name; }

 private:
  static inline std::string folder_;
  static inline bool made_ = false;
};

}  // namespace crossgrid::testing
