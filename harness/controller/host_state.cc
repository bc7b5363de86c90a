// SPDX-License-Identifier: Apache-2.0
#include "harness/controller/host_state.h"

#include <cstring>
#include <map>

namespace lab::controller {
namespace {

constexpr std::uint64_t kNoFile = ~std::uint64_t{0};

struct Counters {
  std::uint32_t version = LAB_CONTRACT_VERSION, next_port = 0;
  std::int32_t next_pid = 0;
  std::uint32_t pad = 0;
  std::uint64_t next_inode = 0;
};

template <class T>
void put(mix::Bytes& out, const T& value) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), at, at + sizeof(T));
}

template <class T, kernel::u32 N>
void put_table(mix::Bytes& out, const kernel::Table<T, N>& table) {
  const std::uint32_t head[4] = {table.high, table.free, table.live, 0};
  put(out, head);
  const auto* at = reinterpret_cast<const std::uint8_t*>(table.item);
  out.insert(out.end(), at, at + table.high * sizeof(T));
}

class Source {
 public:
  explicit Source(mix::BytesView bytes) : x_rest(bytes) {}
  bool take(void* to, std::size_t n) {
    if (x_rest.size() < n) return false;
    std::memcpy(to, x_rest.data(), n);
    x_rest = x_rest.subspan(n);
    return true;
  }
  bool skip(std::size_t n) {
    if (x_rest.size() < n) return false;
    x_rest = x_rest.subspan(n);
    return true;
  }
  bool empty() const { return x_rest.empty(); }

 private:
  mix::BytesView x_rest;
};

/// Only looks whether a table is there when `into` is null.
template <class T, kernel::u32 N>
bool take_table(Source& from, kernel::Table<T, N>* into) {
  std::uint32_t head[4];
  if (!from.take(head, sizeof(head)) || head[0] > N || head[1] > N || head[2] > head[0])
    return false;
  if (into == nullptr) return from.skip(head[0] * sizeof(T));
  into->high = head[0];
  into->free = head[1];
  into->live = head[2];
  return from.take(into->item, head[0] * sizeof(T));
}

bool whole(mix::BytesView bytes) {
  Source from(bytes);
  Counters counters;
  return from.take(&counters, sizeof(counters)) && counters.version == LAB_CONTRACT_VERSION &&
         take_table<kernel::Port, kernel::kMaxPorts>(from, nullptr) &&
         take_table<kernel::Inode, kernel::kMaxInodes>(from, nullptr) &&
         take_table<kernel::Lock, kernel::kMaxLocks>(from, nullptr) && from.empty();
}

}  // namespace

void pack(const kernel::Host& host, mix::Bytes& out) {
  out.clear();
  Counters counters;
  counters.next_port = host.next_port;
  counters.next_pid = host.next_pid;
  counters.next_inode = host.next_inode;
  put(out, counters);
  put_table(out, host.port);
  const std::size_t inodes = out.size() + 4 * sizeof(std::uint32_t);
  put_table(out, host.inode);
  for (std::uint32_t i = 0; i < host.inode.high; ++i) {
    std::uint8_t* at = out.data() + inodes + i * sizeof(kernel::Inode);
    std::memset(at + offsetof(kernel::Inode, real_dev), 0, 2 * sizeof(std::uint64_t));
  }
  put_table(out, host.lock);
}

std::vector<FileNumber> file_numbers(const kernel::Host& host) {
  std::vector<FileNumber> out;
  for (std::uint32_t i = 0; i < host.inode.high; ++i) {
    const kernel::Inode& inode = host.inode[i];
    if (inode.used) out.push_back({inode.real_dev, inode.real_ino, inode.number});
  }
  return out;
}

bool unpack(mix::BytesView bytes, std::span<const FileNumber> files, kernel::Host& host) {
  if (!whole(bytes)) return false;
  std::map<std::uint64_t, FileNumber> known;
  for (const FileNumber& file : files)
    known[file.number] = file;
  for (const FileNumber& file : file_numbers(host))
    known[file.number] = file;
  Source from(bytes);
  Counters counters;
  from.take(&counters, sizeof(counters));
  host.next_port = counters.next_port;
  host.next_pid = counters.next_pid;
  host.next_inode = counters.next_inode;
  take_table(from, &host.port);
  take_table(from, &host.inode);
  take_table(from, &host.lock);
  for (std::uint32_t i = 0; i < host.inode.high; ++i) {
    kernel::Inode& inode = host.inode[i];
    const auto file = known.find(inode.number);
    const bool found = inode.used && file != known.end();
    inode.real_dev = found ? file->second.real_dev : kNoFile;
    inode.real_ino = found ? file->second.real_ino : i;
  }
  return true;
}

}  // namespace lab::controller
