// SPDX-License-Identifier: Apache-2.0
// For tests: one life of a provider on real sockets, with clients and mixes played by hand.
#pragma once

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/provider/provider.h"
#include "src/provider/test_mail.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::provider {

using runtime::Address;
using runtime::Stream;
using runtime::Task;

struct Folder {
  Folder() {
    char name[] = "/tmp/mixlab-provider-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name));
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

inline Address loopback(std::uint16_t port = 0) {
  return Address::ipv4({127, 0, 0, 1}, port);
}

/// One life of a provider, from opening its folder to the end of its loop.
struct World {
  explicit World(const Folder& folder, Limits limits = {}, const std::string& record = "",
                 const std::string& directory = "http://127.0.0.1:9") {
    auto opened_log = record::HopLog::open(
        record, loop, [this](std::function<void()> job) { loop.post(std::move(job)); });
    BOOST_REQUIRE(opened_log);
    log = std::move(*opened_log);
    auto opened = Provider::open(loop, entropy, log,
                                 {.mix_listen = loopback(),
                                  .client_listen = loopback(),
                                  .store_folder = folder.path,
                                  .directory = directory,
                                  .tag_memory_bytes = 64 * 1024,
                                  .limits = limits});
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : opened.error()));
    provider = std::move(*opened);
    provider->start();
  }
  /// Plays, then stops the provider as a signal would.
  void play(Task<> task) {
    loop.spawn(then_stop(std::move(task)));
    loop.run();
    provider->finish();
    log.close();
  }

  Task<Stream> connect(Address to) {
    auto stream = co_await Stream::connect(loop, to, 5s);
    BOOST_REQUIRE(stream);
    co_return std::move(*stream);
  }
  /// Request out, side closed, everything read until the end.
  Task<Bytes> ask(BytesView request, std::size_t piece = 1000) {
    Stream stream = co_await connect(provider->client_address());
    while (!request.empty()) {
      const std::size_t n = std::min(piece, request.size());
      if (!co_await stream.write_all(request.first(n))) break;
      request = request.subspan(n);
      if (!request.empty()) co_await loop.yield();
    }
    stream.shutdown_send();
    Bytes reply(8000);
    const auto got = co_await stream.read_full(reply);
    reply.resize(got ? *got : 0);
    co_return reply;
  }
  Task<AuthToken> enrol(const ClientAddress& address) {
    const Bytes reply = co_await ask(encode(wire::RegisterRequest{address}));
    const auto token = wire::parse_register_reply(reply);
    BOOST_REQUIRE(token);
    co_return *token;
  }
  /// The messages of one pull, dummies left out.
  Task<std::vector<std::string>> pull(const ClientAddress& address, const AuthToken& token) {
    const Bytes reply = co_await ask(encode(wire::PullRequest{address, token}));
    const auto messages = wire::parse_pull_reply(reply);
    BOOST_REQUIRE(messages);
    BOOST_TEST(messages->size() == wire::kMessagesPerPull);
    std::vector<std::string> texts;
    for (BytesView message : *messages)
      if (as_text(message) != wire::kDummyMessage) texts.emplace_back(as_text(message));
    co_return texts;
  }
  /// Pulls until `count` messages have come (or far too often).
  Task<std::vector<std::string>> pull_all(const ClientAddress& address, const AuthToken& token,
                                          std::size_t count) {
    std::vector<std::string> all;
    for (int pulls = 0; all.size() < count && pulls < 2000; ++pulls)
      for (std::string& text : co_await pull(address, token))
        all.push_back(std::move(text));
    co_return all;
  }
  Task<> send(const sphinx::Packet& packet) {
    Stream stream = co_await connect(provider->mix_address());
    BOOST_REQUIRE(co_await stream.write_all(packet));
  }
  sphinx::Packet packet(std::uint64_t number, const ClientAddress& to, std::string_view text) {
    return TestMail::packet(number, to, text, provider->public_key());
  }
  /// What became of so many packets is known.
  Task<> settled(std::uint64_t packets) {
    while (provider->tally().stored + provider->tally().dropped.total() < packets)
      co_await loop.yield();
  }

  runtime::Loop loop;
  ports::SystemEntropy entropy;
  record::HopLog log;
  std::unique_ptr<Provider> provider;

 private:
  Task<> then_stop(Task<> task) {
    co_await std::move(task);
    provider->stop();
  }
};

inline std::string list(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts)
    all += (all.empty() ? "" : " ") + text;
  return all;
}

}  // namespace mix::provider
