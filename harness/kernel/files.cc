// SPDX-License-Identifier: Apache-2.0
// Files that are open: reading, writing, size, locks, mappings. The real file system does the work
// under the policy of paths.h; writing marks the file with the virtual time.
#include "harness/kernel/numbers.h"
#include "harness/kernel/paths.h"

namespace lab::kernel {
namespace {

long arg(const void* p) {
  return reinterpret_cast<long>(p);
}

Open* file_of(Kernel& k, long fd, long* error) {
  Open* o = open_of(k, static_cast<int>(fd));
  *error = o == nullptr ? -lx::kEbadf : 0;
  return o;
}

long seek(Kernel& k, Open& o, Thread& t) {
  if (o.kind == Kind::virtual_file) {
    const i64 size = static_cast<i64>(k.h->virtual_file[o.object].size);
    const i64 base = t.args[2] == 0 ? 0 : t.args[2] == 1 ? static_cast<i64>(o.position) : size;
    if (t.args[2] > 2 || base + t.args[1] < 0) return -lx::kEinval;
    o.position = static_cast<u64>(base + t.args[1]);
    return static_cast<long>(o.position);
  }
  if (o.kind == Kind::directory) {
    if (t.args[2] != 0 || t.args[1] < 0) return -lx::kEinval;
    o.position = static_cast<u64>(t.args[1]);
    return t.args[1];
  }
  if (o.kind == Kind::null || o.kind == Kind::zero || o.kind == Kind::random) return 0;
  if (o.kind != Kind::file) return -lx::kEspipe;
  constexpr long data = 3, hole = 4;
  if (t.args[2] == data || t.args[2] == hole) {
    // Where a file's holes are, the real file system says by what its cache holds: here it has none
    // but the one behind its end.
    lx::Stat s;
    const long failed = real(k, nr::k_newfstatat, o.real, reinterpret_cast<long>(""),
                             reinterpret_cast<long>(&s), lx::kAtEmptyPath);
    if (failed < 0) return failed;
    if (t.args[1] < 0 || t.args[1] >= static_cast<long>(s.size)) return -lx::kEnxio;
    const long to = t.args[2] == data ? t.args[1] : static_cast<long>(s.size);
    return real(k, nr::k_lseek, o.real, to, 0);
  }
  return real(k, nr::k_lseek, o.real, t.args[1], t.args[2]);
}

/// Advice changes nothing but what is asked for at once: pages that may vanish vanish now, and none
/// is made huge. What is not known here is refused as by an older Linux, and programs fall back:
/// glibc makes its guard pages by mprotect where MADV_GUARD_INSTALL is not there.
long call_madvise(Kernel& k, Thread& t) {
  constexpr long dont_need = 4, free = 8, remove = 9;
  constexpr long dont_need_locked = 24, populate_read = 22, populate_write = 23;
  constexpr long will_need = 3, dont_fork = 10, page_out = 21;
  const long advice = t.args[2];
  switch (advice) {
    case free:
    case dont_need:
    case dont_need_locked:
      return real(k, nr::k_madvise, t.args[0], t.args[1], dont_need);
    case remove:
    case populate_read:
    case populate_write:
      return real(k, nr::k_madvise, t.args[0], t.args[1], advice);
    default:
      break;
  }
  const bool hint =
      (advice >= 0 && advice <= will_need) || (advice >= dont_fork && advice <= page_out);
  return hint && (t.args[0] & 4095) == 0 ? 0 : -lx::kEinval;
}

long at_position(Kernel& k, Open& o, Thread& t) {
  if (o.kind == Kind::virtual_file && t.call == nr::k_pread64) {
    const VirtualFile& file = k.h->virtual_file[o.object];
    const u64 from = static_cast<u64>(t.args[3]);
    if (from >= file.size) return 0;
    const u64 n = least(static_cast<u64>(t.args[2]), file.size - from);
    copy(reinterpret_cast<void*>(t.args[1]), k.h->virtual_bytes + file.offset + from, n);
    return static_cast<long>(n);
  }
  if (o.kind != Kind::file) return o.kind == Kind::directory ? -lx::kEisdir : -lx::kEspipe;
  const long n = real(k, t.call, o.real, t.args[1], t.args[2], t.args[3], t.args[4]);
  if (n > 0 && (t.call == nr::k_pwrite64 || t.call == nr::k_pwritev)) touch(k, o.inode);
  return n;
}

long call_mmap(Kernel& k, Thread& t) {
  constexpr long anonymous = 0x20, shared = 1;
  constexpr long huge = 0x40000;   // from a stock that is the machine's
  constexpr long locked = 0x2000;  // as much as this user may: here nothing is, as for mlock(2)
  const long flags = t.args[3] & ~locked;
  if ((flags & huge) != 0) return -lx::kEnomem;
  long fd = -1;
  if ((flags & anonymous) == 0) {
    Open* o = open_of(k, static_cast<int>(t.args[4]));
    if (o == nullptr) return -lx::kEbadf;
    if (o->kind == Kind::zero)
      return real(k, nr::k_mmap, t.args[0], t.args[1], t.args[2], flags | anonymous, -1, 0);
    if (o->kind == Kind::virtual_file)
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "mapping of a file that only looks like one");
    if (o->kind != Kind::file) return -lx::kEnodev;
    fd = o->real;
    if ((flags & shared) != 0 && (t.args[2] & 2) != 0) touch(k, o->inode);
  }
  return real(k, nr::k_mmap, t.args[0], t.args[1], t.args[2], flags, fd, t.args[5]);
}

i64 lock_end(i64 start, i64 len) {
  return len == 0 ? LAB_NEVER : start + len;
}

const Lock* clash(Kernel& k, u64 inode, bool exclusive, i64 start, i64 end, i32 pid, u32 owner) {
  for (u32 i = 0; i < k.h->lock.high; ++i) {
    const Lock& l = k.h->lock[i];
    if (!l.used || l.inode != inode || l.end <= start || end <= l.start) continue;
    if (l.pid == pid && l.owner == owner) continue;
    if (exclusive || l.exclusive) return &l;
  }
  return nullptr;
}

/// Takes [start, end) out of what this owner holds, splitting where needed. False: table full.
bool carve(Kernel& k, u64 inode, i64 start, i64 end, i32 pid, u32 owner) {
  Host& h = *k.h;
  const u32 high = h.lock.high;
  for (u32 i = 0; i < high; ++i) {
    Lock& l = h.lock[i];
    if (!l.used || l.inode != inode || l.pid != pid || l.owner != owner) continue;
    if (l.end <= start || end <= l.start) continue;
    const Lock old = l;
    h.lock.give(i);
    const i64 parts[2][2] = {{old.start, start}, {end, old.end}};
    for (const auto& part : parts) {
      if (part[0] >= part[1]) continue;
      const i32 made = h.lock.take();
      if (made < 0) return false;
      Lock& rest = h.lock[static_cast<u32>(made)];
      rest.inode = inode;
      rest.pid = pid;
      rest.owner = owner;
      rest.exclusive = old.exclusive;
      rest.start = part[0];
      rest.end = part[1];
    }
  }
  return true;
}

long set_lock(Kernel& k, u64 inode, int type, i64 start, i64 end, i32 pid, u32 owner) {
  constexpr long no_locks = 37;
  if (!carve(k, inode, start, end, pid, owner)) return -no_locks;
  if (type == 2) return 0;
  const i32 made = k.h->lock.take();
  if (made < 0) return -no_locks;
  Lock& l = k.h->lock[static_cast<u32>(made)];
  l.inode = inode;
  l.pid = pid;
  l.owner = owner;
  l.exclusive = type == 1;
  l.start = start;
  l.end = end;
  return 0;
}

struct Range {
  bool good;
  i64 start, end;
};

Range range_of(Kernel& k, const Open& o, const lx::Flock& f) {
  i64 base = 0;
  if (f.whence == 1) base = real(k, nr::k_lseek, o.real, 0, 1);
  if (f.whence == 2) {
    const i64 here = real(k, nr::k_lseek, o.real, 0, 1);
    base = real(k, nr::k_lseek, o.real, 0, 2);
    real(k, nr::k_lseek, o.real, here, 0);
  }
  const i64 start = base + f.start;
  if (f.len < 0) return {start + f.len >= 0, start + f.len, start};
  return {start >= 0, start, lock_end(start, f.len)};
}

/// Only another process can hold it, and nobody tells us when it lets go: ask again every
/// millisecond of virtual time.
long wait_for_lock(Kernel& k, Thread& t) {
  wait_for(k, t, WaitKind::lock);
  t.wait.deadline = deadline_in(k, 1'000'000);
  return kBlocked;
}

long call_flock(Kernel& k, Thread& t) {
  long error = 0;
  Open* o = file_of(k, t.args[0], &error);
  if (error != 0) return error;
  if (o->kind != Kind::file && o->kind != Kind::directory) return -lx::kEbadf;
  const long operation = t.args[1] & ~4;
  const u32 owner = index_of(k, o) + 1;
  // flock's locks and fcntl's do not see each other: another number space.
  const u64 inode = o->inode | u64{1} << 63;
  const int type = operation == 1 ? 0 : operation == 2 ? 1 : 2;
  if (operation != 1 && operation != 2 && operation != 8) return -lx::kEinval;
  if (type != 2 && clash(k, inode, type == 1, 0, LAB_NEVER, k.control->pid, owner) != nullptr)
    return (t.args[1] & 4) != 0 ? -lx::kEagain : wait_for_lock(k, t);
  return set_lock(k, inode, type, 0, LAB_NEVER, k.control->pid, owner);
}

}  // namespace

