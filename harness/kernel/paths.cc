// SPDX-License-Identifier: Apache-2.0
#include "harness/kernel/paths.h"

#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr char kRoot[] = "/node";
constexpr u64 kRootLength = sizeof(kRoot) - 1;
constexpr u64 kFirstNumber = 1000;

bool starts(const char* text, const char* with) {
  const u64 n = length(with);
  for (u64 i = 0; i < n; ++i)
    if (text[i] != with[i]) return false;
  return text[n] == 0 || text[n] == '/';
}

/// Appends the components of `path` to the absolute, normal path in `out`; "." and ".." as text.
bool append(char* out, const char* path) {
  u64 n = length(out);
  while (*path != 0) {
    while (*path == '/')
      ++path;
    u64 size = 0;
    while (path[size] != 0 && path[size] != '/')
      ++size;
    if (size == 0) break;
    if (size == 2 && path[0] == '.' && path[1] == '.') {
      while (n > 0 && out[n - 1] != '/')
        --n;
      if (n > 0) --n;
    } else if (!(size == 1 && path[0] == '.')) {
      if (n + size + 2 > kPathMax) return false;
      out[n++] = '/';
      copy(out + n, path, size);
      n += size;
    }
    out[n] = 0;
    path += size;
  }
  return true;
}

bool tells_of_machine(const char* path) {
  static constexpr const char* tops[] = {"/proc", "/sys", "/run", "/var/run", "/var/lock"};
  for (const char* top : tops)
    if (starts(path, top)) return true;
  return false;
}

Kind device_of(const char* path) {
  struct Named {
    const char* path;
    Kind kind;
  };
  static constexpr Named known[] = {{"/dev/null", Kind::null},
                                    {"/dev/zero", Kind::zero},
                                    {"/dev/full", Kind::full},
                                    {"/dev/random", Kind::random},
                                    {"/dev/urandom", Kind::random}};
  for (const Named& d : known)
    if (same(path, d.path, length(d.path) + 1)) return d.kind;
  return Kind::none;
}

void classify(Kernel& k, char* absolute, Path* out) {
  out->directory = lx::kAtFdcwd;
  out->device = Kind::none;
  for (u32 i = 0; i < k.h->virtual_count; ++i) {
    if (!same(absolute, k.h->virtual_file[i].path, length(k.h->virtual_file[i].path) + 1)) continue;
    out->place = Place::virtual_file;
    out->virtual_index = i;
    return;
  }
  if (starts(absolute, kRoot)) {
    out->place = Place::folder;
    out->directory = LAB_FD_FOLDER;
    const u64 rest = length(absolute) - kRootLength;
    if (rest <= 1) {
      copy(out->text, ".", 2);
    } else {
      for (u64 i = 0; i < rest; ++i)  // forward over itself
        out->text[i] = absolute[kRootLength + 1 + i];
    }
    return;
  }
  if (starts(absolute, "/dev")) {
    out->device = device_of(absolute);
    out->place = out->device == Kind::none ? Place::absent : Place::device;
  } else if (tells_of_machine(absolute)) {
    out->place = Place::absent;
  } else {
    out->place = Place::outside;
  }
}

}  // namespace

long resolve_path(Kernel& k, long fd, const char* path, Path* out) {
  if (path == nullptr) return -lx::kEfault;
  if (*path == 0) return -lx::kEnoent;
  if (length(path) >= kPathMax - 1) return -lx::kEnametoolong;
  out->text[0] = 0;
  if (*path != '/' && static_cast<int>(fd) != lx::kAtFdcwd) {
    Open* o = open_of(k, static_cast<int>(fd));
    if (o == nullptr) return -lx::kEbadf;
    if (o->kind != Kind::directory) return -lx::kEnotdir;
    for (const char* at = path; *at != 0; ++at)  // ".." could leave the folder unseen
      if (at[0] == '.' && at[1] == '.') return -lx::kEacces;
    out->place = o->object == 0 ? Place::folder : Place::outside;
    out->device = Kind::none;
    out->directory = o->real;
    copy(out->text, path, length(path) + 1);
    return 0;
  }
  if (*path != '/') append(out->text, k.p->cwd);
  if (!append(out->text, path)) return -lx::kEnametoolong;
  if (out->text[0] == 0) copy(out->text, "/", 2);
  classify(k, out->text, out);
  return 0;
}

