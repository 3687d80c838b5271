#pragma once

namespace crossgrid {

/// Sends a copy of a descriptor over a socket, as a message of its own. False where it can't, with errno.
bool send_descriptor(int socket, int descriptor);
/// The descriptor that the next message has, closed on exec; -1 where it has none.
int receive_descriptor(int socket);

}  // namespace crossgrid
