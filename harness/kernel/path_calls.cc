// SPDX-License-Identifier: Apache-2.0
// The calls that name a file.
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

void report_opened(Kernel& k, const Path& path) {
  const u64 n = length(path.text);
  if (u8* to = emit(k, LAB_OUT_OPENED, 0, 0, n)) copy(to, path.text, n);
}

long open_virtual(Kernel& k, const Path& p, long flags) {
  const i32 open = p.place == Place::device
                       ? new_open(k, p.device, 0, static_cast<u32>(flags & lx::kAccMode))
                       : new_open(k, Kind::virtual_file, p.virtual_index, 0);
  if (open < 0) return -lx::kEnfile;
  return install(k, static_cast<u32>(open), (flags & lx::kCloexec) != 0);
}

long open_path(Kernel& k, long fd, const char* name, long flags, long mode) {
  Path p;
  const long resolved = resolve_path(k, fd, name, &p);
  if (resolved < 0) return resolved;
  const bool writes = (flags & (lx::kAccMode | lx::kCreat | lx::kTrunc)) != 0;
  switch (p.place) {
    case Place::absent:
      return -lx::kEnoent;
    case Place::device:
      return open_virtual(k, p, flags);
    case Place::virtual_file:
      return writes ? -lx::kEacces : open_virtual(k, p, flags);
    case Place::outside:
      if (writes) return -lx::kErofs;
      break;
    case Place::folder:
      break;
  }
  if ((flags & lx::kTmpfile) == lx::kTmpfile) return -lx::kEopnotsupp;
  // What one file system or user may and another may not is not asked for; a fifo is not waited
  // for.
  constexpr long unasked = lx::kDirect | lx::kNoatime | lx::kAsync;
  const long fd_real = real(k, nr::k_openat, p.directory, arg(p.text),
                            (flags & ~unasked) | lx::kCloexec | lx::kNonblock, mode);
  if (fd_real < 0) return fd_real;
  lx::Stat s;
  real(k, nr::k_newfstatat, fd_real, arg(""), arg(&s), lx::kAtEmptyPath);
  const u32 format = s.mode & lx::kModeFmt;
  if (format != lx::kModeReg && format != lx::kModeDir) {  // fifos, devices: not in the lab
    real(k, nr::k_close, fd_real);
    return -lx::kEnxio;
  }
  const bool outside = p.place == Place::outside;
  if (outside && of_machine(k, fd_real)) {
    real(k, nr::k_close, fd_real);
    return -lx::kEnoent;
  }
  if (outside && format == lx::kModeReg) report_opened(k, p);
  const u32 keep = lx::kAccMode | lx::kAppend | lx::kNonblock;
  const i32 open = new_open(k, format == lx::kModeDir ? Kind::directory : Kind::file, outside,
                            static_cast<u32>(flags) & keep);
  const long made =
      open < 0 ? -lx::kEnfile : install(k, static_cast<u32>(open), (flags & lx::kCloexec) != 0);
  if (made < 0) {
    real(k, nr::k_close, fd_real);
    if (open >= 0) k.p->open.give(static_cast<u32>(open));
    return made;
  }
  Open& o = k.p->open[static_cast<u32>(open)];
  o.real = static_cast<i32>(fd_real);
  o.inode = number_of(k, s.dev, s.ino).number;
  if ((flags & lx::kTrunc) != 0) touch(k, o.inode);
  return made;
}

/// One path of the folder that a call changes.
long changing(Kernel& k, long fd, const char* name, Path* p) {
  const long resolved = resolve_path(k, fd, name, p);
  if (resolved < 0) return resolved;
  if (p->place == Place::folder) return 0;
  return p->place == Place::absent ? -lx::kEnoent : -lx::kErofs;
}