long file_read(Kernel& k, u32 open, const lx::Iovec* iov, u64 n) {
  return real(k, nr::k_readv, k.p->open[open].real, arg(iov), static_cast<long>(n));
}

long file_write(Kernel& k, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  const long done = real(k, nr::k_writev, o.real, arg(iov), static_cast<long>(n));
  if (done > 0) touch(k, o.inode);
  return done;
}

void file_closed(Kernel& k, const Open& o, u32 open) {
  drop_locks(k, o.inode, k.control->pid, open + 1);
  drop_locks(k, o.inode | u64{1} << 63, k.control->pid, open + 1);
  real(k, nr::k_close, o.real);
}

void drop_locks(Kernel& k, u64 inode, i32 pid, u32 owner) {
  for (u32 i = 0; i < k.h->lock.high; ++i) {
    const Lock& l = k.h->lock[i];
    if (l.used && l.pid == pid && l.owner == owner && (inode == 0 || l.inode == inode))
      k.h->lock.give(i);
  }
}

long file_lock(Kernel& k, Thread& t, Open& o, long command, lx::Flock* f) {
  if (f == nullptr) return -lx::kEfault;
  const bool own = command >= lx::kOfdGetlk;  // locks of the open file description
  const u32 owner = own ? index_of(k, &o) + 1 : 0;
  const Range r = range_of(k, o, *f);
  if (!r.good || f->type < 0 || f->type > 2) return -lx::kEinval;
  const Lock* other = f->type == 2
                          ? nullptr
                          : clash(k, o.inode, f->type == 1, r.start, r.end, k.control->pid, owner);
  if (command == lx::kGetlk || command == lx::kOfdGetlk) {
    if (other == nullptr) {
      f->type = 2;
      return 0;
    }
    f->type = other->exclusive ? 1 : 0;
    f->whence = 0;
    f->start = other->start;
    f->len = other->end == LAB_NEVER ? 0 : other->end - other->start;
    f->pid = other->owner != 0 ? -1 : other->pid;
    return 0;
  }
  const long mode = o.flags & lx::kAccMode;
  if ((f->type == 0 && mode == lx::kWrOnly) || (f->type == 1 && mode == 0)) return -lx::kEbadf;
  if (other != nullptr) {
    if (command == lx::kSetlkw || command == lx::kOfdSetlkw) return wait_for_lock(k, t);
    return -lx::kEagain;
  }
  return set_lock(k, o.inode, f->type, r.start, r.end, k.control->pid, owner);
}

