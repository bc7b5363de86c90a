// SPDX-License-Identifier: Apache-2.0
// The file policy: what a path of the program means. The program's folder is /node (its HOME and
// first working folder), whatever it is called really. Elsewhere is read-only, and every file read
// there is reported; /proc and /sys exist only as far as the run gave contents for them; of /dev
// only null, zero, full, random and urandom.
#pragma once

#include "harness/kernel/internal.h"

namespace lab::kernel {

enum class Place : u8 { folder, outside, device, virtual_file, absent };

struct Path {
  Place place;
  Kind device;
  u32 virtual_index;
  i32 directory;        ///< real descriptor to resolve `text` from, or AT_FDCWD
  char text[kPathMax];  ///< folder: relative to the folder ("." for itself); outside: absolute
};

/// 0 or -errno. Relative paths start at `fd` (AT_FDCWD: the program's working folder).
long resolve_path(Kernel& k, long fd, const char* path, Path* out);
/// The path as the program would name it.
void program_path(const Path& path, char* out);

struct Numbered {
  u64 number;
  i64 mtime_ns;
};
/// The lab's number and time of a real file; gives the next number to a new one.
Numbered number_of(Kernel& k, u64 real_dev, u64 real_ino);
void touch(Kernel& k, u64 number);
void forget_number(Kernel& k, u64 real_dev, u64 real_ino);
/// Whether that open file is of those places outside that hold nothing here (/proc, /sys, /dev),
/// to which a link may have led.
bool of_machine(Kernel& k, long real_fd);
/// stat(2) of the real file, where it may be looked at.
long real_stat(Kernel& k, const Path& p, bool follow, lx::Stat* out);
/// As the program sees it.
long stat_path(Kernel& k, long fd, const char* name, long flags, lx::Stat* s);
/// Replaces what a machine would show by what every run shows.
void normalise(Kernel& k, lx::Stat* s, bool outside);
long call_directory(Kernel& k, Thread& t);
long call_paths(Kernel& k, Thread& t, bool* mine);
long call_looks(Kernel& k, Thread& t, bool* mine);

}  // namespace lab::kernel
