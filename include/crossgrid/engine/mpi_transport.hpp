#pragma once

#include <list>
#include <memory>

#include "crossgrid/engine/transport.hpp"

namespace crossgrid {

/// True where a launcher (mpirun, srun --mpi=pmix) started this process as one of several ranks or as a single one.
bool launched_by_mpi();

/// Ranks of MPI_COMM_WORLD, point to point only. Construction initialises MPI and is collective; the object is then
/// the only user of MPI in the process and must be made in the main thread; other threads may use it, one at a time.
class MpiTransport : public Transport {
 public:
  MpiTransport();
  ~MpiTransport() override;
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  NodeShare node_share() const override { return node_share_; }
  void send(int to, std::string bytes) override;
  std::optional<Arrival> receive() override;
  /// With no rank lost: MPI_Finalize. Else SIGTERM to the launcher, which ends all that is left; a lost rank may be a
  /// stopped one, for which MPI_Finalize and the launcher would wait for ever.
  void finish(bool lost_ranks) override;

 private:
  struct Transfer;  ///< a message on its way
  void accept_arrivals();
  void drop_sent();

  int rank_ = 0;
  int size_ = 1;
  NodeShare node_share_;
  bool finished_ = false;
  std::list<std::unique_ptr<Transfer>> outgoing_;
  std::list<std::unique_ptr<Transfer>> incoming_;  ///< in the order in which they were matched
};

}  // namespace crossgrid
