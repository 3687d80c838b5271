#include "crossgrid/engine/descriptor_passing.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace crossgrid {
namespace {

class DescriptorPassing : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_), 0); }
  void TearDown() override {
    for (const int end : ends_) ::close(end);
  }
  int ends_[2] = {};
};

TEST_F(DescriptorPassing, GivesTheSameFileUnderANumberOfItsOwn) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  ASSERT_TRUE(send_descriptor(ends_[0], pipe[1]));
  ::close(pipe[1]);  // on its way it stays open
  ASSERT_EQ(::send(ends_[0], "next", 4, 0), 4);
  const int received = receive_descriptor(ends_[1]);
  ASSERT_GE(received, 0);
  EXPECT_EQ(::fcntl(received, F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(::write(received, "x", 1), 1);
  char text[8] = {};
  EXPECT_EQ(::read(pipe[0], text, sizeof text), 1);
  EXPECT_EQ(::recv(ends_[1], text, sizeof text, 0), 4) << "messages stay apart";
  ::close(received);
  ::close(pipe[0]);
}

TEST_F(DescriptorPassing, SaysWhereThereIsNone) {
  ASSERT_EQ(::send(ends_[0], "text", 4, 0), 4);
  EXPECT_EQ(receive_descriptor(ends_[1]), -1) << "a message without";
  EXPECT_FALSE(send_descriptor(ends_[0], -1));
  ::shutdown(ends_[0], SHUT_WR);
  EXPECT_EQ(receive_descriptor(ends_[1]), -1) << "the other end is gone";
  EXPECT_EQ(receive_descriptor(-1), -1);
}

}  // namespace
}  // namespace crossgrid
