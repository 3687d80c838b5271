#include "crossgrid/data/gzip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"
#include "data/idx_bytes.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using testing::Bytes;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::ramp;
using ::testing::StartsWith;

constexpr std::size_t everything = std::size_t{1} << 40;

std::string message_of(const Bytes& packed) {
  return bad_input_message([&] { gunzip(packed, everything, "x.gz"); });
}

TEST(Gunzip, ReturnsWhatWasPacked) {
  for (const std::size_t size : {0u, 1u, 65536u, 65537u, 1000000u}) {
    EXPECT_EQ(gunzip(gzipped(ramp(size)), everything, "x.gz"), ramp(size)) << size;
  }
}

TEST(Gunzip, StopsWhereItIsTold) {
  EXPECT_EQ(gunzip(gzipped(ramp(100000)), 70000, "x.gz"), ramp(70000));
}

TEST(Gunzip, FillsMemoryAndTellsWhereThereIsMore) {
  Bytes out(1000);
  EXPECT_EQ(gunzip_into(gzipped(ramp(1000)), out, "x.gz"), 1000u);
  EXPECT_EQ(out, ramp(1000));
  EXPECT_EQ(gunzip_into(gzipped(ramp(1001)), out, "x.gz"), 1001u);
  EXPECT_EQ(gunzip_into(gzipped(ramp(10)), out, "x.gz"), 10u);
}

TEST(Gunzip, NeverGivesMoreThanItsBound) {
  const Bytes packed = gzipped(Bytes(5'000'000));
  EXPECT_LT(5'000'000u, most_unpacked(packed.size()));
  EXPECT_GT(5'000'000u, most_unpacked(packed.size()) * 9 / 10) << "zeros come near it";
}

TEST(Gunzip, JoinsMembers) {
  Bytes packed = gzipped(ramp(100));
  const Bytes second = gzipped({7, 8});
  packed.insert(packed.end(), second.begin(), second.end());
  Bytes expected = ramp(100);
  expected.insert(expected.end(), {7, 8});
  EXPECT_EQ(gunzip(packed, everything, "x.gz"), expected);
}

TEST(Gunzip, RefusesAFileCutShortAnywhere) {
  const Bytes packed = gzipped(ramp(1000));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    EXPECT_THAT(message_of(Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size))),
                StartsWith("x.gz: gzip file cut short: it stops after "));
  }
}

TEST(Gunzip, RefusesAFlippedBitInDataOrChecksum) {
  const Bytes packed = gzipped(ramp(1000));
  for (const std::size_t place : {std::size_t{40}, packed.size() - 6}) {
    Bytes damaged = packed;
    damaged[place] ^= 0x10;
    EXPECT_THAT(message_of(damaged), StartsWith("x.gz: damaged gzip file: ")) << place;
  }
}

TEST(Gunzip, RefusesBytesAfterTheEnd) {
  Bytes packed = gzipped(ramp(10));
  packed.insert(packed.end(), {1, 2, 3});
  EXPECT_THAT(message_of(packed), HasSubstr("found 3 bytes after the end of the gzip data, expected none"));
}

}  // namespace
}  // namespace crossgrid
