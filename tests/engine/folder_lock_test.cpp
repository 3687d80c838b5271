#include "crossgrid/engine/folder_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

/// A file system whose lock() says what the test wants.
class LockFiles : public ForgettingDisk {
 public:
  int lock_error = 0;
  IoResult open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    std::unique_ptr<File> inner;
    const IoResult result = ForgettingDisk::open(path, mode, inner);
    if (result.ok()) file = std::make_unique<Handle>(lock_error);
    return result;
  }

 private:
  struct Handle : File {
    explicit Handle(int error) : lock_error(error) {}
    IoResult write(std::string_view) override { return {}; }
    IoResult read(char*, std::size_t, std::uint64_t) override { return {}; }
    IoResult size() override { return {}; }
    IoResult truncate(std::uint64_t) override { return {}; }
    IoResult sync() override { return {}; }
    IoResult lock() override { return {0, lock_error}; }
    int lock_error;
  };
};

class FolderLockTest : public testing::Test {
 protected:
  FolderLockTest() { files_.create_folder("out"); }

  /// Whether a run on host alpha gets the folder.
  bool gets_it(std::optional<OwnerRecord> owner, bool owner_lives = false, const std::string& owners_shard = "",
               const std::string& shard = "") {
    ProcessIdentity self = sample_process();
    self.alive = [owner_lives](std::int64_t) { return owner_lives; };
    try {
      FolderLock(files_, time_, "out", self, shard, [&] {
        return owner ? FolderLock::Owners{{owners_shard, *owner}} : FolderLock::Owners();
      });
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::busy);
      message_ = error.what();
      return false;
    }
  }
  OwnerRecord owner(const std::string& host, double age, std::int64_t pid = 99) const {
    return {host, pid, "boot-1", utc_text(time_.wall - 3600), utc_text(time_.wall - static_cast<std::int64_t>(age)),
            false};
  }

  LockFiles files_;
  SampleTime time_;
  std::string message_;
};

TEST_F(FolderLockTest, AFreeLockAndNoOwnerIsFree) {
  EXPECT_TRUE(gets_it(std::nullopt));
}

TEST_F(FolderLockTest, AHeldLockIsBusyWhateverTheOwnerRecordSays) {
  files_.lock_error = EAGAIN;
  OwnerRecord released = owner("alpha", 5000);
  released.released = true;
  EXPECT_FALSE(gets_it(released));
  EXPECT_FALSE(gets_it(std::nullopt));
  EXPECT_EQ(message_, "out: in use by another run; wait for it to end, or choose another folder with -o");
}

TEST_F(FolderLockTest, AFreeLockMeansThatAnOwnerOfThisHostIsDead) {
  EXPECT_TRUE(gets_it(owner("alpha", 1), true));
}

TEST_F(FolderLockTest, AnotherHostIsBelievedWhileItsHeartbeatIsFresh) {
  EXPECT_FALSE(gets_it(owner("beta", 10)));
  EXPECT_THAT(message_, testing::HasSubstr("process 99 on host beta, since 2026-11-24T01:48:39Z"));
  EXPECT_FALSE(gets_it(owner("beta", owner_lease_seconds - 1)));
  EXPECT_TRUE(gets_it(owner("beta", owner_lease_seconds)));
  EXPECT_FALSE(gets_it(owner("beta", -10)));  // its clock is ahead
  OwnerRecord released = owner("beta", 1);
  released.released = true;
  EXPECT_TRUE(gets_it(released));
}

TEST_F(FolderLockTest, WithoutLocksThisHostsProcessesAreAsked) {
  files_.lock_error = ENOLCK;
  EXPECT_FALSE(gets_it(owner("alpha", 5000), true));  // alive, if slow
  EXPECT_TRUE(gets_it(owner("alpha", 1), false));
  OwnerRecord before_reboot = owner("alpha", 1);
  before_reboot.boot = "boot-0";
  EXPECT_TRUE(gets_it(before_reboot, true));
  EXPECT_TRUE(gets_it(owner("alpha", 1, sample_process().pid), true));  // ourselves
  EXPECT_FALSE(gets_it(owner("beta", 10)));
}

// Without a lock that other hosts see, their heartbeats say who may not be at work beside this run.
TEST_F(FolderLockTest, ShardsOfOneNumberWorkBesideEachOther) {
  const OwnerRecord other = owner("beta", 10);
  EXPECT_TRUE(gets_it(other, false, "1of4", "2of4"));
  EXPECT_TRUE(gets_it(other, false, "1of4", gather_lock_name));
  EXPECT_FALSE(gets_it(other, false, "1of4", "1of4"));
  EXPECT_FALSE(gets_it(other, false, "1of4", "1of3"));
  EXPECT_FALSE(gets_it(other, false, "1of4", ""));
  EXPECT_FALSE(gets_it(other, false, "", "1of4"));
  EXPECT_FALSE(gets_it(other, false, "", gather_lock_name));
  EXPECT_THAT(message_, testing::HasSubstr("process 99 on host beta"));
  EXPECT_TRUE(gets_it(owner("beta", owner_lease_seconds), false, "1of4", ""));
}

TEST(ThisProcess, KnowsItsHostAndWhoLives) {
  const ProcessIdentity self = this_process();
  EXPECT_FALSE(self.host.empty());
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_TRUE(self.alive(self.pid));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(self.alive(child));
}

TEST(FolderLockOnDisk, IsFreeAgainWhenItsOwnerIsGone) {
  std::string name = testing::TempDir() + "crossgrid-lock-XXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  const auto lock = [&](const std::string& shard) {
    return FolderLock(posix_files(), system_time(), folder, this_process(), shard, [] { return FolderLock::Owners(); });
  };
  {
    const FolderLock first = lock("");
    EXPECT_THROW(lock(""), Error);
    EXPECT_THROW(lock("1of2"), Error);
    EXPECT_THROW(lock(gather_lock_name), Error);
  }
  EXPECT_NO_THROW(lock(""));
  {
    const FolderLock first = lock("1of2"), second = lock("2of2"), gathering = lock(gather_lock_name);
    for (const char* other : {"", "1of2", "2of2", "1of3", gather_lock_name}) EXPECT_THROW(lock(other), Error) << other;
  }
  EXPECT_NO_THROW(lock("1of3"));
  EXPECT_NO_THROW(lock(""));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace crossgrid
