// SPDX-License-Identifier: Apache-2.0
// Packets for one peer in the order in which they go, as one run of bytes, so that all of them can
// be handed over in one write; and for each what there will be to say of it.
//
// Bytes are taken from the front in any number, which is how much the system took; a packet is gone
// when its last byte is. Bounds: the caller's. Threads: one.
#pragma once

#include <vector>

#include "src/prelude/bytes.h"
#include "src/prelude/check.h"
#include "src/wire/frame.h"

namespace mix::peers {

template <class Note>
class Outbox {
 public:
  void add(wire::PacketView packet, const Note& note) {
    x_bytes.insert(x_bytes.end(), packet.begin(), packet.end());
    x_notes.push_back(note);
  }

  bool empty() const { return x_first == x_notes.size(); }
  /// Packets of which a byte is left.
  std::size_t size() const { return x_notes.size() - x_first; }
  /// Everything not yet taken; valid until the next call that is not const.
  BytesView rest() const { return BytesView(x_bytes).subspan(x_taken); }
  /// What is left of the first packet.
  BytesView first() const {
    return rest().first(empty() ? 0 : (x_first + 1) * wire::kPacketBytes - x_taken);
  }

  /// The next `bytes` were sent; use(note) for each packet that is complete now.
  template <class Use>
  void take(std::size_t bytes, Use use) {
    CHECK(bytes <= x_bytes.size() - x_taken, bytes, x_bytes.size(), x_taken);
    x_taken += bytes;
    while (!empty() && (x_first + 1) * wire::kPacketBytes <= x_taken)
      use(x_notes[x_first++]);
    compact();
  }
  /// The first packet has to be sent whole again, on another connection.
  void rewind() { x_taken = x_first * wire::kPacketBytes; }
  /// None will be sent; use(note) for each.
  template <class Use>
  void drop_all(Use use) {
    while (!empty())
      use(x_notes[x_first++]);
    x_taken = x_bytes.size();
    compact();
  }

 private:
  /// Memory of a quiet peer is given back, of a busy one it is used again.
  static constexpr std::size_t kKeptPackets = 16;

  void compact() {
    if (empty()) {
      x_bytes.clear();
      x_notes.clear();
      if (x_bytes.capacity() > kKeptPackets * wire::kPacketBytes) x_bytes.shrink_to_fit();
      x_first = x_taken = 0;
    } else if (x_first >= kKeptPackets && x_first >= x_notes.size() / 2) {
      const std::size_t gone = x_first * wire::kPacketBytes;
      x_bytes.erase(x_bytes.begin(), x_bytes.begin() + static_cast<std::ptrdiff_t>(gone));
      x_notes.erase(x_notes.begin(), x_notes.begin() + static_cast<std::ptrdiff_t>(x_first));
      x_taken -= gone;
      x_first = 0;
    }
  }

  Bytes x_bytes;              // whole packets
  std::vector<Note> x_notes;  // one each
  std::size_t x_first = 0;    // packets complete
  std::size_t x_taken = 0;    // bytes taken, from the start of x_bytes
};

}  // namespace mix::peers