void program_path(const Path& path, char* out) {
  if (path.place != Place::folder || path.directory != LAB_FD_FOLDER) {
    copy(out, path.text, length(path.text) + 1);
    return;
  }
  copy(out, kRoot, kRootLength + 1);
  if (path.text[0] == '.' && path.text[1] == 0) return;
  out[kRootLength] = '/';
  copy(out + kRootLength + 1, path.text, length(path.text) + 1);
}

Numbered number_of(Kernel& k, u64 real_dev, u64 real_ino) {
  Host& h = *k.h;
  for (u32 i = 0; i < h.inode.high; ++i) {
    const Inode& known = h.inode[i];
    if (known.used && known.real_ino == real_ino && known.real_dev == real_dev)
      return {known.number, known.mtime_ns};
  }
  const i32 i = h.inode.take();
  if (i < 0) {
    refuse(k, current(k), LAB_STOP_CAPACITY, "file numbers of this host used up");
    return {0, 0};
  }
  if (h.next_inode == 0) h.next_inode = kFirstNumber;
  Inode& made = h.inode[static_cast<u32>(i)];
  made.real_dev = real_dev;
  made.real_ino = real_ino;
  made.number = h.next_inode++;
  made.mtime_ns = k.control->wall_epoch_ns;
  return {made.number, made.mtime_ns};
}

void touch(Kernel& k, u64 number) {
  for (u32 i = 0; i < k.h->inode.high; ++i) {
    Inode& known = k.h->inode[i];
    if (!known.used || known.number != number) continue;
    known.mtime_ns = realtime_now(k);
    return;
  }
}

void forget_number(Kernel& k, u64 real_dev, u64 real_ino) {
  for (u32 i = 0; i < k.h->inode.high; ++i)
    if (k.h->inode[i].used && k.h->inode[i].real_ino == real_ino &&
        k.h->inode[i].real_dev == real_dev)
      return k.h->inode.give(i);
}

bool of_machine(Kernel& k, long real_fd) {
  constexpr i64 proc = 0x9fa0, sysfs = 0x62656572;  // wherever they are mounted
  lx::Statfs f;
  if (real(k, nr::k_fstatfs, real_fd, reinterpret_cast<long>(&f)) < 0) return true;
  if (f.type == proc || f.type == sysfs) return true;
  char name[32] = "/proc/self/fd/", path[16] = {};
  u64 digits = 1;
  for (long rest = real_fd; rest >= 10; rest /= 10)
    ++digits;
  for (u64 at = length(name) + digits; digits > 0; --digits, real_fd /= 10)
    name[--at] = static_cast<char>('0' + real_fd % 10);
  const long n = real(k, nr::k_readlinkat, lx::kAtFdcwd, reinterpret_cast<long>(name),
                      reinterpret_cast<long>(path), sizeof(path) - 1);
  return n < 0 || tells_of_machine(path) || starts(path, "/dev");
}

void normalise(Kernel& k, lx::Stat* s, bool outside) {
  const Numbered n = number_of(k, s->dev, s->ino);
  const bool directory = (s->mode & lx::kModeFmt) == lx::kModeDir;
  s->dev = outside ? 2 : 1;
  s->ino = n.number;
  if (directory) {
    s->nlink = 2;
    s->size = 4096;
  }
  s->uid = s->gid = outside ? 0 : 1000;
  s->rdev = 0;
  s->blksize = 4096;
  s->blocks = (s->size + 4095) / 4096 * 8;
  const lx::Timespec when{n.mtime_ns / 1'000'000'000, n.mtime_ns % 1'000'000'000};
  s->atime = s->mtime = s->ctime = when;
  zero(s->unused, sizeof(s->unused));
}

}  // namespace lab::kernel
