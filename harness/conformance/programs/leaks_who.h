// SPDX-License-Identifier: Apache-2.0
// Leaks of who runs a program and where: names, the environment, what root may and nobody else,
// what one file system does and another does not, what a shell lets its programs have. For
// leaks.cc.
#pragma once

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/conformance/programs/leaks_cpu.h"

namespace leaks {

inline void host() {
  utsname u{};
  uname(&u);
  mix(&u, sizeof(u));
  char b[256] = {};
  gethostname(b, sizeof(b));
  mix(b, sizeof(b));
  mix(getcwd(b, sizeof(b)), 10);
  rlimit r{};
  for (auto resource : {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK, RLIMIT_MEMLOCK}) {
    getrlimit(resource, &r);
    value(r);
  }
  value(getuid());
}
/// Names: of the user, of hosts and services, of the locale.
inline void names() {
  const auto text = [](const char* t) {
    if (t != nullptr) mix(t, strlen(t) + 1);
  };
  if (const passwd* me = getpwuid(getuid())) text(me->pw_name), text(me->pw_dir);
  text(getlogin());
  for (const char* name : {"localhost", "no-such-host.invalid"}) {
    addrinfo* found = nullptr;
    value(getaddrinfo(name, "http", nullptr, &found));
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next)
      mix(at->ai_addr, at->ai_addrlen);
    if (found != nullptr) freeaddrinfo(found);
  }
  text(setlocale(LC_ALL, ""));
  text(nl_langinfo(CODESET));
  text(nl_langinfo(D_T_FMT));
  tzset();
  text(tzname[0]);
}
inline void environment() {
  for (char** e = environ; *e != nullptr; ++e)
    mix(*e, strlen(*e) + 1);
  value(environ);
}
inline void auxiliary() {
  for (unsigned long type = 3; type <= 51; ++type)
    if (type != AT_RANDOM) value(getauxval(type));
  mix(reinterpret_cast<const char*>(getauxval(AT_EXECFN)), 1);
  mix(reinterpret_cast<const char*>(getauxval(AT_PLATFORM)), 3);
}
inline void parent() {
  value(getppid());
  value(getpgrp());
  value(getsid(0));
}
/// What the machine's memory decides: pages given back, holes of a file, huge and guarded pages.
inline void memory_advice() {
  auto* page = static_cast<char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *page = 'a';
  const int freed = madvise(page, 4096, MADV_FREE);
  printf("freed %d holds %d, ", freed, *page);
  const int file = open("holes", O_CREAT | O_RDWR, 0600);
  ftruncate(file, 1 << 20);
  printf("data at %ld, hole at %ld, ", static_cast<long>(lseek(file, 4096, SEEK_DATA)),
         static_cast<long>(lseek(file, 4096, SEEK_HOLE)));
  const void* huge = mmap(nullptr, 2 << 20, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  printf("huge %d, guard %d, unknown %d, locked %d\n", huge != MAP_FAILED,
         madvise(page, 4096, 102 /* MADV_GUARD_INSTALL */), madvise(page, 4096, 77),
         mlock(page, 4096));
}
inline bool mapped(void* at, size_t size, int flags) {
  void* got = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (got == MAP_FAILED) return false;
  munmap(got, size);
  return true;
}

inline void privileges() {
  for (unsigned long type : {AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE})
    printf("%lu ", getauxval(type));
  close(open("mine", O_CREAT | O_WRONLY, 0400));
  const int access_ = access("mine", W_OK), open_ = open("mine", O_WRONLY);
  const int noatime = open("/usr/bin/env", O_RDONLY | O_NOATIME);
  printf("write %d open %d noatime %d locked %d page 0 %d\n", access_, open_ >= 0, noatime >= 0,
         mapped(nullptr, 64 << 20, MAP_LOCKED), mapped(nullptr, 4096, MAP_FIXED));
}
inline void file_system() {
  const int file = open("direct", O_CREAT | O_RDWR | O_DIRECT, 0600);
  const long odd = write(file, "odd", 3);
  const int collapse = fallocate(file, FALLOC_FL_COLLAPSE_RANGE, 0, 4096),
            zero = fallocate(file, FALLOC_FL_ZERO_RANGE, 0, 4096),
            plain = fallocate(file, 0, 0, 8192);
  printf("odd write %ld collapse %d zero %d plain %d\n", odd, collapse, zero, plain);
}
/// More than a shell with `ulimit -d` would let it have.
inline void limits() {
  printf("half a gigabyte %d\n", mapped(nullptr, 512 << 20, 0));
}

}  // namespace leaks
