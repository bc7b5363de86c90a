// SPDX-License-Identifier: Apache-2.0
// leaks WHAT: prints something that a machine chooses. Two native runs of it differ; two runs in
// the lab must not. One name a row of the checklist of sources of nondeterminism.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>

#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "harness/conformance/programs/leaks_cpu.h"
#include "harness/conformance/programs/leaks_who.h"
#include "harness/conformance/programs/say.h"

namespace {

using namespace leaks;

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
/// By each way that libstdc++ knows: what it refuses on this processor is one value.
void random_tokens() {
  for (const char* token :
       {"rdrand", "rdseed", "hw", "getentropy", "arc4random", "/dev/urandom", "/dev/random"}) {
    try {
      std::random_device device(token);
      value(device());
      value(device());
    } catch (const std::exception&) {
      value(token[0]);
    }
  }
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
  sockaddr_in a = say::ipv4("127.0.0.1", 0);
  bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof(a));
  value(say::port_of(fd));
}
void hash_order() {
  std::map<int*, int> by_address;
  for (int i = 0; i < 100; ++i)
    by_address[static_cast<int*>(malloc(16 + static_cast<size_t>(i) * 37))] = i;
  for (const auto& [p, i] : by_address)
    value(i);
  value(std::hash<void*>()(malloc(1)));
}
void raw_clocks() {  // past every wrapper: the call itself
  for (long id : {0L, 1L, 4L, 7L, 11L}) {
    timespec t{};
    syscall(SYS_clock_gettime, id, &t);
    value(t);
  }
  timeval tv{};
  syscall(SYS_gettimeofday, &tv, nullptr);
  value(tv);
  value(syscall(SYS_time, nullptr));
}
void temporary_names() {
  char path[] = "nameXXXXXX";
  close(mkstemp(path));
  mix(path, sizeof(path));
  char folder[] = "folderXXXXXX";
  (void)!mkdtemp(folder);
  mix(folder, sizeof(folder));
  FILE* f = tmpfile();
  value(f != nullptr);
}
void sqlite_random() {
  sqlite3* db = nullptr;
  sqlite3_open("base.sqlite", &db);
  sqlite3_exec(
      db, "select hex(randomblob(16)), random(), datetime('now'), julianday('now')",
      [](void*, int n, char** v, char**) {
        for (int i = 0; i < n; ++i)
          mix(v[i], strlen(v[i]));
        return 0;
      },
      nullptr, nullptr);
  sqlite3_close(db);
}
void descriptors() {
  value(dup(1));
  value(open("/dev/null", O_RDONLY));
  value(epoll_create1(0));
  for (int fd = 0; fd < 100; ++fd)
    value(fcntl(fd, F_GETFD));
}
void dates() {
  const time_t now = time(nullptr);
  char text[64];
  strftime(text, sizeof(text), "%c %Z %z", localtime(&now));
  mix(text, strlen(text));
}
void load() {
  double average[3] = {};
  value(getloadavg(average, 3));
  value(average);
  value(sysconf(_SC_AVPHYS_PAGES));
  value(sysconf(_SC_PHYS_PAGES));
}
void fresh_pages() {
  auto* p = static_cast<unsigned char*>(
      mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  value(p);
  mix(p, 1 << 20);
}
void thread_ids() {
  value(pthread_self());
  value(std::this_thread::get_id());
  unsigned long inside = 0;
  std::thread([&] { inside = pthread_self(); }).join();
  value(inside);
}
/// Wake-ups at one instant: the order in which sleepers of one length come back.
void wake_order() {
  std::mutex m;
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&, i] {
      usleep(3000);
      const std::lock_guard lock(m);
      value(i);
    });
  for (auto& t : threads)
    t.join();
}
const std::map<std::string, std::function<void()>> kLeaks = {{"raw_clocks", raw_clocks},
                                                             {"vdso", vdso},
                                                             {"temporary_names", temporary_names},
                                                             {"sqlite_random", sqlite_random},
                                                             {"environment", environment},
                                                             {"auxiliary", auxiliary},
                                                             {"parent", parent},
                                                             {"descriptors", descriptors},
                                                             {"dates", dates},
                                                             {"load", load},
                                                             {"fresh_pages", fresh_pages},
                                                             {"thread_ids", thread_ids},
                                                             {"wake_order", wake_order},
                                                             {"floating_point", floating_point},
                                                             {"vdso_random", vdso_random},
                                                             {"names", names},
                                                             {"self_speed", self_speed},
                                                             {"cpu_flags", cpu_flags},
                                                             {"lazy_binding", lazy_binding},
                                                             {"memory_advice", memory_advice},
                                                             {"vdso_found", vdso_found},
                                                             {"fault_frame", fault_frame},
                                                             {"privileges", privileges},
                                                             {"file_system", file_system},
                                                             {"limits", limits},
                                                             {"x87_unasked", x87_unasked},
                                                             {"rdpid_unasked", rdpid_unasked},
                                                             {"lsl_unasked", lsl_unasked},
                                                             {"rdrand_unasked", rdrand_unasked},
                                                             {"rdrand_unsaid", rdrand_unsaid},
                                                             {"clocks", clocks},
                                                             {"tsc", tsc},
                                                             {"entropy", entropy},
                                                             {"uuid", uuid},
                                                             {"random_device", random_device},
                                                             {"random_tokens", random_tokens},
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
    for (const auto& [name, call] : kLeaks)
      printf("%s\n", name.c_str());
    return 64;
  }
  found->second();
  printf("%s %016lx\n", argv[1], g_sum);
}
