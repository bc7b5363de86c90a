// SPDX-License-Identifier: Apache-2.0
#include "src/client/inbox.h"

#include <utility>

namespace mix::client {

void Inbox::put(Bytes message) {
  if (x_messages.size() == kCapacity) {
    x_messages.pop_front();
    ++x_overflowed;
  }
  x_messages.push_back(std::move(message));
}

std::vector<Bytes> Inbox::fetch() {
  std::vector<Bytes> out;
  std::size_t bytes = 0;
  while (!x_messages.empty() && out.size() < kMaxFetchMessages) {
    bytes += x_messages.front().size();
    if (bytes > kMaxFetchBytes) break;
    out.push_back(std::move(x_messages.front()));
    x_messages.pop_front();
  }
  return out;
}

}  // namespace mix::client
