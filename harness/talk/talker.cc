// SPDX-License-Identifier: Apache-2.0
#include "harness/talk/talker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <deque>
#include <fstream>
#include <sstream>

#include "harness/talk/websocket.h"
#include "harness/talk/words.h"

namespace lab::talk {
namespace {

namespace json = boost::json;

constexpr std::int64_t kRetry = 100'000'000;

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

template <std::size_t N>
mix::ByteArray<N> random_bytes() {
  mix::ByteArray<N> out{};
  [[maybe_unused]] const ssize_t n = ::getrandom(out.data(), N, 0);
  return out;
}

class Talker {
 public:
  Talker(std::uint16_t port, Schedule schedule, const volatile std::sig_atomic_t& stop)
      : x_port(port), x_schedule(std::move(schedule)), x_stop(stop) {}
  ~Talker() { hang_up(); }

  int run() {
    for (const auto& [name, file] : x_schedule.peers) {
      std::ifstream in(file, std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      const auto address = address_in_pem(text.str());
      if (!address) {
        std::fprintf(stderr, "mixlab-talk: %s holds no public key\n", file.c_str());
        return 1;
      }
      x_addresses[name] = *address;
    }
    // The schedule is in wall time; from here on only the clock that never jumps is asked.
    const std::int64_t offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
    for (Item& item : x_schedule.items)
      item.wall_ns -= offset;
    while (x_stop == 0 && !x_schedule.items.empty()) {
      if (x_socket < 0) connect();
      say_what_is_due();
      if (x_schedule.items.empty()) break;
      wait();
    }
    linger();
    return 0;
  }

 private:
  /// Answers to what was asked last are still worth a moment.
  void linger() {
    const std::int64_t until = now_ns(CLOCK_MONOTONIC) + 10 * kRetry;
    while (x_stop == 0 && x_open && !x_asked.empty() && now_ns(CLOCK_MONOTONIC) < until)
      wait_until(until);
  }

  void connect() {
    x_retry_ns = now_ns(CLOCK_MONOTONIC) + kRetry;
    x_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(x_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // On loopback this is answered at once.
    if (::connect(x_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return hang_up();
    ::fcntl(x_socket, F_SETFL, O_NONBLOCK);
    x_out = handshake("127.0.0.1:" + std::to_string(x_port), random_bytes<16>());
    flush();
  }

  void hang_up() {
    if (x_socket >= 0) ::close(x_socket);
    x_socket = -1;
    x_open = false;
    x_in = Inbound();
    x_answer.clear();
    x_out.clear();
    x_asked.clear();  // nobody knows what became of them
  }

  void say_what_is_due() {
    const std::int64_t now = now_ns(CLOCK_MONOTONIC);
    while (x_open && !x_schedule.items.empty() && x_schedule.items.front().wall_ns <= now) {
      const Item item = std::move(x_schedule.items.front());
      x_schedule.items.pop_front();
      if (item.verb == Item::Verb::end) {
        x_schedule.items.clear();
        return;
      }
      if (item.verb == Item::Verb::send)
        ask({{"type", "send"},
             {"message", item.text},
             {"recipient_address", x_addresses.at(item.peer)}},
            std::string(tag_of(item.text)));
      else
        ask({{"type", "fetch"}}, "");
    }
  }

  void ask(const json::object& request, std::string tag) {
    x_asked.push_back(std::move(tag));
    x_out += frame(Opcode::text, json::serialize(request), random_bytes<4>());
    flush();
  }

  void flush() {
    while (x_socket >= 0 && !x_out.empty()) {
      const ssize_t n = ::send(x_socket, x_out.data(), x_out.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) return hang_up();
      x_out.erase(0, static_cast<std::size_t>(n));
    }
  }

  void wait() {
    std::int64_t until = x_schedule.items.front().wall_ns;
    if (!x_open) until = x_retry_ns;
    wait_until(until);
    if (!x_open && now_ns(CLOCK_MONOTONIC) >= x_retry_ns) hang_up();  // and connect again
  }

  void wait_until(std::int64_t until) {
    const std::int64_t left = std::max<std::int64_t>(0, until - now_ns(CLOCK_MONOTONIC));
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    pollfd ready{x_socket, static_cast<short>(POLLIN | (x_out.empty() ? 0 : POLLOUT)), 0};
    if (::ppoll(&ready, x_socket >= 0 ? 1 : 0, &timeout, nullptr) <= 0) return;
    if ((ready.revents & POLLOUT) != 0) flush();
    if (x_socket >= 0 && (ready.revents & ~POLLOUT) != 0) read();
  }

  void read() {
    char buffer[8192];
    const ssize_t n = ::recv(x_socket, buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return hang_up();
    std::string_view bytes(buffer, static_cast<std::size_t>(n));
    if (!x_open) {
      x_answer += bytes;
      const auto size = handshake_answer(x_answer);
      if (!size) return;
      if (*size == 0) return hang_up();
      x_open = true;
      x_in.feed(std::string_view(x_answer).substr(*size));
    } else {
      x_in.feed(bytes);
    }
    while (auto message = x_in.next())
      if (!hear(*message)) return hang_up();
    if (x_in.broken()) hang_up();
  }

  bool hear(const Message& message) {
    if (message.opcode == Opcode::close) return false;
    if (message.opcode == Opcode::ping) {
      x_out += frame(Opcode::pong, message.payload, random_bytes<4>());
      flush();
    }
    if (message.opcode != Opcode::text || x_asked.empty()) return true;
    const std::string tag = std::move(x_asked.front());
    x_asked.pop_front();
    boost::system::error_code error;
    const json::value reply = json::parse(message.payload, error);
    if (error || !reply.is_object()) return false;
    answer(reply.as_object(), tag);
    std::fflush(stdout);
    return true;
  }

  static void answer(const json::object& reply, const std::string& tag) {
    const json::value* type = reply.if_contains("type");
    if (type == nullptr || !type->is_string()) return;
    if (type->as_string() == "send") std::printf("sent %s\n", tag.c_str());
    if (const json::value* text = reply.if_contains("message");
        text != nullptr && type->as_string() == "error")
      std::printf("refused %s: %s\n", tag.c_str(), json::serialize(*text).c_str());
    const json::value* messages = reply.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) return;
    for (const json::value& value : messages->as_array()) {
      const std::string text = value.is_string() ? std::string(value.as_string()) : std::string();
      const std::string_view name = tag_of(text);
      if (name.empty())
        std::printf("got a message of %zu bytes\n", text.size());
      else
        std::printf("got %.*s\n", static_cast<int>(name.size()), name.data());
    }
  }

  const std::uint16_t x_port;
  Schedule x_schedule;
  const volatile std::sig_atomic_t& x_stop;
  std::map<std::string, std::string> x_addresses;
  int x_socket = -1;
  bool x_open = false;  // the handshake is done
  std::int64_t x_retry_ns = 0;
  std::string x_answer, x_out;
  Inbound x_in;
  std::deque<std::string> x_asked;  // tags of requests without a reply
};

}  // namespace

int speak(std::uint16_t port, Schedule schedule, const volatile std::sig_atomic_t& stop) {
  return Talker(port, std::move(schedule), stop).run();
}

}  // namespace lab::talk
