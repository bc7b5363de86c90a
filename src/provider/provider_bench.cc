// SPDX-License-Identifier: Apache-2.0
// How many messages a second one real nym-sfw-provider keeps, durably, and hands out, measured from
// outside: this program is its directory, its mixes and its clients at once, on one core; the
// provider's loop has another, its storage thread both.
//
// A message counts as kept when the provider's record says so, which it writes when the disk has
// it; the record comes through a descriptor (--record fd:N). A message counts as handed out when
// its client has read the whole reply. What the disk itself can do is measured beside it.
//
// bench_provider NYM_SFW_PROVIDER FOLDER [MESSAGES]   the store is made in FOLDER, on its disk
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "src/presence/announcer.h"
#include "src/program/bench_process.h"
#include "src/program/bench_report.h"
#include "src/provider/test_mail.h"
#include "src/record/record_stream.h"
#include "src/runtime/event.h"
#include "src/runtime/http_server.h"
#include "src/runtime/settings.h"
#include "src/runtime/stream.h"
#include "src/topology/json.h"

namespace mix::provider {
namespace {

using program::per_second;
using runtime::Address;
using runtime::Stream;
using runtime::Task;

constexpr std::size_t kAccounts = 16, kMixes = 4, kInFlight = 1024, kMessageBytes = 500;

/// Reads the provider's record on a thread of its own.
class Record {
 public:
  Record(runtime::Loop& loop, runtime::Event& news) : x_loop(loop), x_news(news) {
    CHECK(::pipe2(x_ends, O_CLOEXEC) == 0);
  }
  ~Record() {
    if (x_thread.joinable()) x_thread.join();
    ::close(x_ends[0]);
  }
  int for_the_provider() const { return x_ends[1]; }
  /// Once the provider has its end.
  void start() {
    ::close(x_ends[1]);
    x_thread = std::thread([this] { read(); });
  }
  std::size_t stored() const { return x_stored; }
  std::size_t dropped() const { return x_dropped; }

 private:
  void read() {
    record::RowDecoder decoder;
    Bytes buffer(64 * 1024);
    for (ssize_t got = 0; (got = ::read(x_ends[0], buffer.data(), buffer.size())) > 0;) {
      decoder.feed(BytesView(buffer).first(static_cast<std::size_t>(got)));
      while (true) {
        const auto row = decoder.next();
        CHECK(row.has_value());
        if (!*row) break;
        if (const auto* handled = std::get_if<record::HandledRow>(&**row))
          ++(handled->verdict == record::Verdict::store ? x_stored : x_dropped);
      }
      x_loop.post([this] { x_news.notify(); });
    }
  }

  runtime::Loop& x_loop;
  runtime::Event& x_news;
  int x_ends[2] = {-1, -1};
  std::atomic<std::size_t> x_stored = 0, x_dropped = 0;
  std::thread x_thread;
};

struct Measured {
  double singly_per_s = 0;  // one message in flight
  double stored_per_s = 0, stored_per_cpu_s = 0;
  double pulled_by_one_per_s = 0, pulled_per_s = 0, pulled_per_cpu_s = 0;
  double dirty = 0, rss = 0;  // MiB, at the end
};

class World {
 public:
  World(const std::string& program, std::string folder, std::size_t messages)
      : x_messages(messages), x_record(x_loop, x_news) {
    x_directory.route("POST", presence::kProviderPresencePath, [this](const auto& request) {
      x_info = topology::provider_from_presence(request.body).value();
      x_news.notify();
      runtime::HttpReply reply;
      reply.status = 201;
      return reply;
    });
    CHECK(x_directory.listen(Address::ipv4({127, 0, 0, 1}, 0)));
    x_process.start(program,
                    {"run", "--mixHost", "127.0.0.1", "--mixPort", "0", "--clientHost", "127.0.0.1",
                     "--clientPort", "0", "--storeDir", std::move(folder), "--directory",
                     "http://" + x_directory.local().to_text(), "--record",
                     "fd:" + std::to_string(x_record.for_the_provider())},
                    x_record.for_the_provider());
    x_record.start();
  }

  Measured measure() {
    x_loop.spawn(work());
    if (const int signal = x_loop.run()) throw program::Interrupted{signal};
    x_process.stop();
    CHECK(x_record.dropped() == 0, x_record.dropped());
    return x_measured;
  }

 private:
  Task<Bytes> ask(BytesView request) {
    auto stream = co_await Stream::connect(x_loop, *x_clients, 5s);
    CHECK(stream && co_await stream->write_all(request));
    stream->shutdown_send();
    Bytes reply(wire::kMaxPullReplyBytes + 1);
    reply.resize((co_await stream->read_full(reply)).value());
    co_return reply;
  }