long remove(Kernel& k, long fd, const char* name, long flags) {
  Path p;
  if (const long error = changing(k, fd, name, &p); error < 0) return error;
  lx::Stat s;
  const bool found = real_stat(k, p, false, &s) == 0;
  const long result = real(k, nr::k_unlinkat, p.directory, arg(p.text), flags);
  if (result == 0 && found && (s.nlink == 1 || (flags & lx::kAtRemovedir) != 0))
    forget_number(k, s.dev, s.ino);
  return result;
}

long rename(Kernel& k, long from_fd, const char* from, long to_fd, const char* to, long flags) {
  Path a, b;
  if (const long error = changing(k, from_fd, from, &a); error < 0) return error;
  if (const long error = changing(k, to_fd, to, &b); error < 0) return error;
  lx::Stat moved, old;
  // A folder that can be replaced is empty, and gone, however many links it has.
  const bool replaces = real_stat(k, b, false, &old) == 0 &&
                        (old.nlink == 1 || (old.mode & lx::kModeFmt) == lx::kModeDir);
  const bool known = real_stat(k, a, false, &moved) == 0;
  const long result =
      real(k, nr::k_renameat2, a.directory, arg(a.text), b.directory, arg(b.text), flags);
  if (result == 0 && replaces && known && moved.ino != old.ino && (flags & 2) == 0)
    forget_number(k, old.dev, old.ino);
  return result;
}

long two_paths(Kernel& k, Thread& t, long from_fd, long from, long to_fd, long to, long flags) {
  Path a, b;
  if (const long error = changing(k, from_fd, text(from), &a); error < 0) return error;
  if (const long error = changing(k, to_fd, text(to), &b); error < 0) return error;
  (void)t;
  return real(k, nr::k_linkat, a.directory, arg(a.text), b.directory, arg(b.text), flags);
}

/// Whether a part of the path is "..".
bool climbs(const char* path) {
  for (const char* at = path; *at != 0; ++at)
    if ((at == path || at[-1] == '/') && at[0] == '.' && at[1] == '.' &&
        (at[2] == 0 || at[2] == '/'))
      return true;
  return false;
}

long make_symlink(Kernel& k, const char* target, long fd, const char* name) {
  Path p;
  if (*target == '/' || climbs(target)) return -lx::kEacces;  // may lead out of the folder
  if (const long error = changing(k, fd, name, &p); error < 0) return error;
  return real(k, nr::k_symlinkat, arg(target), p.directory, arg(p.text));
}

long change_mode(Kernel& k, long fd, const char* name, long mode) {
  Path p;
  if (const long error = changing(k, fd, name, &p); error < 0) return error;
  return real(k, nr::k_fchmodat, p.directory, arg(p.text), mode);
}

long make_directory(Kernel& k, long fd, const char* name, long mode) {
  Path p;
  const long resolved = resolve_path(k, fd, name, &p);
  if (resolved < 0) return resolved;
  if (p.place == Place::outside) {  // mkdir -p over existing folders
    lx::Stat s;
    return real_stat(k, p, true, &s) == 0 ? -lx::kEexist : -lx::kErofs;
  }
  if (p.place != Place::folder) return -lx::kEexist;
  return real(k, nr::k_mkdirat, p.directory, arg(p.text), mode);
}

long set_times(Kernel& k, Thread& t) {
  lx::Stat s;
  Open* o = nullptr;
  if (t.args[1] == 0) {
    o = open_of(k, static_cast<int>(t.args[0]));
    if (o == nullptr) return -lx::kEbadf;
    touch(k, o->inode);
    return 0;
  }
  const long result = stat_path(k, t.args[0], text(t.args[1]), t.args[3], &s);
  if (result == 0) touch(k, s.ino);  // explicit times are not kept: the lab's clock is
  return result;
}

