#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crossgrid {

/// How many workers there are beside a rank, itself included where it is one.
struct NodeShare {
  int workers_on_node = 1;
  int workers_sharing_cores = 1;  ///< those whose affinity masks overlap with this rank's
};

/// Messages between ranks. Rank 0 talks with each worker, workers only with rank 0; the order between two ranks is
/// kept; a message to a lost rank vanishes without a sign.
class Transport {
 public:
  struct Arrival {
    int from = 0;
    std::string bytes;
  };
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual NodeShare node_share() const { return {}; }
  /// Never blocks; the bytes are taken over.
  virtual void send(int to, std::string bytes) = 0;
  /// A message that has arrived, if any; never blocks.
  virtual std::optional<Arrival> receive() = 0;
  /// Leaves the communication for good. `lost_ranks`: some rank was silent, so nothing may be used that waits for all.
  virtual void finish(bool lost_ranks) = 0;
};

}  // namespace crossgrid
