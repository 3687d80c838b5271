#include "crossgrid/engine/socket_channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace crossgrid {
namespace {

using Reading = SocketChannel::Reading;

std::array<int, 2> socket_pair() {
  std::array<int, 2> pair{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
  return pair;
}

TEST(SocketChannel, CarriesMessagesOfAnyLengthInOrder) {
  const auto pair = socket_pair();
  SocketChannel near(pair[0]), far(pair[1]);
  std::vector<std::string> messages = {
      "", "a", std::string(48 * 1024, 'b'), std::string(48 * 1024 + 1, 'c'), std::string(3'000'000, 'd'), "e"};
  for (const std::string& message : messages) near.post(message);
  EXPECT_TRUE(near.has_queued());  // 3 MB do not fit into a socket
  std::size_t received = 0;
  std::string message;
  while (received < messages.size()) {
    near.flush();
    if (far.receive(message, false) != Reading::message) continue;
    EXPECT_TRUE(message == messages[received++]);
  }
  EXPECT_EQ(far.receive(message, false), Reading::nothing);
}

// The kernel reports ECONNRESET before what an end with unread data had sent: it must be read all the same.
TEST(SocketChannel, ReadsWhatWasSentBeforeTheOtherEndDied) {
  const auto pair = socket_pair();
  SocketChannel near(pair[0]);
  {
    SocketChannel far(pair[1]);
    near.post("never read");
    EXPECT_TRUE(far.send("last words"));
  }
  std::string message;
  EXPECT_EQ(near.receive(message, false), Reading::message);
  EXPECT_EQ(message, "last words");
  EXPECT_EQ(near.receive(message, false), Reading::closed);
}

TEST(SocketChannel, LosesNoProcessToABrokenPipe) {
  const auto pair = socket_pair();
  SocketChannel near(pair[0]);
  SocketChannel(pair[1]).close();
  near.post("to nobody");
  EXPECT_FALSE(near.has_queued());
  EXPECT_FALSE(near.send("to nobody"));
}

TEST(SocketChannel, ClosesItsDescriptor) {
  const auto pair = socket_pair();
  { SocketChannel near(pair[0]), far(pair[1]); }
  EXPECT_LT(::fcntl(pair[0], F_GETFD), 0);
  EXPECT_LT(::fcntl(pair[1], F_GETFD), 0);
}

}  // namespace
}  // namespace crossgrid