  Task<> work() {
    while (!x_info)
      co_await x_news.wait();
    x_process.free_other_threads();
    x_mixes = Address::from_text(x_info->mixnet_listener).value();
    x_clients = Address::from_text(x_info->client_listener).value();
    for (std::uint8_t n = 0; n < kAccounts; ++n) {
      const Bytes reply = co_await ask(encode(wire::RegisterRequest{client(n)}));
      x_tokens.push_back(wire::parse_register_reply(reply).value());
    }
    const std::size_t few = x_messages / 20;
    x_measured.singly_per_s = per_second(few, co_await send(few, 1));
    Duration cpu = x_process.cpu();
    x_measured.stored_per_s = per_second(x_messages, co_await send(x_messages, kInFlight));
    x_measured.stored_per_cpu_s = per_second(x_messages, x_process.cpu() - cpu);

    Instant start = x_loop.now();
    co_await pull_all(0);
    x_measured.pulled_by_one_per_s = per_second(x_pulled, x_loop.now() - start);
    const std::size_t before = x_pulled;
    start = x_loop.now();
    cpu = x_process.cpu();
    for (std::uint8_t n = 1; n < kAccounts; ++n)
      x_loop.spawn(pull_all(n));
    while (x_pulled < x_sent)
      co_await x_news.wait();
    x_measured.pulled_per_s = per_second(x_pulled - before, x_loop.now() - start);
    x_measured.pulled_per_cpu_s = per_second(x_pulled - before, x_process.cpu() - cpu);
    x_measured.dirty = x_process.mib("Private_Dirty:");
    x_measured.rss = x_process.mib("Rss:");
    x_loop.stop();
  }

  /// For the accounts in turn, until the last is kept. Answers how long it took.
  Task<Duration> send(std::size_t messages, std::size_t in_flight) {
    std::vector<sphinx::Packet> packets;
    for (std::size_t i = 0; i < messages; ++i)
      packets.push_back(TestMail::packet(x_sent + i, client((x_sent + i) % kAccounts),
                                         std::string(kMessageBytes, 'x'), x_info->public_key));
    std::vector<Stream> mixes;
    for (std::size_t i = 0; i < kMixes; ++i)
      mixes.push_back((co_await Stream::connect(x_loop, *x_mixes, 5s)).value());
    const Instant start = x_loop.now();
    for (const sphinx::Packet& packet : packets) {
      while (x_sent - x_record.stored() >= in_flight)
        co_await x_news.wait();
      CHECK(co_await mixes[x_sent++ % kMixes].write_all(packet));
    }
    while (x_record.stored() < x_sent)
      co_await x_news.wait();
    co_return x_loop.now() - start;
  }

  Task<> pull_all(std::uint8_t account) {
    const std::size_t owed = (x_sent + kAccounts - 1 - account) / kAccounts;
    for (std::size_t got = 0; got < owed;) {
      const Bytes reply =
          co_await ask(encode(wire::PullRequest{client(account), x_tokens[account]}));
      const auto messages = wire::parse_pull_reply(reply);
      CHECK(messages.has_value());
      for (const BytesView message : *messages)
        if (message.size() == kMessageBytes) ++got, ++x_pulled;
    }
    x_news.notify();
  }

  std::size_t x_messages;
  runtime::Loop x_loop;
  runtime::Event x_news{x_loop};
  Record x_record;
  runtime::HttpServer x_directory{x_loop};
  program::Process x_process;  // ends before the record is joined
  std::optional<topology::ProviderInfo> x_info;
  std::optional<Address> x_mixes, x_clients;
  std::vector<wire::AuthToken> x_tokens;
  std::size_t x_sent = 0, x_pulled = 0;
  Measured x_measured;
};

/// Times a second that this disk says to have kept 4 KiB more.
double syncs_per_second(const std::string& folder) {
  const std::string path = folder + "/sync";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  CHECK(file >= 0, path);
  const Bytes page(4096, 1);
  constexpr std::size_t kTimes = 500;
  const Duration start = program::cpu_of(CLOCK_MONOTONIC);
  for (std::size_t i = 0; i < kTimes; ++i)
    CHECK(::write(file, page.data(), page.size()) == 4096 && ::fdatasync(file) == 0);
  const double out = per_second(kTimes, program::cpu_of(CLOCK_MONOTONIC) - start);
  ::close(file);
  ::unlink(path.c_str());
  return out;
}

int bench(const std::string& program, const std::string& folder, std::size_t messages) {
  program::Report report;
  struct statfs disk{};
  CHECK(::statfs(folder.c_str(), &disk) == 0);
  constexpr auto kTmpfs = 0x01021994;
  report.title("the disk");
  report.line("writes of 4 KiB made durable a second", syncs_per_second(folder));
  if (disk.f_type == kTmpfs) report.title("  THIS IS A DISK IN MEMORY: nothing here is durable");
  const Measured measured = World(program, folder + "/store", messages).measure();
  report.title("messages of 500 bytes from mixes, kept durably (four connections, 16 accounts)");
  report.line("a second, one in flight", measured.singly_per_s);
  report.line("a second, at most 1024 in flight", measured.stored_per_s);
  report.line("a processor second of the provider", measured.stored_per_cpu_s);
  report.title("messages pulled by clients, five a connection, and deleted durably");
  report.line("a second, one client", measured.pulled_by_one_per_s);
  report.line("a second, 15 clients at a time", measured.pulled_per_s);
  report.line("a processor second of the provider", measured.pulled_per_cpu_s);
  report.title("memory at the end");
  report.line("private dirty", measured.dirty, "MiB");
  report.line("resident", measured.rss, "MiB");
  return report.end();
}

}  // namespace
}  // namespace mix::provider

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_provider NYM_SFW_PROVIDER FOLDER [MESSAGES]\n");
    return 2;
  }
  mix::runtime::raise_descriptor_limit(mix::wire::kWantedDescriptors);
  mix::program::pin(mix::program::kBenchCore);
  const std::size_t messages = argc > 3 ? std::stoul(argv[3]) : 20'000;
  try {
    return mix::provider::bench(argv[1], argv[2], messages);
  } catch (const mix::program::Interrupted& interrupted) {
    return interrupted.exit_status();
  }
}
