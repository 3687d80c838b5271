#include "crossgrid/data/idx_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"
#include "data/idx_bytes.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using testing::Bytes;
using ::testing::ElementsAre;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::idx_bytes;
using testing::ramp;

/// Each claim holds for plain and for gzipped files.
class IdxFileTest : public ::testing::TestWithParam<bool> {
 protected:
  std::string write(const Bytes& bytes) const { return folder_.write("images", GetParam() ? gzipped(bytes) : bytes); }
  std::string message(const Bytes& bytes, int dimensions = 3) const {
    const std::string path = write(bytes);
    return bad_input_message([&] { IdxFile(path, dimensions); });
  }
  testing::TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(PlainAndPacked, IdxFileTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "gzip" : "plain"; });

TEST_P(IdxFileTest, ReadsShapeAndBytes) {
  IdxFile read(write(idx_bytes({300, 2, 3}, ramp(1800))), 3);
  const IdxFile file(std::move(read));
  EXPECT_THAT(file.shape(), ElementsAre(300, 2, 3));
  EXPECT_EQ(Bytes(file.bytes().begin(), file.bytes().end()), ramp(1800));
}

TEST_P(IdxFileTest, NamesAWrongMagicNumber) {
  EXPECT_EQ(message(idx_bytes({24}, ramp(24))),
            folder_.file("images") +
                ": wrong magic number: found 0x00000801, expected 0x00000803 (IDX, unsigned bytes, 3 dimensions)");
  EXPECT_THAT(message(ramp(100), 1), HasSubstr("found 0x00010203, expected 0x00000801"));
}

TEST_P(IdxFileTest, NamesATruncatedFile) {
  Bytes bytes = idx_bytes({4, 2, 3}, ramp(24));
  bytes.pop_back();
  EXPECT_THAT(message(bytes), HasSubstr("truncated: found 39 bytes, expected 40 (16 of header and 4 x 2 x 3)"));
  bytes.resize(15);
  EXPECT_THAT(message(bytes), HasSubstr("truncated: found 15 bytes, expected at least the 16 of an IDX header"));
}

TEST_P(IdxFileTest, NamesBytesBeyondTheEnd) {
  EXPECT_THAT(message(idx_bytes({4, 2, 3}, ramp(30))),
              HasSubstr("too long: found bytes beyond the end, expected 40 (16 of header and 4 x 2 x 3)"));
}

TEST_P(IdxFileTest, RefusesSizesThatNoFileHas) {
  EXPECT_THAT(message(idx_bytes({0, 2, 3}, {})), HasSubstr("impossible sizes in the header: 0 x 2 x 3"));
  EXPECT_THAT(message(idx_bytes({4294967295u, 4294967295u, 4294967295u}, {})), HasSubstr("impossible sizes"));
  // Believable but absent: refused without taking the memory.
  EXPECT_THAT(message(idx_bytes({4294967295u, 100, 100}, ramp(10))),
              HasSubstr("truncated: found 26 bytes, expected 42949672950016"));
}

TEST(IdxFile, NamesAnEmptyFile) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("images", {});
  EXPECT_THAT(bad_input_message([&] { IdxFile(path, 3); }), HasSubstr("truncated: found 0 bytes"));
}

}  // namespace
}  // namespace crossgrid
