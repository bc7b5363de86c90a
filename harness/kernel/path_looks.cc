// SPDX-License-Identifier: Apache-2.0
// The calls that look at a path and change nothing: what is there, what may be done with it.
#include "harness/kernel/numbers.h"
#include "harness/kernel/paths.h"

namespace lab::kernel {
namespace {

long arg(const void* p) {
  return reinterpret_cast<long>(p);
}
const char* text(long a) {
  return reinterpret_cast<const char*>(a);
}

/// What a path outside leads to, opened but not read. Nothing, where a link led to what the machine
/// says of itself.
long open_unread(Kernel& k, const Path& p, bool follow) {
  const long flags = lx::kPath | lx::kCloexec | (follow ? 0 : lx::kNofollow);
  const long fd = real(k, nr::k_openat, p.directory, arg(p.text), flags);
  if (fd < 0 || !of_machine(k, fd)) return fd;
  real(k, nr::k_close, fd);
  return -lx::kEnoent;
}

/// 0 where something is there and may be looked at.
long look_at(Kernel& k, const Path& p, bool follow) {
  if (p.place != Place::outside) return 0;
  const long fd = open_unread(k, p, follow);
  if (fd < 0) return fd;
  return real(k, nr::k_close, fd);
}

void fake_stat(lx::Stat* s, u32 mode, u64 ino, i64 size) {
  zero(s, sizeof(*s));
  s->dev = 3;
  s->ino = ino;
  s->nlink = 1;
  s->mode = mode;
  s->size = size;
  s->blksize = 4096;
}

long stat_open(Kernel& k, Open& o, lx::Stat* s) {
  switch (o.kind) {
    case Kind::file:
    case Kind::directory: {
      const long result = real(k, nr::k_newfstatat, o.real, arg(""), arg(s), lx::kAtEmptyPath);
      if (result < 0) return result;
      if (s->nlink > 0) {
        normalise(k, s, o.object != 0);
      } else {  // unlinked: its real number may be given to another file already
        const i64 size = s->size;
        const u32 mode = s->mode;
        fake_stat(s, mode, o.inode, size);
        s->dev = 1;
        s->nlink = 0;
        s->uid = s->gid = 1000;
      }
      s->ino = o.inode;
      return 0;
    }
    case Kind::socket:
      fake_stat(s, lx::kModeSock | 0777, 0, 0);
      break;
    case Kind::null:
    case Kind::zero:
    case Kind::random:
    case Kind::full:
      fake_stat(s, lx::kModeChr | 0666, 0, 0);
      s->rdev = 0x103;
      break;
    case Kind::virtual_file:
      fake_stat(s, lx::kModeReg | 0444, 100 + o.object,
                static_cast<i64>(k.h->virtual_file[o.object].size));
      break;
    default:
      fake_stat(s, lx::kModeFifo | 0600, 0, 0);
      break;
  }
  if (s->ino == 0) s->ino = 10'000'000 + index_of(k, &o);
  s->uid = s->gid = 1000;
  return 0;
}

}  // namespace

long real_stat(Kernel& k, const Path& p, bool follow, lx::Stat* out) {
  if (p.place != Place::outside)
    return real(k, nr::k_newfstatat, p.directory, arg(p.text), arg(out),
                follow ? 0 : lx::kAtSymlinkNofollow);
  const long fd = open_unread(k, p, follow);
  if (fd < 0) return fd;
  const long result = real(k, nr::k_newfstatat, fd, arg(""), arg(out), lx::kAtEmptyPath);
  real(k, nr::k_close, fd);
  return result;
}

long stat_path(Kernel& k, long fd, const char* name, long flags, lx::Stat* s) {
  if ((flags & lx::kAtEmptyPath) != 0 && (name == nullptr || *name == 0)) {
    if (static_cast<int>(fd) == lx::kAtFdcwd) {
      name = ".";
    } else {
      Open* o = open_of(k, static_cast<int>(fd));
      return o == nullptr ? -lx::kEbadf : stat_open(k, *o, s);
    }
  }
  Path p;
  const long resolved = resolve_path(k, fd, name, &p);
  if (resolved < 0) return resolved;
  switch (p.place) {
    case Place::absent:
      return -lx::kEnoent;
    case Place::device:
      fake_stat(s, lx::kModeChr | 0666, 50 + static_cast<u64>(p.device), 0);
      return 0;
    case Place::virtual_file:
      fake_stat(s, lx::kModeReg | 0444, 100 + p.virtual_index,
                static_cast<i64>(k.h->virtual_file[p.virtual_index].size));
      return 0;
    default:
      break;
  }
  const long result = real_stat(k, p, (flags & lx::kAtSymlinkNofollow) == 0, s);
  if (result == 0) normalise(k, s, p.place == Place::outside);
  return result;
}

namespace {

long call_statx(Kernel& k, Thread& t) {
  lx::Stat s;
  const long result = stat_path(k, t.args[0], text(t.args[1]), t.args[2], &s);
  if (result < 0) return result;
  lx::Statx* x = reinterpret_cast<lx::Statx*>(t.args[4]);
  zero(x, sizeof(*x));
  x->mask = 0x7ff;
  x->blksize = static_cast<u32>(s.blksize);
  x->nlink = static_cast<u32>(s.nlink);
  x->uid = s.uid;
  x->gid = s.gid;
  x->mode = static_cast<u16>(s.mode);
  x->ino = s.ino;
  x->size = static_cast<u64>(s.size);
  x->blocks = static_cast<u64>(s.blocks);
  x->atime = x->mtime = x->ctime = {s.mtime.sec, static_cast<u32>(s.mtime.nsec), 0};
  x->dev_minor = static_cast<u32>(s.dev);
  return 0;
}

long read_link(Kernel& k, long fd, const char* name, char* out, u64 size) {
  static constexpr char program[] = "/lab/program";
  if (same(name, "/proc/self/exe", 15)) {
    const u64 n = least<u64>(sizeof(program) - 1, size);
    copy(out, program, n);
    return static_cast<long>(n);
  }
  Path p;
  const long resolved = resolve_path(k, fd, name, &p);
  if (resolved < 0) return resolved;
  if (p.place == Place::absent) return -lx::kEnoent;
  if (p.place == Place::device || p.place == Place::virtual_file) return -lx::kEinval;
  if (const long error = look_at(k, p, false); error < 0) return error;
  return real(k, nr::k_readlinkat, p.directory, arg(p.text), arg(out), static_cast<long>(size));
}

long accessible(Kernel& k, long fd, const char* name, long mode) {
  Path p;
  const long resolved = resolve_path(k, fd, name, &p);
  if (resolved < 0) return resolved;
  switch (p.place) {
    case Place::absent:
      return -lx::kEnoent;
    case Place::device:
      return 0;
    case Place::virtual_file:
      return (mode & 2) != 0 ? -lx::kEacces : 0;
    case Place::outside:
      if (const long error = look_at(k, p, true); error < 0) return error;
      if ((mode & 2) != 0) return -lx::kErofs;
      break;
    default:
      break;
  }
  return real(k, nr::k_faccessat, p.directory, arg(p.text), mode);
}

}  // namespace

long call_looks(Kernel& k, Thread& t, bool* mine) {
  const long* a = t.args;
  constexpr long cwd = lx::kAtFdcwd;
  switch (t.call) {
    case nr::k_stat:
      return stat_path(k, cwd, text(a[0]), 0, reinterpret_cast<lx::Stat*>(a[1]));
    case nr::k_lstat:
      return stat_path(k, cwd, text(a[0]), lx::kAtSymlinkNofollow,
                       reinterpret_cast<lx::Stat*>(a[1]));
    case nr::k_fstat:
      return stat_path(k, a[0], "", lx::kAtEmptyPath, reinterpret_cast<lx::Stat*>(a[1]));
    case nr::k_newfstatat:
      return stat_path(k, a[0], text(a[1]), a[3], reinterpret_cast<lx::Stat*>(a[2]));
    case nr::k_statx:
      return call_statx(k, t);
    case nr::k_access:
      return accessible(k, cwd, text(a[0]), a[1]);
    case nr::k_faccessat:
    case nr::k_faccessat2:  // AT_EACCESS changes nothing where there is one user
      return accessible(k, a[0], text(a[1]), a[2]);
    case nr::k_readlink:
      return read_link(k, cwd, text(a[0]), reinterpret_cast<char*>(a[1]), static_cast<u64>(a[2]));
    case nr::k_readlinkat:
      return read_link(k, a[0], text(a[1]), reinterpret_cast<char*>(a[2]), static_cast<u64>(a[3]));
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
