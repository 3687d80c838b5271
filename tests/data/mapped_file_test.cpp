#include "crossgrid/data/mapped_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::ElementsAre;
using ::testing::EndsWith;

TEST(MappedFile, HasTheBytesOfTheFileAfterMoves) {
  const testing::TemporaryFolder folder;
  MappedFile first(folder.write("a", {1, 2, 250}));
  MappedFile second(std::move(first));
  MappedFile third(folder.write("b", {9}));
  third = std::move(second);
  EXPECT_THAT(third.bytes(), ElementsAre(1, 2, 250));
}

TEST(MappedFile, MapsAnEmptyFileToNoBytes) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(MappedFile(folder.write("empty", {})).bytes().empty());
}

TEST(MappedFile, NamesAFileThatCannotBeRead) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(bad_input_message([&] { MappedFile(folder.file("none")); }),
            folder.file("none") + ": can't be read: No such file or directory");
  EXPECT_THAT(bad_input_message([&] { MappedFile(folder.path()); }), EndsWith("is not a regular file"));
}

}  // namespace
}  // namespace crossgrid
