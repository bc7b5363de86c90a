// SPDX-License-Identifier: Apache-2.0
// Messages a second through the store, as a busy provider would ask: bursts handed over at once,
// and waited for.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "src/prelude/check.h"
#include "src/store/store.h"

namespace mix::store {
namespace {

/// The loop of a program that does nothing but wait for its store.
class Loop {
 public:
  Store::Post post() {
    return [this](std::move_only_function<void()> answer) {
      const std::unique_lock lock(x_mutex);
      x_answers.push_back(std::move(answer));
      x_came.notify_one();
    };
  }
  void wait(const Store& store) {
    while (store.queued() > 0) {
      std::vector<std::move_only_function<void()>> answers;
      {
        std::unique_lock lock(x_mutex);
        x_came.wait(lock, [&] { return !x_answers.empty(); });
        answers.swap(x_answers);
      }
      for (auto& answer : answers)
        answer();
    }
  }

 private:
  std::mutex x_mutex;
  std::condition_variable x_came;
  std::vector<std::move_only_function<void()>> x_answers;
};

struct World {
  World() {
    char name[] = "/tmp/mixlab-bench-XXXXXX";
    CHECK(::mkdtemp(name));
    folder = name;
    store = Store::open(folder, 1'000'000, entropy, loop.post()).value();
    store->add_account(to, [](const auto&) {});
    loop.wait(*store);
  }
  ~World() {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  sphinx::Tag next_tag() {
    sphinx::Tag tag{};
    ++number;
    for (std::size_t i = 0; i < 8; ++i)
      tag[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return tag;
  }
  void keep(std::int64_t messages) {
    for (std::int64_t i = 0; i < messages; ++i)
      store->keep(next_tag(), Store::Letter{to, Bytes(975)}, [](const auto&) {});
    store->flush();
  }
  ports::SystemEntropy entropy;
  Loop loop;
  std::string folder;
  std::unique_ptr<Store> store;
  wire::ClientAddress to{};
  std::uint64_t number = 0;
};

void keep_messages(benchmark::State& state) {
  World world;
  for (auto _ : state) {
    world.keep(state.range(0));
    world.loop.wait(*world.store);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(keep_messages)->Arg(1)->Arg(32)->Arg(1024)->UseRealTime();

void hand_out_messages(benchmark::State& state) {
  World world;
  const std::int64_t pulls = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    world.keep(5 * pulls);
    world.loop.wait(*world.store);
    state.ResumeTiming();
    for (std::int64_t i = 0; i < pulls; ++i)
      world.store->offer(world.to, 5, [&](sqlite::Result<std::vector<Mail>> mail) {
        std::vector<std::int64_t> ids;
        for (const Mail& one : *mail)
          ids.push_back(one.id);
        world.store->settle(std::move(ids), true, [](const auto&) {});
      });
    world.loop.wait(*world.store);
  }
  state.SetItemsProcessed(state.iterations() * pulls * 5);
}
BENCHMARK(hand_out_messages)->Arg(1)->Arg(32)->UseRealTime();

}  // namespace
}  // namespace mix::store

BENCHMARK_MAIN();
