#include "crossgrid/base/file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// A folder on the real disk that goes away with the test.
class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = testing::TempDir() + "crossgrid-file-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  FileSystem& files_ = posix_files();
};

TEST_F(FileTest, AppendsAndReadsBack) {
  const std::string path = folder_ + "/a";
  std::unique_ptr<File> file;
  ASSERT_TRUE(open_file(files_, path, OpenMode::append, file).ok());
  EXPECT_EQ(write_all(*file, "hello ").value, 6);
  ASSERT_TRUE(open_file(files_, path, OpenMode::append, file).ok());
  EXPECT_EQ(write_all(*file, "world").value, 5);
  EXPECT_EQ(file->size().value, 11);
  EXPECT_TRUE(sync_file(*file).ok());
  EXPECT_EQ(read_text(files_, path), "hello world");
  char part[4] = {};
  EXPECT_EQ(read_all(*file, part, 4, 9).value, 2);
  EXPECT_EQ(std::string(part), "ld");
  EXPECT_TRUE(truncate_file(*file, 5).ok());
  EXPECT_EQ(read_text(files_, path), "hello");
}

TEST_F(FileTest, ALockExcludesAnotherOpenFileUntilItsOwnerCloses) {
  std::unique_ptr<File> first, second;
  ASSERT_TRUE(open_file(files_, folder_ + "/lock", OpenMode::append, first).ok());
  ASSERT_TRUE(open_file(files_, folder_ + "/lock", OpenMode::append, second).ok());
  EXPECT_TRUE(lock_file(*first).ok());
  EXPECT_EQ(lock_file(*second).error, EAGAIN);
  first.reset();
  EXPECT_TRUE(lock_file(*second).ok());
}

TEST_F(FileTest, CreatesFoldersWithTheirParents) {
  create_folders(files_, folder_ + "/x/y/z");
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/x/y/z"));
  create_folders(files_, folder_ + "/x/y/z");
}

TEST_F(FileTest, ListsNamesSorted) {
  for (const char* name : {"c", "a", "b"}) std::ofstream(folder_ + "/" + name) << name;
  std::vector<std::string> names;
  ASSERT_TRUE(files_.list(folder_, names).ok());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(FileTest, AMissingFileIsNamedWithTheReason) {
  try {
    read_text(files_, folder_ + "/nothing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_EQ(std::string(error.what()), folder_ + "/nothing: can't read it: No such file or directory");
  }
}

TEST_F(FileTest, AFileInTheWayOfAFolderIsNamed) {
  std::ofstream(folder_ + "/file") << "x";
  try {
    create_folders(files_, folder_ + "/file/sub");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
    EXPECT_NE(std::string(error.what()).find("file/sub: can't create the folder: Not a directory"), std::string::npos)
        << error.what();
  }
}

TEST_F(FileTest, AReplacementWithoutCommitLeavesNothingBehind) {
  replace_file(files_, folder_ + "/a", "old");
  { FileReplacement(files_, folder_ + "/a").write("new"); }
  EXPECT_EQ(read_text(files_, folder_ + "/a"), "old");
  EXPECT_FALSE(file_exists(files_, folder_ + "/a.tmp"));
}

TEST(Path, FolderIsThePartBeforeTheLastSlash) {
  EXPECT_EQ(folder_of("a"), ".");
  EXPECT_EQ(folder_of("/a"), "/");
  EXPECT_EQ(folder_of("a/b"), "a");
  EXPECT_EQ(folder_of("/a/b/c"), "/a/b");
  EXPECT_EQ(folder_of("a/b/"), "a");
  EXPECT_EQ(folder_of("/"), "/");
}

TEST(WriteAll, GoesOnAfterShortWritesAndInterruptions) {
  ForgettingDisk disk;
  FailingFiles files(disk);
  std::unique_ptr<File> file;
  files.only_writes = true;
  for (const int error : {0, EINTR}) {
    ASSERT_TRUE(files.open("a", OpenMode::create, file).ok());
    files.calls = 0;
    files.fail_at = 1;
    files.error = error;
    EXPECT_EQ(write_all(*file, "0123456789").value, 10);
    EXPECT_EQ(files.calls, 2u);
    EXPECT_EQ(disk.content("a"), "0123456789");
  }
}

TEST(WriteAll, GivesUpACallThatIsAlwaysInterrupted) {
  ForgettingDisk disk;
  FailingFiles files(disk);
  std::unique_ptr<File> file;
  files.only_writes = files.later_too = true;
  files.fail_at = 1;
  files.error = EINTR;
  ASSERT_TRUE(files.open("a", OpenMode::create, file).ok());
  EXPECT_EQ(write_all(*file, "0123456789").error, EINTR);
}

// The N-th call fails, for all N: the file holds the old or the new text, the new one only where replacing said so or
// failed after the rename.
TEST(FileReplacement, HoldsTheOldOrTheNewTextWhicheverCallFails) {
  int failures = 0;
  for (const int error : {EIO, ENOSPC, EINTR, 0}) {
    for (const bool later_too : {false, true}) {
      for (std::uint64_t n = 1;; ++n) {
        ForgettingDisk disk;
        disk.put("dir/a", "old");
        FailingFiles files(disk);
        files.fail_at = n;
        files.error = error;
        files.later_too = later_too;
        bool replaced = true;
        try {
          replace_file(files, "dir/a", "new");
        } catch (const Error& failure) {
          replaced = false;
          ++failures;
          EXPECT_EQ(failure.code(), ExitCode::storage);
          EXPECT_NE(std::string(failure.what()).find("dir"), std::string::npos) << failure.what();
        }
        const std::string text = disk.content("dir/a");
        EXPECT_TRUE(text == "new" || (text == "old" && !replaced)) << text;
        if (files.calls < n) break;
      }
    }
  }
  EXPECT_GE(failures, 20);
}

/// Crashes of replace_file after each of its operations; how often neither the whole old nor the whole new text is
/// back, or the old one although replacing had succeeded.
int bad_recoveries(bool lies_about_sync) {
  int bad = 0;
  const std::string old_text(2000, 'o'), new_text(3000, 'n');
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::uint64_t moment = 1;; ++moment) {
      ForgettingDisk disk(seed);
      disk.put("dir/a", old_text);
      disk.lies_about_sync = lies_about_sync;
      disk.crash_after = moment;
      bool replaced = false;
      try {
        replace_file(disk, "dir/a", new_text);
        replaced = true;
      } catch (const ForgettingDisk::PowerLoss&) {
      }
      disk.crash();
      const std::string text = disk.has("dir/a") ? disk.content("dir/a") : "";
      if (text != new_text && (replaced || text != old_text)) ++bad;
      if (replaced) break;
    }
  }
  return bad;
}

TEST(FileReplacement, SurvivesPowerLossAtEveryMoment) {
  EXPECT_EQ(bad_recoveries(false), 0);
}

TEST(FileReplacement, PowerLossTestSeesAMissingSync) {
  EXPECT_GT(bad_recoveries(true), 10);
}

}  // namespace
}  // namespace crossgrid
