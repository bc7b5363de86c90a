// SPDX-License-Identifier: Apache-2.0
// The listing of folders.
#include "harness/kernel/numbers.h"
#include "harness/kernel/paths.h"

namespace lab::kernel {
namespace {

long arg(const void* p) {
  return reinterpret_cast<long>(p);
}

int compare(const char* a, const char* b) {
  while (*a != 0 && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<u8>(*a) - static_cast<u8>(*b);
}

const char* name_at(const u8* buffer, u32 offset) {
  return reinterpret_cast<const char*>(buffer) + offset + 19;
}

}  // namespace

/// getdents64: the whole folder is read each time, sorted by name ("." and ".." sort first among
/// what programs create), numbered by the lab, and continued at the entry where the last call
/// ended.
long call_directory(Kernel& k, Thread& t) {
  Open* o = open_of(k, static_cast<int>(t.args[0]));
  if (o == nullptr) return -lx::kEbadf;
  if (o->kind != Kind::directory) return -lx::kEnotdir;
  u8* buffer = k.p->scratch;
  constexpr u64 room = 192 * 1024;
  constexpr u32 most_entries = 8192;
  u32* order = reinterpret_cast<u32*>(k.p->scratch + room);
  u64 filled = 0;
  real(k, nr::k_lseek, o->real, 0, 0);
  for (;;) {
    const long n =
        real(k, nr::k_getdents64, o->real, arg(buffer + filled), static_cast<long>(room - filled));
    if (n <= 0) break;
    filled += static_cast<u64>(n);
    if (room - filled < 1024) return refuse(k, t, LAB_STOP_CAPACITY, "folder too large to list");
  }
  u32 count = 0;
  for (u64 at = 0; at < filled;) {
    u16 size = 0;
    copy(&size, buffer + at + 16, 2);
    if (count == most_entries) return refuse(k, t, LAB_STOP_CAPACITY, "folder too large to list");
    u32 place = count++;
    for (; place > 0 &&
           compare(name_at(buffer, order[place - 1]), name_at(buffer, static_cast<u32>(at))) > 0;
         --place)
      order[place] = order[place - 1];
    order[place] = static_cast<u32>(at);
    at += size;
  }
  lx::Stat folder;
  real(k, nr::k_newfstatat, o->real, arg(""), arg(&folder), lx::kAtEmptyPath);
  u8* out = reinterpret_cast<u8*>(t.args[1]);
  u64 used = 0;
  for (; o->position < count; ++o->position) {
    const u8* from = buffer + order[o->position];
    u64 ino = 0;
    u16 size = 0;
    copy(&ino, from, 8);
    copy(&size, from + 16, 2);
    if (used + size > static_cast<u64>(t.args[2])) {
      if (used == 0) return -lx::kEinval;
      break;
    }
    const char* name = reinterpret_cast<const char*>(from) + 19;
    const bool dot = name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
    const u64 number = dot ? o->inode : number_of(k, folder.dev, ino).number;
    const i64 next = static_cast<i64>(o->position) + 1;
    zero(out + used, size);
    copy(out + used + 16, from + 16, 3);
    copy(out + used + 19, name, length(name) + 1);
    copy(out + used, &number, 8);
    copy(out + used + 8, &next, 8);
    used += size;
  }
  return static_cast<long>(used);
}

}  // namespace lab::kernel
