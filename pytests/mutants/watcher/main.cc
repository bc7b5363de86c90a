// SPDX-License-Identifier: Apache-2.0
// mutant-watcher WITHIN_S HOST:PORT: watches /ws/live of that directory, never reads, and says a
// pong a second, so that it does not look dead. Beside that it reports as a mix, as much as may be,
// so that more waits for it than the system takes. Ends with 0 when the directory has ended the
// connection within that time. For the lab, where a minute costs nothing.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>

#include "pytests/mutants/dial/dial.h"

namespace {

using mix::mutants::connect_to;

constexpr std::string_view kHandshake =
    "GET /ws/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kPong("\x8a\x80\0\0\0\0", 6);  // empty, masked with zeros
constexpr int kReportsPerSecond = 5, kPeers = 4000;

bool say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string report() {
  std::string body = R"({"pubKey":"US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx","received":1,)";
  body += R"("sent":{)";
  for (int peer = 0; peer < kPeers; ++peer)
    body += (peer == 0 ? "\"" : ",\"") + ("10.66.0.1:" + std::to_string(10'000 + peer)) +
            "\":1000000000000";
  return body + "}}";
}

/// Some reports on a connection of their own; what is answered is read to the end.
void tell(const std::string& directory, const std::string& body) {
  const int fd = connect_to(directory);
  if (fd < 0) return;
  for (int n = kReportsPerSecond; n > 0; --n)
    say(fd, "POST /api/metrics/mixes HTTP/1.1\r\nHost: x\r\nConnection: " +
                std::string(n > 1 ? "keep-alive" : "close") +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  std::array<char, 4096> scrap;
  while (::recv(fd, scrap.data(), scrap.size(), 0) > 0) {
  }
  ::close(fd);
}

int watch(int within_s, const std::string& directory) {
  const int fd = connect_to(directory);
  if (fd < 0 || !say(fd, kHandshake)) return 2;
  std::array<char, 12> status;
  if (::recv(fd, status.data(), status.size(), MSG_WAITALL) != 12) return 2;
  if (std::string_view(status.data(), status.size()) != "HTTP/1.1 101") return 2;
  const std::string body = report();
  for (int second = 0; second < within_s; ++second) {
    if (!say(fd, kPong)) {
      std::cout << "ended after " << second << " s" << std::endl;
      return 0;
    }
    tell(directory, body);
    const timespec one{1, 0};
    ::nanosleep(&one, nullptr);
  }
  std::cout << "still there after " << within_s << " s" << std::endl;
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return watch(std::stoi(argv[1]), argv[2]);
  std::cerr << "usage: mutant-watcher WITHIN_S HOST:PORT\n";
  return 2;
}
