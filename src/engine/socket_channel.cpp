#include "crossgrid/engine/socket_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace crossgrid {
namespace {

constexpr std::size_t piece_size = std::size_t{48} * 1024;  // well below the default send buffer of about 200 KB
constexpr char more_follows = 1;
constexpr char last_piece = 0;

std::deque<std::string> cut(const std::string& message) {
  std::deque<std::string> pieces;
  std::size_t start = 0;
  do {
    const std::size_t size = std::min(piece_size, message.size() - start);
    std::string piece(1, start + size < message.size() ? more_follows : last_piece);
    piece.append(message, start, size);
    pieces.push_back(std::move(piece));
    start += size;
  } while (start < message.size());
  return pieces;
}

/// send(2) again after a signal; never raises SIGPIPE.
ssize_t send_piece(int descriptor, const std::string& piece, int flags) {
  ssize_t sent = -1;
  do {
    sent = ::send(descriptor, piece.data(), piece.size(), flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

void SocketChannel::post(const std::string& message) {
  for (std::string& piece : cut(message)) queue_.push_back(std::move(piece));
  flush();
}

void SocketChannel::flush() {
  while (!queue_.empty()) {
    if (descriptor_ < 0 || send_piece(descriptor_, queue_.front(), MSG_DONTWAIT) < 0) {
      const bool full = descriptor_ >= 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM);
      if (!full) queue_.clear();  // nobody will read it; the reader's end tells why
      return;
    }
    queue_.pop_front();
  }
}

bool SocketChannel::send(const std::string& message) {
  for (const std::string& piece : cut(message)) {
    if (descriptor_ < 0 || send_piece(descriptor_, piece, 0) < 0) return false;
  }
  return true;
}

SocketChannel::Reading SocketChannel::receive(std::string& message, bool wait) {
  static thread_local std::array<char, piece_size + 1> buffer;
  while (descriptor_ >= 0) {
    const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), wait ? 0 : MSG_DONTWAIT);
    if (size > 0) {
      partial_.append(buffer.data() + 1, static_cast<std::size_t>(size) - 1);
      if (buffer[0] == more_follows) continue;
      message = std::exchange(partial_, {});
      return Reading::message;
    }
    if (size == 0) return Reading::closed;
    if (errno == EAGAIN) return Reading::nothing;
    // ECONNRESET says that the other end died with unread data; it is reported once, before what that end had sent.
    if (errno != EINTR && errno != ECONNRESET) return Reading::closed;
  }
  return Reading::closed;
}

void SocketChannel::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  queue_.clear();
}

}  // namespace crossgrid
