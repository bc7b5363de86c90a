// SPDX-License-Identifier: Apache-2.0
// Threads and what they wait with. Only facts that do not depend on who runs first.
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;
using namespace std::chrono_literals;

thread_local int own = 5;
std::atomic<int> destroyed{0};
struct Witness {
  ~Witness() { ++destroyed; }
};
thread_local Witness witness;

void mutexes() {
  std::mutex m;
  long total = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i)
    all.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) {
        const std::lock_guard lock(m);
        ++total;
      }
    });
  for (std::thread& t : all)
    t.join();
  line("total %ld", total);
  m.lock();
  std::thread([&] { line("try_lock of a held one: %d", m.try_lock()); }).join();
  m.unlock();
  std::timed_mutex timed;
  timed.lock();
  std::thread([&] { line("try_lock_for in vain: %d", timed.try_lock_for(5ms)); }).join();
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t checked;
  pthread_mutex_init(&checked, &kind);
  pthread_mutex_lock(&checked);
  line("lock twice: %s", strerrorname_np(pthread_mutex_lock(&checked)));
  std::shared_mutex shared;
  shared.lock_shared();
  std::thread([&] {
    line("shared beside shared: %d, exclusive: %d", shared.try_lock_shared(), shared.try_lock());
  }).join();
}

void conditions() {
  std::mutex m;
  std::condition_variable cv;
  std::vector<int> queue;
  std::thread consumer([&] {
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
      std::unique_lock lock(m);
      cv.wait(lock, [&] { return !queue.empty(); });
      sum += queue.back();
      queue.pop_back();
    }
    line("consumed %d", sum);
  });
  for (int i = 0; i < 100; ++i) {
    {
      const std::lock_guard lock(m);
      queue.push_back(i);
    }
    cv.notify_one();
  }
  consumer.join();
  std::unique_lock lock(m);
  const auto start = std::chrono::steady_clock::now();
  line("wait_for in vain: %d", cv.wait_for(lock, 10ms, [] { return false; }));
  line("took its time: %d", std::chrono::steady_clock::now() - start >= 10ms);
  line("wait_until the past: %d", cv.wait_until(lock, start) == std::cv_status::timeout);
  line("on the wall clock: %d",
       cv.wait_until(lock, std::chrono::system_clock::now() + 5ms) == std::cv_status::timeout);
  int ready = 0;
  std::vector<std::thread> all;
  std::atomic<int> woken{0};
  for (int i = 0; i < 5; ++i)
    all.emplace_back([&] {
      std::unique_lock inner(m);
      cv.wait(inner, [&] { return ready == 1; });
      ++woken;
    });
  ready = 1;
  lock.unlock();
  cv.notify_all();
  for (std::thread& t : all)
    t.join();
  line("notify_all woke %d", woken.load());
}

void others() {
  sem_t s;
  sem_init(&s, 0, 2);
  sem_wait(&s), sem_wait(&s);
  result("sem_trywait", sem_trywait(&s));
  timespec soon{};
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 5'000'000;
  if (soon.tv_nsec >= 1'000'000'000) soon.tv_nsec -= 1'000'000'000, ++soon.tv_sec;
  result("sem_timedwait", sem_timedwait(&s, &soon));
  std::thread poster([&] { sem_post(&s); });
  result("sem_wait", sem_wait(&s));
  poster.join();
  int value = 0;
  sem_getvalue(&s, &value);
  line("value %d", value);
  std::barrier b(4);
  std::atomic<int> phases{0}, wrong{0};
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i)
    all.emplace_back([&] {
      for (int phase = 0; phase < 20; ++phase) {
        ++phases;
        b.arrive_and_wait();
        wrong += phases != 4 * (phase + 1);
        b.arrive_and_wait();
      }
    });
  for (std::thread& t : all)
    t.join();
  line("barrier: phases %d wrong %d", phases.load(), wrong.load());
  std::latch done(3);
  std::counting_semaphore<8> counting(1);
  std::atomic<int> inside{0}, most{0};
  for (int i = 0; i < 3; ++i)
    std::thread([&] {
      counting.acquire();
      const int now = ++inside;
      if (now > most) most = now;
      std::this_thread::sleep_for(1ms);
      --inside;
      counting.release();
      done.count_down();
    }).detach();
  done.wait();
  line("never two inside: %d", most == 1);
  static int once_runs;
  std::once_flag once;
  std::vector<std::thread> more;
  for (int i = 0; i < 4; ++i)
    more.emplace_back([&] { std::call_once(once, [] { ++once_runs; }); });
  for (std::thread& t : more)
    t.join();
  line("call_once ran %d", once_runs);
  std::atomic<int> word{0};
  std::thread notifier([&] {
    word = 1;
    word.notify_all();
  });
  word.wait(0);
  line("atomic wait saw %d", word.load());
  notifier.join();
}

void lives() {
  std::thread([] {
    (void)witness;
    own = 9;
    line("thread_local in the thread %d", own);
  }).join();
  line("thread_local outside %d, destroyed %d", own, destroyed.load());
  auto answer = std::async(std::launch::async, [] { return 42; });
  line("async %d", answer.get());
  auto failing = std::async(std::launch::async, []() -> int { throw 7; });
  try {
    failing.get();
  } catch (int e) {
    line("exception carried over: %d", e);
  }
  boost::asio::thread_pool pool(3);
  std::atomic<int> sum{0};
  for (int i = 1; i <= 100; ++i)
    boost::asio::post(pool, [&sum, i] { sum += i; });
  pool.join();
  line("thread pool %d", sum.load());
  pthread_t t;
  pthread_create(
      &t, nullptr, [](void*) -> void* { pthread_exit(reinterpret_cast<void*>(11)); }, nullptr);
  void* value = nullptr;
  line("join %d", pthread_join(t, &value));
  line("value %ld", reinterpret_cast<long>(value));
  for (int round = 0; round < 30; ++round) {
    std::vector<std::thread> all;
    std::atomic<int> n{0};
    for (int i = 0; i < 8; ++i)
      all.emplace_back([&] { ++n; });
    for (std::thread& one : all)
      one.join();
    if (n != 8) line("lost threads");
  }
  line("240 threads came and went");
  // Blocking in one thread does not keep another from running.
  int ends[2];
  pipe(ends);
  std::thread reader([&] {
    char byte;
    result("read of the other thread", read(ends[0], &byte, 1));
  });
  std::this_thread::sleep_for(2ms);
  write(ends[1], "x", 1);
  reader.join();
}

}  // namespace

int main(int argc, char** argv) {
  struct Named {
    const char* name;
    void (*run)();
  };
  const Named cases[] = {
      {"mutexes", mutexes}, {"conditions", conditions}, {"others", others}, {"lives", lives}};
  for (const Named& c : cases) {
    if (argc > 1 && strcmp(argv[1], c.name) != 0) continue;
    line("-- %s", c.name);
    c.run();
  }
}
