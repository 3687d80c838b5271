#include "crossgrid/data/decoded_bytes.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "data/cache_folder.hpp"
#include "data/error_message.hpp"
#include "data/idx_bytes.hpp"
#include "data/processes.hpp"

namespace crossgrid {
namespace {

using testing::Bytes;
using testing::ramp;

constexpr std::size_t large = 5'000'000;

class DecodedBytesTest : public ::testing::Test {
 protected:
  /// A ramp of `size` bytes; every filling leaves a byte in the log, from whatever process.
  Decoding ramp_decoding(std::size_t size = large) const {
    return {{size, 2, 3, 4}, size, [this](std::span<std::uint8_t> out) {
              const Bytes bytes = ramp(out.size());
              std::ranges::copy(bytes, out.begin());
              const int log = ::open(log_.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
              EXPECT_EQ(::write(log, "x", 1), 1);
              ::close(log);
            }};
  }
  DecodedBytes decode(const DecodingKey& key = {"ramp", "1"}, std::size_t size = large) const {
    return decode_once(key, [&] { return ramp_decoding(size); });
  }
  std::size_t fillings() const {
    std::error_code none;
    const auto size = std::filesystem::file_size(log_, none);
    return none ? 0 : size;
  }
  static bool is_ramp(const DecodedBytes& decoded) {
    return decoded.shape == std::array<std::uint64_t, 4>{large, 2, 3, 4} &&
           std::ranges::equal(decoded.bytes, ramp(large)) && decoded.hash == hash_bytes(ramp(large).data(), large);
  }
  testing::CacheFolder cache_;
  std::string log_ = cache_.folder().file("log");
};

TEST_F(DecodedBytesTest, AreMadeOnceAndThenMapped) {
  EXPECT_TRUE(is_ramp(decode()));
  EXPECT_TRUE(is_ramp(decode()));
  EXPECT_EQ(fillings(), 1u);
  EXPECT_EQ(cache_.files().size(), 1u) << "and nothing else is left";
}

TEST_F(DecodedBytesTest, StayInMemoryWhereTheyAreFew) {
  EXPECT_EQ(decode({"ramp", "1"}, 1000).bytes.size(), 1000u);
  EXPECT_TRUE(cache_.files().empty());
}

TEST_F(DecodedBytesTest, AreMadeOnceByManyProcesses) {
  EXPECT_EQ(testing::run_in_processes(8, [&] { return is_ramp(decode()); }), 8);
  EXPECT_EQ(fillings(), 1u);
  EXPECT_EQ(cache_.files().size(), 1u);
}

TEST_F(DecodedBytesTest, AreMadeAnewWhereTheFileIsCutShortOrForeign) {
  decode();
  const std::string file = cache_.files().front().string();
  std::filesystem::resize_file(file, large / 2);
  EXPECT_TRUE(is_ramp(decode()));
  std::filesystem::resize_file(file, 10);
  EXPECT_TRUE(is_ramp(decode()));
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << "foreign";
  EXPECT_TRUE(is_ramp(decode()));
  decode({"another ramp", "1"});
  for (const auto& other : cache_.files()) {
    if (other != file) std::filesystem::copy_file(other, file, std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_TRUE(is_ramp(decode()));
  EXPECT_EQ(fillings(), 6u);
}

TEST_F(DecodedBytesTest, ReplaceThoseOfAnEarlierState) {
  decode({"ramp", "1"});
  decode({"ramp", "2"});
  decode({"another ramp", "1"});
  EXPECT_EQ(cache_.files().size(), 2u);
  EXPECT_EQ(fillings(), 3u);
  decode({"ramp", "2"});
  EXPECT_EQ(fillings(), 3u);
}

TEST_F(DecodedBytesTest, LeaveNothingWhereDecodingFails) {
  const auto fail = [] {
    decode_once({"ramp", "1"}, [] {
      return Decoding{{}, large, [](std::span<std::uint8_t>) { throw input_error("x.gz", "damaged"); }};
    });
  };
  EXPECT_EQ(testing::bad_input_message(fail), "x.gz: damaged");
  EXPECT_TRUE(cache_.files().empty());
}

TEST_F(DecodedBytesTest, GoToTheNextFolderWhereOneCannotBeMade) {
  const std::string file = cache_.folder().write("file", {1}), home = cache_.folder().file("home");
  const char* const before = std::getenv("HOME");
  const std::string old_home = before == nullptr ? "" : before;
  ::setenv("XDG_CACHE_HOME", file.c_str(), 1);
  ::setenv("HOME", home.c_str(), 1);
  EXPECT_TRUE(is_ramp(decode()));
  EXPECT_TRUE(is_ramp(decode()));
  EXPECT_EQ(fillings(), 1u);
  EXPECT_TRUE(std::filesystem::exists(home + "/.cache/crossgrid"));
  ::setenv("HOME", file.c_str(), 1);
  ::setenv("TMPDIR", file.c_str(), 1);
  try {
    decode();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("set XDG_CACHE_HOME"));
  }
  ::unsetenv("TMPDIR");
  ::setenv("HOME", old_home.c_str(), 1);
}

}  // namespace
}  // namespace crossgrid
