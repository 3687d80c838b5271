#include "crossgrid/base/id128.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

TEST(Id128, AddsModuloTwoToThe128InAnyOrder) {
  const Id128 largest{~0ull, ~0ull};
  EXPECT_EQ(largest + (Id128{0, 1}), (Id128{0, 0}));
  EXPECT_EQ((Id128{0, ~0ull}) + (Id128{0, 1}), (Id128{1, 0}));
  const Id128 a = hash_text("a"), b = hash_text("b"), c = hash_text("c");
  EXPECT_EQ(a + b + c, c + a + b);
  EXPECT_NE(a + a, b + b);
}

TEST(Id128, HexReadsBack) {
  const Id128 id{0x00000000000000abull, 0x0123456789abcdefull};
  EXPECT_EQ(id.hex(), "00000000000000ab0123456789abcdef");
  EXPECT_EQ(Id128::from_hex(id.hex()), id);
}

TEST(Id128, RefusesTextThatIsNoId) {
  for (const char* text : {"", "00000000000000ab0123456789abcde", "00000000000000ab0123456789abcdef0",
                           "00000000000000AB0123456789abcdef", "0x000000000000ab0123456789abcdef"}) {
    EXPECT_THROW(Id128::from_hex(text), Error) << text;
  }
}

TEST(Id128, IsTheKnownXxh3OfNothingAndOfText) {
  // The published XXH3 128-bit hash of the empty input with seed 0.
  EXPECT_EQ(hash_text("").hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(hash_text("adc.bits"), hash_text("dac.bits"));
}

TEST(Id128, OfAFileEqualsThatOfItsBytes) {
  const auto path = std::filesystem::temp_directory_path() / ("crossgrid_id128_test." + std::to_string(::getpid()));
  std::string bytes((3u << 20) + 17, '\0');
  std::mt19937 random(3);
  for (char& byte : bytes) {
    byte = static_cast<char>(random());
  }
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(hash_file(path), hash_text(bytes));
  std::filesystem::remove(path);
  try {
    hash_file(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos) << error.what();
    EXPECT_EQ(error.code(), ExitCode::bad_input);
  }
}

}  // namespace
}  // namespace crossgrid