long change_folder(Kernel& k, const char* name) {
  Path p;
  const long resolved = resolve_path(k, lx::kAtFdcwd, name, &p);
  if (resolved < 0) return resolved;
  if (p.place != Place::folder && p.place != Place::outside) return -lx::kEnoent;
  lx::Stat s;
  const long found = real_stat(k, p, true, &s);
  if (found < 0) return found;
  if ((s.mode & lx::kModeFmt) != lx::kModeDir) return -lx::kEnotdir;
  program_path(p, k.p->cwd);
  return 0;
}

long file_system(lx::Statfs* s) {
  zero(s, sizeof(*s));
  s->type = 0xef53;
  s->bsize = s->frsize = 4096;
  s->blocks = 1 << 20;
  s->bfree = s->bavail = 1 << 19;
  s->files = 1 << 20;
  s->ffree = 1 << 19;
  s->namelen = 255;
  return 0;
}

}  // namespace

long call_paths(Kernel& k, Thread& t, bool* mine) {
  const long* a = t.args;
  constexpr long cwd = lx::kAtFdcwd;
  switch (t.call) {
    case nr::k_open:
      return open_path(k, cwd, text(a[0]), a[1], a[2]);
    case nr::k_openat:
      return open_path(k, a[0], text(a[1]), a[2], a[3]);
    case nr::k_creat:
      return open_path(k, cwd, text(a[0]), lx::kCreat | lx::kTrunc | lx::kWrOnly, a[1]);
    case nr::k_unlink:
      return remove(k, cwd, text(a[0]), 0);
    case nr::k_rmdir:
      return remove(k, cwd, text(a[0]), lx::kAtRemovedir);
    case nr::k_unlinkat:
      return remove(k, a[0], text(a[1]), a[2]);
    case nr::k_rename:
      return rename(k, cwd, text(a[0]), cwd, text(a[1]), 0);
    case nr::k_renameat:
      return rename(k, a[0], text(a[1]), a[2], text(a[3]), 0);
    case nr::k_renameat2:
      return rename(k, a[0], text(a[1]), a[2], text(a[3]), a[4]);
    case nr::k_link:
      return two_paths(k, t, cwd, a[0], cwd, a[1], 0);
    case nr::k_linkat:
      return two_paths(k, t, a[0], a[1], a[2], a[3], a[4]);
    case nr::k_symlink:
      return make_symlink(k, text(a[0]), cwd, text(a[1]));
    case nr::k_symlinkat:
      return make_symlink(k, text(a[0]), a[1], text(a[2]));
    case nr::k_mkdir:
      return make_directory(k, cwd, text(a[0]), a[1]);
    case nr::k_mkdirat:
      return make_directory(k, a[0], text(a[1]), a[2]);
    case nr::k_chmod:
      return change_mode(k, cwd, text(a[0]), a[1]);
    case nr::k_fchmodat:
      return change_mode(k, a[0], text(a[1]), a[2]);
    case nr::k_utimensat:
      return set_times(k, t);
    case nr::k_truncate: {
      Path p;
      if (const long error = changing(k, cwd, text(a[0]), &p); error < 0) return error;
      const long fd = real(k, nr::k_openat, p.directory, arg(p.text), lx::kWrOnly);
      if (fd < 0) return fd;
      const long result = real(k, nr::k_ftruncate, fd, a[1]);
      real(k, nr::k_close, fd);
      return result;
    }
    case nr::k_getcwd: {
      const u64 n = length(k.p->cwd) + 1;
      if (n > static_cast<u64>(a[1])) return -lx::kErange;
      copy(reinterpret_cast<void*>(a[0]), k.p->cwd, n);
      return static_cast<long>(n);
    }
    case nr::k_chdir:
      return change_folder(k, text(a[0]));
    case nr::k_fchdir:
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "fchdir is not simulated: chdir is");
    case nr::k_statfs:
      return file_system(reinterpret_cast<lx::Statfs*>(a[1]));
    case nr::k_fstatfs:
      return file_system(reinterpret_cast<lx::Statfs*>(a[1]));
    default:
      return call_looks(k, t, mine);
  }
}

}  // namespace lab::kernel