long call_files(Kernel& k, Thread& t, bool* mine) {
  long error = 0;
  Open* o = nullptr;
  switch (t.call) {
    case nr::k_mmap:
      return call_mmap(k, t);
    case nr::k_madvise:
      return call_madvise(k, t);
    case nr::k_mlock:
    case nr::k_mlock2:
    case nr::k_munlock:
    case nr::k_mlockall:
    case nr::k_munlockall:
      return 0;
    case nr::k_flock:
      return call_flock(k, t);
    case nr::k_lseek:
      o = file_of(k, t.args[0], &error);
      return error != 0 ? error : seek(k, *o, t);
    case nr::k_pread64:
    case nr::k_pwrite64:
    case nr::k_preadv:
    case nr::k_pwritev:
      o = file_of(k, t.args[0], &error);
      return error != 0 ? error : at_position(k, *o, t);
    case nr::k_ftruncate:
    case nr::k_fallocate:
      o = file_of(k, t.args[0], &error);
      if (error != 0) return error;
      if (o->kind != Kind::file) return -lx::kEinval;
      // Of its modes those that every file system has: keeping the size, punching a hole.
      if (t.call == nr::k_fallocate && (t.args[1] & ~3L) != 0) return -lx::kEopnotsupp;
      error = real(k, t.call, o->real, t.args[1], t.args[2], t.args[3]);
      if (error == 0) touch(k, o->inode);
      return error;
    case nr::k_fsync:
    case nr::k_fdatasync:
    case nr::k_sync_file_range:
    case nr::k_syncfs:
    case nr::k_fadvise64:
    case nr::k_readahead:
      o = file_of(k, t.args[0], &error);
      return error;
    case nr::k_msync:
    case nr::k_sync:
      return 0;
    case nr::k_copy_file_range:
    case nr::k_sendfile:
      return -lx::kEinval;  // every program has a loop of read and write behind this
    case nr::k_umask: {
      const long old = k.p->umask;
      k.p->umask = static_cast<u16>(t.args[0] & 0777);
      real(k, nr::k_umask, t.args[0] & 0777);
      return old;
    }
    case nr::k_fchmod:
      o = file_of(k, t.args[0], &error);
      if (error != 0 || o->kind != Kind::file) return error != 0 ? error : 0;
      return real(k, t.call, o->real, t.args[1]);
    case nr::k_fchown:
    case nr::k_chown:
    case nr::k_lchown:
    case nr::k_fchownat:
      return 0;  // everything in the folder belongs to the one user there is
    case nr::k_getdents64:
      return call_directory(k, t);
    default:
      return call_paths(k, t, mine);
  }
}

}  // namespace lab::kernel
