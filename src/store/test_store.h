// SPDX-License-Identifier: Apache-2.0
// For tests: a folder that goes, and a store whose answers run when the test waits for them.
#pragma once

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "src/store/store.h"

namespace mix::store {

/// In memory where there is such a place: a kill shows the same, and syncing costs nothing.
struct Folder {
  explicit Folder(bool on_a_disk = false) {
    char in_memory[] = "/dev/shm/mixlab-store-XXXXXX", on_disk[] = "/tmp/mixlab-store-XXXXXX";
    const char* name = on_a_disk ? nullptr : ::mkdtemp(in_memory);
    if (!name) name = ::mkdtemp(on_disk);
    BOOST_REQUIRE(name);
    path = std::string(name) + "/boxes";
  }
  ~Folder() { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }
  std::string path;
};

/// Where a store posts its answers.
class Answers {
 public:
  Store::Post post() {
    return [this](std::move_only_function<void()> answer) {
      const std::unique_lock lock(x_mutex);
      x_answers.push_back(std::move(answer));
      x_came.notify_all();
    };
  }
  /// Runs answers until `done` is set by one.
  void wait(const bool& done) {
    while (!done)
      run_some();
  }

 private:
  void run_some() {
    std::vector<std::move_only_function<void()>> answers;
    {
      std::unique_lock lock(x_mutex);
      x_came.wait(lock, [&] { return !x_answers.empty(); });
      answers.swap(x_answers);
    }
    for (auto& answer : answers)
      answer();
  }
  std::mutex x_mutex;
  std::condition_variable x_came;
  std::vector<std::move_only_function<void()>> x_answers;
};

/// A store on which every call waits for its answer.
struct Waiting {
  explicit Waiting(const std::string& folder, std::size_t tags_per_generation = 1000,
                   std::optional<WallTime> dated = std::nullopt) {
    ports::SystemEntropy entropy;
    auto made = Store::open(folder, tags_per_generation, entropy, answers.post(), dated);
    BOOST_REQUIRE_MESSAGE(made, (made ? "" : made.error()));
    store = std::move(*made);
    opened.emplace(store->take_opened());
  }
  bool add(const wire::ClientAddress& address) {
    return ask([&](auto done) { store->add_account(address, std::move(done)); });
  }
  bool replace(const wire::ClientAddress& old, const wire::ClientAddress& address) {
    return ask([&](auto done) { store->replace_account(old, address, std::move(done)); });
  }
  bool keep(const sphinx::Tag& tag, const wire::ClientAddress& to, const std::string& text,
            WallTime kept = {}) {
    const BytesView body = as_bytes(text);
    return ask([&](auto done) {
      store->keep(tag, Store::Letter{to, Bytes(body.begin(), body.end()), kept}, std::move(done));
      store->flush();
    });
  }
  bool keep_tag(const sphinx::Tag& tag) {
    return ask([&](auto done) {
      store->keep(tag, std::nullopt, std::move(done));
      store->flush();
    });
  }
  bool settle(std::vector<std::int64_t> ids, bool arrived) {
    return ask([&](auto done) { store->settle(std::move(ids), arrived, std::move(done)); });
  }
  std::vector<Mail> offer(const wire::ClientAddress& to, std::size_t limit = 5) {
    std::vector<Mail> mail;
    bool answered = false;
    store->offer(to, limit, [&](sqlite::Result<std::vector<Mail>> result) {
      answered = true;
      if (result) mail = std::move(*result);
    });
    answers.wait(answered);
    return mail;
  }
  std::vector<wire::ClientAddress> expire(WallTime before, std::size_t limit) {
    std::vector<wire::ClientAddress> whose;
    bool answered = false;
    store->expire(before, limit, [&](sqlite::Result<std::vector<wire::ClientAddress>> result) {
      answered = true;
      if (result) whose = std::move(*result);
    });
    answers.wait(answered);
    return whose;
  }

  Answers answers;
  std::unique_ptr<Store> store;
  std::optional<Store::Opened> opened;

 private:
  template <class Ask>
  bool ask(Ask ask) {
    bool answered = false, good = false;
    ask([&](sqlite::Result<void> result) {
      answered = true;
      good = result.has_value();
    });
    answers.wait(answered);
    return good;
  }
};

inline wire::ClientAddress address(std::uint8_t n) {
  wire::ClientAddress a{};
  a[0] = n;
  return a;
}
inline sphinx::Tag tag(std::uint64_t n) {
  sphinx::Tag t{};
  for (std::size_t i = 0; i < 8; ++i)
    t[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return t;
}
inline std::string texts(const std::vector<Mail>& mail) {
  std::string all;
  for (const Mail& one : mail)
    all += (all.empty() ? "" : " ") + std::string(as_text(one.body));
  return all;
}
inline std::vector<std::int64_t> ids(const std::vector<Mail>& mail) {
  std::vector<std::int64_t> all;
  for (const Mail& one : mail)
    all.push_back(one.id);
  return all;
}

}  // namespace mix::store
