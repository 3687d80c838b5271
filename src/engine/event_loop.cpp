#include "crossgrid/engine/event_loop.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>

namespace crossgrid {
namespace {

constexpr std::array<int, 4> caught = {SIGTERM, SIGUSR1, SIGINT, SIGHUP};
std::atomic<int> signals_caught{0};
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

extern "C" void note_signal(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  signals_caught.fetch_add(1);
}

}  // namespace

void IdleWait::wait(std::vector<pollfd>& descriptors) {
  const Time pause = std::clamp(waited_ / 8, shortest, longest);
  const timespec limit{0, static_cast<long>(pause.count())};
  ::ppoll(descriptors.data(), descriptors.size(), &limit, nullptr);
  waited_ += pause;
}

StopSignals::StopSignals() {
  signals_caught = 0;
  first_signal = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < caught.size(); ++i) {
    ::sigaction(caught[i], &action, &before_[i]);
    // nohup's wish: a terminal that closes does not end the run.
    if (caught[i] == SIGHUP && before_[i].sa_handler == SIG_IGN) ::sigaction(SIGHUP, &before_[i], nullptr);
  }
  // A file beyond the shell's limit is then an error of write(2), told like a full disk.
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &action, &before_file_limit_);
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < caught.size(); ++i) ::sigaction(caught[i], &before_[i], nullptr);
  ::sigaction(SIGXFSZ, &before_file_limit_, nullptr);
}

int StopSignals::count() const {
  return signals_caught;
}
int StopSignals::first() const {
  return first_signal;
}

}  // namespace crossgrid
