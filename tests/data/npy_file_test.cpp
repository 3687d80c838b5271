#include "crossgrid/data/npy_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"
#include "data/npy_bytes.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using testing::Bytes;
using testing::bytes_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using testing::npy_header;
class NpyFileTest : public ::testing::Test {
 protected:
  NpyArray read(const Bytes& bytes) { return read_npy(folder_.write("array.npy", bytes)); }
  std::string message(const Bytes& bytes) {
    return bad_input_message([&] { read(bytes); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(NpyFileTest, ReadsEveryTypeInEveryVersion) {
  const auto expect = [&]<class T>(const std::string& descr, std::vector<T> numbers) {
    for (int version = 1; version <= 3; ++version) {
      const NpyArray array = read(npy_bytes(version, npy_header(descr, "(2, 2)"), bytes_of(numbers)));
      EXPECT_THAT(array.shape, ElementsAre(2, 2)) << descr;
      for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(array.values[k], static_cast<double>(numbers[k])) << descr;
    }
  };
  expect("|u1", std::vector<std::uint8_t>{0, 1, 2, 255});
  expect("|i1", std::vector<std::int8_t>{0, -1, 2, -128});
  expect("<u2", std::vector<std::uint16_t>{0, 1, 2, 65535});
  expect("<i2", std::vector<std::int16_t>{0, -1, 2, -32768});
  expect("<i4", std::vector<std::int32_t>{0, -1, 2, -2147483647});
  expect("<u4", std::vector<std::uint32_t>{0, 1, 2, 4294967295u});
  expect("<i8", std::vector<std::int64_t>{0, -1, 2, std::int64_t{1} << 53});
  expect("<u8", std::vector<std::uint64_t>{0, 1, 2, std::uint64_t{1} << 53});
  expect("<f4", std::vector<float>{0, -1.5f, 2e-30f, 3e30f});
  expect("<f8", std::vector<double>{0, -1.5, 2e-300, 3e300});
  expect("|b1", std::vector<std::uint8_t>{0, 1, 1, 0});
}

TEST_F(NpyFileTest, PutsFortranOrderRight) {
  const NpyArray array = read(npy_bytes(1, npy_header("|u1", "(2, 3)", true), {1, 4, 2, 5, 3, 6}));
  EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 6));
  const NpyArray cube = read(npy_bytes(1, npy_header("|u1", "(2, 1, 2)", true), {1, 3, 2, 4}));
  EXPECT_THAT(cube.values, ElementsAre(1, 2, 3, 4));
}

TEST_F(NpyFileTest, ReadsOtherShapes) {
  EXPECT_THAT(read(npy_bytes(1, npy_header("|u1", "(3,)"), {7, 8, 9})).shape, ElementsAre(3));
  EXPECT_TRUE(read(npy_bytes(1, npy_header("|u1", "()"), {7})).shape.empty());
  EXPECT_TRUE(read(npy_bytes(1, npy_header("|u1", "(0, 4)"), {})).values.empty());
}

TEST_F(NpyFileTest, TellsContentsApart) {
  EXPECT_EQ(read(npy_bytes(1, npy_header("|u1", "(1,)"), {7})).content,
            read(npy_bytes(1, npy_header("|u1", "(1,)"), {7})).content);
  EXPECT_NE(read(npy_bytes(1, npy_header("|u1", "(1,)"), {7})).content,
            read(npy_bytes(1, npy_header("|u1", "(1,)"), {8})).content);
}

TEST_F(NpyFileTest, SaysWhatIsWrong) {
  EXPECT_THAT(message({'P', 'K', 3, 4}), HasSubstr("array.npy: not an NPY file"));
  EXPECT_THAT(message(npy_bytes(4, npy_header("|u1", "(1,)"), {7})),
              HasSubstr("NPY format version 4, expected 1, 2 or 3"));
  EXPECT_THAT(message({0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 200, 0, '{'}), HasSubstr("ends within its NPY header"));
  EXPECT_THAT(message(npy_bytes(1, npy_header(">f8", "(1,)"), Bytes(8))),
              HasSubstr("numbers of type '>f8', expected one of"));
  EXPECT_THAT(message(npy_bytes(1, npy_header("<c16", "(1,)"), Bytes(16))), HasSubstr("numbers of type '<c16'"));
  EXPECT_THAT(message(npy_bytes(1, npy_header("<f8", "(2, 3)"), Bytes(40))),
              HasSubstr("found 40 bytes of numbers, expected 48: 6 numbers of type '<f8' (shape 2 x 3)"));
  EXPECT_THAT(message(npy_bytes(1, "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", Bytes(8))),
              HasSubstr("array of records"));
  EXPECT_THAT(message(npy_bytes(1, "{'descr': '<f8', 'shape': (1,), }", Bytes(8))),
              HasSubstr("expected descr, fortran_order and shape"));
  EXPECT_THAT(message(npy_bytes(1, npy_header("<f8", "(99999999, 99999999)"), Bytes(8))),
              HasSubstr("more than 281474976710656"));
  EXPECT_THAT(bad_input_message([&] { read_npy(folder_.file("none.npy")); }), HasSubstr("can't be read"));
}

}  // namespace
}  // namespace crossgrid
