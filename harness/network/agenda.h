// SPDX-License-Identifier: Apache-2.0
// Everything that is due, in the total order (time, kind, host, sequence). The sequence is counted
// per host, so that what one host schedules never changes the order of two entries of another.
// Never ordered by pointer, hash or insertion alone. Cancelling is the user's business: entries
// carry an id, and who scheduled one knows whether it still counts.
#pragma once

#include <algorithm>
#include <vector>

#include "harness/network/network.h"

namespace lab::network {

struct Key {
  VirtualTime time;
  DueKind kind = DueKind::action;
  HostId host = kNoHost;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

template <class Entry>
class Agenda {
 public:
  /// Returns the sequence number given.
  std::uint64_t add(VirtualTime time, DueKind kind, HostId host, Entry entry) {
    const std::size_t at = host == kNoHost ? 0 : index(host) + std::size_t{1};
    if (at >= x_sequences.size()) x_sequences.resize(at + 1);
    const std::uint64_t sequence = x_sequences[at]++;
    x_heap.push_back({{time, kind, host, sequence}, std::move(entry)});
    std::ranges::push_heap(x_heap, later);
    return sequence;
  }
  bool empty() const { return x_heap.empty(); }
  std::size_t size() const { return x_heap.size(); }
  /// Of the first entry; not of an empty agenda.
  const Key& first() const { return x_heap.front().key; }
  const Entry& first_entry() const { return x_heap.front().entry; }
  std::pair<Key, Entry> take() {
    std::ranges::pop_heap(x_heap, later);
    std::pair<Key, Entry> out{x_heap.back().key, std::move(x_heap.back().entry)};
    x_heap.pop_back();
    return out;
  }

 private:
  struct Item {
    Key key;
    Entry entry;
  };
  static bool later(const Item& a, const Item& b) { return b.key < a.key; }

  std::vector<Item> x_heap;
  std::vector<std::uint64_t> x_sequences;
};

}  // namespace lab::network
