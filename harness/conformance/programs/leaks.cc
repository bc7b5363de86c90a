// SPDX-License-Identifier: Apache-2.0
// leaks WHAT: prints something that a machine chooses. Two native runs of it differ; two runs in
// the lab must not. One name a row of the checklist of sources of nondeterminism.
#include <cpuid.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <x86intrin.h>

#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "harness/conformance/programs/cases.h"

namespace {

unsigned long g_sum = 14695981039346656037ul;

void mix(const void* p, size_t n) {
  for (size_t i = 0; i < n; ++i)
    g_sum = (g_sum ^ static_cast<const unsigned char*>(p)[i]) * 1099511628211ul;
}
template <class T>
void value(const T& v) {
  mix(&v, sizeof(v));
}

void clocks() {
  for (clockid_t id : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_REALTIME_COARSE}) {
    timespec t{};
    clock_gettime(id, &t);
    value(t);
  }
  timeval tv{};
  gettimeofday(&tv, nullptr);
  value(tv);
  value(time(nullptr));
  value(clock());
}
void tsc() {
  unsigned aux = 0;
  value(__rdtsc());
  value(__rdtscp(&aux));
}
void entropy() {
  char b[16];
  (void)!getrandom(b, sizeof(b), 0);
  mix(b, sizeof(b));
  (void)!getentropy(b, sizeof(b));
  mix(b, sizeof(b));
  (void)!syscall(SYS_getrandom, b, sizeof(b), 0);
  mix(b, sizeof(b));
  for (const char* path : {"/dev/urandom", "/dev/random"}) {
    FILE* f = fopen(path, "rb");
    if (f == nullptr) continue;
    setvbuf(f, nullptr, _IONBF, 0);
    (void)!fread(b, 1, 8, f);
    mix(b, 8);
    fclose(f);
  }
}
void uuid() {
  FILE* f = fopen("/proc/sys/kernel/random/uuid", "r");
  char b[64] = {};
  if (f != nullptr) (void)!fread(b, 1, 36, f);
  mix(b, sizeof(b));
}
void random_device() {
  std::random_device device;
  for (int i = 0; i < 4; ++i)
    value(device());
}
void at_random() {
  mix(reinterpret_cast<const void*>(getauxval(AT_RANDOM)), 16);
}
void canary() {
  unsigned long canary, guard;
  asm("mov %%fs:0x28, %0" : "=r"(canary));
  asm("mov %%fs:0x30, %0" : "=r"(guard));
  value(canary);
  value(guard);
}
void addresses() {
  static int data;
  int local = 0;
  value(&local);
  value(&data);
  value(malloc(10));
  value(malloc(1 << 20));
  value(reinterpret_cast<void*>(&printf));
}
void pids() {
  value(getpid());
  value(syscall(SYS_gettid));
  int inner = 0;
  std::thread([&] { inner = static_cast<int>(syscall(SYS_gettid)); }).join();
  value(inner);
}
void stack_left() {  // never written by us
  volatile unsigned char bytes[8192];
  asm volatile("" : : "r"(&bytes) : "memory");
  mix(const_cast<unsigned char*>(bytes), sizeof(bytes));
}
void heap_left() {
  for (int i = 0; i < 50; ++i) {
    unsigned char* p = static_cast<unsigned char*>(malloc(2000));
    asm volatile("" : : "r"(p) : "memory");
    mix(p, 2000);
    free(p);
  }
}
void inode() {
  FILE* f = fopen("file", "w");
  fputs("x", f);
  fclose(f);
  for (const char* path : {"file", ".", "/etc/hosts", "/usr"}) {
    struct stat s{};
    stat(path, &s);
    value(s.st_ino);
    value(s.st_dev);
  }
}
void file_time() {
  inode();
  struct stat s{};
  stat("file", &s);
  value(s.st_mtim);
  value(s.st_ctim);
  value(s.st_atim);
}
void pipe_stat() {
  struct stat s{};
  fstat(1, &s);
  mix(&s, sizeof(s));
}
void free_space() {
  struct statvfs s{};
  statvfs(".", &s);
  value(s.f_bfree);
  value(s.f_ffree);
  value(s.f_fsid);
}
void folder_order() {
  for (int i = 0; i < 40; ++i) {
    const std::string name = "f" + std::to_string(i * 7919 % 97);
    fclose(fopen(name.c_str(), "w"));
  }
  DIR* d = opendir(".");
  while (const dirent* e = readdir(d)) {
    mix(e->d_name, strlen(e->d_name));
    value(e->d_ino);
    value(e->d_off);
  }
  closedir(d);
}
void file_text(const char* path) {
  FILE* f = fopen(path, "r");
  char b[4096] = {};
  if (f == nullptr) return;
  const size_t n = fread(b, 1, sizeof(b), f);
  mix(b, n);
  fclose(f);
}
void proc() {
  for (const char* path : {"/proc/self/stat", "/proc/self/maps", "/proc/meminfo", "/proc/uptime",
                           "/proc/loadavg", "/proc/self/status", "/proc/interrupts"})
    file_text(path);
}
void usage() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  mix(&r, sizeof(r));
  struct sysinfo s{};
  sysinfo(&s);
  mix(&s, sizeof(s));
  tms t{};
  value(times(&t));
}
void cpus() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof(set), &set);
  value(CPU_COUNT(&set));
  value(std::thread::hardware_concurrency());
  value(sysconf(_SC_NPROCESSORS_ONLN));
}
void cpu_number() {
  value(sched_getcpu());
  unsigned cpu = 0, node = 0;
  syscall(SYS_getcpu, &cpu, &node, nullptr);
  value(cpu);
}
void cpuid() {
  for (unsigned leaf : {0u, 1u, 4u, 7u, 0xbu, 0x80000001u, 0x80000002u}) {
    unsigned r[4] = {};
    __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]);
    mix(r, sizeof(r));
  }
}
void thread_order() {
  std::mutex m;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&, i] {
      for (int j = 0; j < 200; ++j) {
        std::lock_guard lock(m);
        value(i);
      }
    });
  for (auto& t : threads)
    t.join();
}
void ports() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a = cases::address("127.0.0.1", 0);
  bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof(a));
  value(cases::port_of(fd));
}
void hash_order() {
  std::map<int*, int> by_address;
  for (int i = 0; i < 100; ++i)
    by_address[static_cast<int*>(malloc(16 + static_cast<size_t>(i) * 37))] = i;
  for (const auto& [p, i] : by_address)
    value(i);
  value(std::hash<void*>()(malloc(1)));
}
void host() {
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

const std::map<std::string, std::function<void()>> kLeaks = {{"clocks", clocks},
                                                             {"tsc", tsc},
                                                             {"entropy", entropy},
                                                             {"uuid", uuid},
                                                             {"random_device", random_device},
                                                             {"at_random", at_random},
                                                             {"canary", canary},
                                                             {"addresses", addresses},
                                                             {"pids", pids},
                                                             {"stack_left", stack_left},
                                                             {"heap_left", heap_left},
                                                             {"inode", inode},
                                                             {"file_time", file_time},
                                                             {"pipe_stat", pipe_stat},
                                                             {"free_space", free_space},
                                                             {"folder_order", folder_order},
                                                             {"proc", proc},
                                                             {"usage", usage},
                                                             {"cpus", cpus},
                                                             {"cpu_number", cpu_number},
                                                             {"cpuid", cpuid},
                                                             {"thread_order", thread_order},
                                                             {"ports", ports},
                                                             {"hash_order", hash_order},
                                                             {"host", host}};

}  // namespace

int main(int argc, char** argv) {
  const auto found = kLeaks.find(argc > 1 ? argv[1] : "");
  if (found == kLeaks.end()) {
    for (const auto& [name, leak] : kLeaks)
      printf("%s\n", name.c_str());
    return 64;
  }
  found->second();
  printf("%s %016lx\n", argv[1], g_sum);
}
