// SPDX-License-Identifier: Apache-2.0
// Who and where a program is: numbers that a machine would give, and that every run gives alike.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

struct Utsname {
  char text[6][65];
};

void put(char* to, const char* text) {
  copy(to, text, length(text) + 1);
}

long call_uname(Utsname* u) {
  zero(u, sizeof(*u));
  put(u->text[0], "Linux");
  put(u->text[1], "lab");
  put(u->text[2], "6.1.0-lab");
  put(u->text[3], "#1 SMP mixlab");
  put(u->text[4], "x86_64");
  put(u->text[5], "(none)");
  return 0;
}

struct Sysinfo {
  i64 uptime;
  u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
  u16 procs, pad0;
  u32 pad1;
  u64 totalhigh, freehigh;
  u32 unit;
  u32 pad2;
};

long call_sysinfo(Kernel& k, Sysinfo* s) {
  zero(s, sizeof(*s));
  s->uptime = monotonic_now(k) / 1'000'000'000;
  s->totalram = u64{4} << 30;
  s->freeram = u64{2} << 30;
  s->procs = 1;
  s->unit = 1;
  return 0;
}

struct Rlimit {
  u64 now, most;
};
constexpr u64 kInfinite = ~u64{0};

Rlimit limit_of(long resource) {
  switch (resource) {
    case 3:
      return {8u << 20, kInfinite};  // stack
    case 4:
      return {0, 0};  // core
    case 6:
      return {4096, 4096};  // processes
    case 7:
      return {kMaxFds, kMaxFds};  // descriptors
    case 8:
      return {8u << 20, 8u << 20};  // locked memory
    case 11:
      return {4096, 4096};  // pending signals
    case 12:
      return {819200, 819200};
    case 13:
    case 14:
      return {0, 0};
    default:
      return {kInfinite, kInfinite};
  }
}

long call_rlimit(long resource, const Rlimit* next, Rlimit* old) {
  if (resource < 0 || resource > 15) return -lx::kEinval;
  const Rlimit limit = limit_of(resource);
  if (next != nullptr && next->now > limit.most) return -lx::kEperm;
  if (old != nullptr) *old = limit;  // a limit that a program sets is accepted and changes nothing
  return 0;
}

long call_rusage(Kernel& k, u8* out) {
  zero(out, 144);
  const i64 now = monotonic_now(k);
  const lx::Timeval user{now / 1'000'000'000, now % 1'000'000'000 / 1000};
  copy(out, &user, sizeof(user));
  const i64 resident_kib = 16384;
  copy(out + 32, &resident_kib, sizeof(resident_kib));
  return 0;
}

long call_affinity(Kernel& k, long size, u8* mask) {
  if (size < 8) return -lx::kEinval;
  zero(mask, 8);
  for (u32 cpu = 0; cpu < most(k.control->cpus, 1u); ++cpu)
    mask[cpu / 8] |= static_cast<u8>(1u << (cpu % 8));
  return 8;
}

long call_prctl(Kernel& k, Thread& t) {
  constexpr long set_pdeathsig = 1, get_pdeathsig = 2, get_dumpable = 3, set_dumpable = 4;
  constexpr long set_name = 15, get_name = 16, set_no_new_privs = 38, get_no_new_privs = 39;
  constexpr long set_vma = 0x53564d41, set_timerslack = 29, capbset_read = 23, set_thp = 41;
  switch (t.args[0]) {
    case set_pdeathsig:
    case set_dumpable:
    case set_name:
    case set_no_new_privs:
    case set_timerslack:
    case set_thp:
      return 0;
    case get_dumpable:
    case get_no_new_privs:
      return 1;
    case get_pdeathsig:
      *reinterpret_cast<int*>(t.args[1]) = 0;
      return 0;
    case capbset_read:
      return 0;
    case get_name:
      zero(reinterpret_cast<void*>(t.args[1]), 16);
      copy(reinterpret_cast<void*>(t.args[1]), "node", 4);
      return 0;
    case set_vma:
      return -lx::kEinval;
    default:
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "this prctl is not simulated");
  }
}

}  // namespace

