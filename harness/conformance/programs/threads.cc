// SPDX-License-Identifier: Apache-2.0
// Threads: mutexes, condition variables, joins, detached ends, thread-local data, many of them.
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/conformance/programs/say.h"

using namespace std::chrono_literals;

namespace {

thread_local int g_mine = 7;

void ping_pong() {
  std::mutex m;
  std::condition_variable changed;
  int turn = 0;
  std::string log;
  const auto player = [&](int me, char name) {
    for (int i = 0; i < 5; ++i) {
      std::unique_lock lock(m);
      changed.wait(lock, [&] { return turn == me; });
      log += name;
      turn = 1 - me;
      changed.notify_all();
    }
  };
  std::thread a(player, 0, 'a'), b(player, 1, 'b');
  a.join();
  b.join();
  printf("ping-pong %s\n", log.c_str());
}

void time_outs() {
  std::mutex m;
  std::condition_variable never;
  std::unique_lock lock(m);
  printf("wait_for: %s\n",
         never.wait_for(lock, 2ms) == std::cv_status::timeout ? "timeout" : "woken");
  printf("wait_until: %s\n",
         never.wait_until(lock, std::chrono::system_clock::now() + 2ms) == std::cv_status::timeout
             ? "timeout"
             : "woken");
  lock.unlock();
  std::timed_mutex held;
  held.lock();
  std::thread([&] { printf("try_lock_for: %d\n", held.try_lock_for(2ms)); }).join();
  sem_t sem;
  sem_init(&sem, 0, 1);
  printf("sem_wait %d\n", sem_wait(&sem));
  printf("sem_trywait %s\n", say::outcome(sem_trywait(&sem)).c_str());
}

void futures() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  std::thread t([&] {
    g_mine = 9;
    std::this_thread::sleep_for(1ms);
    promise.set_value(g_mine);
  });
  printf("future %d, mine %d\n", future.get(), g_mine);
  t.join();
  auto later = std::async(std::launch::async, [] { return g_mine; });
  printf("async %d\n", later.get());
}

void many() {
  std::atomic<long> sum{0};
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] { sum += i; });
    for (std::thread& t : threads)
      t.join();
  }
  printf("sum %ld\n", sum.load());
  std::latch done(20);
  for (int i = 0; i < 20; ++i)
    std::thread([&] { done.count_down(); }).detach();
  done.wait();
  printf("detached\n");
}

void pipe_between() {
  int p[2];
  (void)!pipe(p);
  std::thread writer([&] {
    std::this_thread::sleep_for(1ms);
    (void)!write(p[1], "across", 6);
  });
  char b[16];
  say::show("read from another thread", read(p[0], b, sizeof(b)));
  writer.join();
  close(p[0]);
  close(p[1]);
}

void* early(void*) {
  pthread_exit(reinterpret_cast<void*>(5));
}

void plain() {
  pthread_t t;
  void* result = nullptr;
  pthread_create(&t, nullptr, early, nullptr);
  pthread_join(t, &result);
  printf("pthread_exit %ld\n", reinterpret_cast<long>(result));
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_rwlock_rdlock(&lock);
  printf("rwlock %s\n", say::error_name(pthread_rwlock_trywrlock(&lock)));
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  std::atomic<int> serial{0};
  const auto arrive = [&] {
    serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
  };
  std::thread a(arrive), b(arrive);
  arrive();
  a.join();
  b.join();
  printf("serial %d\n", serial.load());
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  ping_pong();
  time_outs();
  futures();
  many();
  pipe_between();
  plain();
}
