// SPDX-License-Identifier: Apache-2.0
// Packets a second from a mix's connection to the disk, and messages a second from the disk to a
// client's connection: the whole provider on loopback sockets, with everything in one process.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "src/prelude/check.h"
#include "src/prelude/log.h"
#include "src/provider/provider.h"
#include "src/provider/test_mail.h"

namespace mix::provider {
namespace {

using runtime::Stream;
using runtime::Task;

struct Figures {
  Duration stored{}, pulled{};
};

Task<Bytes> ask(runtime::Loop& loop, runtime::Address at, BytesView request) {
  auto stream = co_await Stream::connect(loop, at, 5s);
  CHECK(stream && co_await stream->write_all(request));
  stream->shutdown_send();
  Bytes reply(wire::kMaxPullReplyBytes + 1);
  reply.resize((co_await stream->read_full(reply)).value());
  co_return reply;
}

Task<> play(runtime::Loop& loop, Provider& provider, std::size_t messages, Figures& figures) {
  const Bytes reply =
      co_await ask(loop, provider.client_address(), encode(wire::RegisterRequest{client(1)}));
  const auto token = wire::parse_register_reply(reply).value();
  Bytes packets;
  for (std::size_t i = 0; i < messages; ++i) {
    const auto packet =
        TestMail::packet(i, client(1), std::string(500, 'x'), provider.public_key());
    packets.insert(packets.end(), packet.begin(), packet.end());
  }
  auto mix = co_await Stream::connect(loop, provider.mix_address(), 5s);
  Instant start = loop.now();
  CHECK(co_await mix->write_all(packets));
  while (provider.tally().stored < messages)
    co_await loop.sleep_for(100us);
  figures.stored = loop.now() - start;

  start = loop.now();
  while (provider.tally().handed_out < messages)
    co_await ask(loop, provider.client_address(), encode(wire::PullRequest{client(1), token}));
  figures.pulled = loop.now() - start;
  provider.stop();
}

void one_client(benchmark::State& state) {
  const auto messages = static_cast<std::size_t>(state.range(0));
  log::set_threshold(log::Level::error);
  Figures figures;
  for (auto _ : state) {
    char folder[] = "/tmp/mixlab-bench-XXXXXX";
    CHECK(::mkdtemp(folder));
    runtime::Loop loop;
    ports::SystemEntropy entropy;
    record::HopLog log;
    auto provider = Provider::open(loop, entropy, log,
                                   {.mix_listen = runtime::Address::ipv4({127, 0, 0, 1}, 0),
                                    .client_listen = runtime::Address::ipv4({127, 0, 0, 1}, 0),
                                    .store_folder = folder,
                                    .directory = "http://127.0.0.1:9",
                                    .limits = {.queue = messages}})
                        .value();
    provider->start();
    loop.spawn(play(loop, *provider, messages, figures));
    loop.run();
    provider->finish();
    std::filesystem::remove_all(folder);
  }
  const auto rate = [&](Duration d) {
    return static_cast<double>(messages) * 1e9 / static_cast<double>(d.count());
  };
  state.counters["stored_per_s"] = rate(figures.stored);
  state.counters["pulled_per_s"] = rate(figures.pulled);
}
BENCHMARK(one_client)->Arg(5000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mix::provider

BENCHMARK_MAIN();