long call_identity(Kernel& k, Thread& t, bool* mine) {
  u32* ids = reinterpret_cast<u32*>(t.args[0]);
  switch (t.call) {
    case nr::k_getrandom:
      // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE; the last two exclude each other.
      if ((t.args[2] & ~7L) != 0 || (t.args[2] & 6) == 6) return -lx::kEinval;
      if (t.args[0] == 0 && t.args[1] != 0) return -lx::kEfault;
      fill_random(k, reinterpret_cast<u8*>(t.args[0]), static_cast<u64>(t.args[1]));
      return t.args[1];
    case nr::k_getpid:
    case nr::k_getpgrp:
    case nr::k_getpgid:
    case nr::k_getsid:
    case nr::k_setsid:
      return k.control->pid;
    case nr::k_getppid:
      return 1;
    case nr::k_setpgid:
      return 0;
    case nr::k_getuid:
    case nr::k_geteuid:
    case nr::k_getgid:
    case nr::k_getegid:
      return kUser;
    case nr::k_getresuid:
    case nr::k_getresgid:
      for (int i = 0; i < 3; ++i)
        *reinterpret_cast<u32*>(t.args[i]) = kUser;
      return 0;
    case nr::k_getgroups:
      if (t.args[0] > 0) *reinterpret_cast<u32*>(t.args[1]) = kUser;
      return 1;
    case nr::k_uname:
      return call_uname(reinterpret_cast<Utsname*>(t.args[0]));
    case nr::k_sysinfo:
      return call_sysinfo(k, reinterpret_cast<Sysinfo*>(t.args[0]));
    case nr::k_getrusage:
      return call_rusage(k, reinterpret_cast<u8*>(t.args[1]));
    case nr::k_times:
      if (t.args[0] != 0) zero(ids, 32);
      return monotonic_now(k) / 10'000'000;
    case nr::k_getcpu:
      if (t.args[0] != 0) *ids = 0;
      if (t.args[1] != 0) *reinterpret_cast<u32*>(t.args[1]) = 0;
      return 0;
    case nr::k_sched_getaffinity:
      return call_affinity(k, t.args[1], reinterpret_cast<u8*>(t.args[2]));
    case nr::k_sched_setaffinity:
    case nr::k_sched_setscheduler:
    case nr::k_setpriority:
      return 0;
    case nr::k_sched_getparam:
      *reinterpret_cast<int*>(t.args[1]) = 0;
      return 0;
    case nr::k_sched_getscheduler:
      return 0;
    case nr::k_sched_get_priority_max:
    case nr::k_sched_get_priority_min:
      return t.args[0] == 1 || t.args[0] == 2 ? (t.call == nr::k_sched_get_priority_max ? 99 : 1)
                                              : 0;
    case nr::k_getpriority:
      return 20;
    case nr::k_prlimit64:
      if (t.args[0] != 0 && t.args[0] != k.control->pid) return -lx::kEsrch;
      return call_rlimit(t.args[1], reinterpret_cast<const Rlimit*>(t.args[2]),
                         reinterpret_cast<Rlimit*>(t.args[3]));
    case nr::k_getrlimit:
      return call_rlimit(t.args[0], nullptr, reinterpret_cast<Rlimit*>(t.args[1]));
    case nr::k_setrlimit:
      return call_rlimit(t.args[0], reinterpret_cast<const Rlimit*>(t.args[1]), nullptr);
    case nr::k_prctl:
      return call_prctl(k, t);
    case nr::k_capget:
      if (t.args[1] != 0) zero(reinterpret_cast<void*>(t.args[1]), 24);
      return 0;
    case nr::k_arch_prctl:
      // Set and get of FS and GS; CET status (0x3001) is asked by newer loaders.
      if (t.args[0] >= 0x1001 && t.args[0] <= 0x1004) return kNative;
      if (t.args[0] == 0x3001) return -lx::kEinval;
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "would change what CPUID answers");
    case nr::k_io_uring_setup:
    case nr::k_userfaultfd:
    case nr::k_memfd_create:
    case nr::k_inotify_init:
    case nr::k_inotify_init1:
    case nr::k_get_mempolicy:
    case nr::k_set_mempolicy:
    case nr::k_mbind:
    case nr::k_perf_event_open:
    case nr::k_statmount:
    case nr::k_listmount:
    case nr::k_map_shadow_stack:
    case nr::k_futex_waitv:
    case nr::k_futex_wake:
    case nr::k_futex_wait:
    case nr::k_futex_requeue:
    case nr::k_cachestat:
    case nr::k_mseal:
    case nr::k_landlock_create_ruleset:
    case nr::k_pkey_alloc:
    case nr::k_pkey_free:
    case nr::k_pkey_mprotect:
      return -lx::kEnosys;
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
