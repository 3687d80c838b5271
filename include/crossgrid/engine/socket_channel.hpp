#pragma once

#include <deque>
#include <string>

namespace crossgrid {

/// Messages of any length over one end of a SOCK_SEQPACKET socket pair, which itself carries only messages that fit
/// into its send buffer: longer ones are cut into pieces. Closes the descriptor at the end.
class SocketChannel {
 public:
  enum class Reading { message, nothing, closed };

  explicit SocketChannel(int descriptor) : descriptor_(descriptor) {}
  ~SocketChannel() { close(); }
  SocketChannel(const SocketChannel&) = delete;
  SocketChannel& operator=(const SocketChannel&) = delete;

  /// Queues the message and sends what the socket takes without waiting. A message to an end that is gone vanishes.
  void post(const std::string& message);
  /// Sends what is queued, as far as the socket takes it without waiting.
  void flush();
  /// Sends the message, waiting where the socket is full; false when the other end is gone.
  bool send(const std::string& message);
  /// The next whole message. What the other end sent before it went is still read; then `closed`. With `wait` set,
  /// never `nothing`.
  Reading receive(std::string& message, bool wait);

  bool has_queued() const { return !queue_.empty(); }
  int descriptor() const { return descriptor_; }
  void close();

 private:
  int descriptor_;
  std::deque<std::string> queue_;  ///< pieces
  std::string partial_;            ///< pieces of a message that is not whole yet
};

}  // namespace crossgrid
