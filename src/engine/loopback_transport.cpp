#include "crossgrid/engine/loopback_transport.hpp"

#include <utility>

namespace crossgrid {

void LoopbackTransport::End::send(int, std::string bytes) {
  out_.push_back(std::move(bytes));
}

std::optional<Transport::Arrival> LoopbackTransport::End::receive() {
  if (in_.empty()) return std::nullopt;
  Arrival arrival{1 - rank_, std::move(in_.front())};
  in_.pop_front();
  return arrival;
}

}  // namespace crossgrid
