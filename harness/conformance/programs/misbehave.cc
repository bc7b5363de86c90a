// SPDX-License-Identifier: Apache-2.0
// misbehave HOW: does what the lab refuses, reports or ends.
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

void busy_until(long ns) {
  timespec t{};
  do
    clock_gettime(CLOCK_MONOTONIC, &t);
  while (t.tv_sec * 1'000'000'000 + t.tv_nsec < ns);
  printf("time passed\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  if (how == "fork") {
    if (fork() == 0) _exit(0);
  } else if (how == "exec") {
    execl("/bin/true", "true", nullptr);
  } else if (how == "spawn") {
    pid_t pid = 0;
    char* arguments[] = {const_cast<char*>("true"), nullptr};
    posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, nullptr);
  } else if (how == "unknown") {
    syscall(SYS_io_setup, 1, nullptr);
  } else if (how == "clock") {
    const timespec t{1, 0};
    clock_settime(CLOCK_REALTIME, &t);
  } else if (how == "int80") {
    long result = 20;  // getpid of the 32-bit interface
    asm volatile("int $0x80" : "+a"(result));
  } else if (how == "busy") {
    busy_until(3'000'000'000);
  } else if (how == "yield") {
    std::atomic<bool> go{false};
    std::thread t([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      go = true;
    });
    while (!go)
      sched_yield();
    t.join();
    printf("time passed\n");
  } else if (how == "spin") {
    for (;;)
      asm volatile("");
  } else if (how == "deadlock") {
    std::mutex m;
    m.lock();
    m.lock();
  } else if (how == "write-outside") {
    say::show("open", open("/tmp/mixlab-must-not-exist", O_CREAT | O_WRONLY, 0600));
  } else if (how == "read-outside") {
    say::show("open", open("/etc/debian_version", O_RDONLY) >= 0 ? 0 : -1);
  } else if (how == "real-kill") {
    pause();
  } else if (how == "block-signals") {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    signal(SIGSYS, SIG_IGN);
    say::show("getppid", getppid() > 0 ? 0 : -1);
    printf("%ld\n", syscall(SYS_getppid));
  } else if (how == "io_uring") {
    say::show("io_uring_setup", syscall(SYS_io_uring_setup, 8, nullptr));
  } else if (how == "shmget") {
    shmget(IPC_PRIVATE, 4096, 0600);
  } else if (how == "shm_open") {
    say::show("shm_open", shm_open("/mixlab-must-not-exist", O_CREAT | O_RDWR, 0600));
  } else if (how == "map_shared") {
    const int fd = open("/etc/debian_version", O_RDONLY);
    void* p = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    say::show("mmap", p == MAP_FAILED ? -1 : 0);
  } else if (how == "record") {
    (void)!write(3, "record", 6);
    (void)!write(2, "error", 5);
    printf("log\n");
  } else {
    return 64;
  }
}
