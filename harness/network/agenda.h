// SPDX-License-Identifier: Apache-2.0
// Everything that is due, in the total order (time, host, sequence). The sequence is counted per
// host, so that what one host does never changes the order of two entries of another. Never ordered
// by pointer, hash or insertion alone. Cancelling is the user's business: whoever scheduled an
// entry knows whether it still counts.
#pragma once

#include <algorithm>
#include <vector>

#include "harness/model/ids.h"
#include "harness/model/virtual_time.h"

namespace lab::network {

struct Key {
  VirtualTime time;
  HostId host = kNoHost;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

template <class Entry>
class Agenda {
 public:
  void add(VirtualTime time, HostId host, Entry entry) {
    const std::size_t at = index(host);
    if (at >= x_sequences.size()) x_sequences.resize(at + 1);
    x_heap.push_back({{time, host, x_sequences[at]++}, std::move(entry)});
    std::ranges::push_heap(x_heap, later);
  }
  bool empty() const { return x_heap.empty(); }
  std::size_t size() const { return x_heap.size(); }
  /// Of the first entry; not of an empty agenda.
  const Key& first() const { return x_heap.front().key; }
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
