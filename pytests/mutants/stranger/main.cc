// SPDX-License-Identifier: Apache-2.0
// mutant-stranger: what somebody without a packet to send can do to a port, with the system calls
// that anybody has. For the lab, where a minute costs nothing.
//
//   mutant-stranger slow WITHIN_S HEAD HOST:PORT [HEAD HOST:PORT ...]
//     a connection to each; HEAD at once ('~' in it is a zero byte), then a byte a second. Ends
//     with 0 when the other side has ended every one of them within that time.
//   mutant-stranger forge HOST:PORT
//     asks that directory for its topology and claims every mix in it, by its key at an address of
//     our own, and by its address with a key of our own. Ends with 0 when each is answered 409.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

namespace {

int connect_to(const std::string& host_port) {
  const auto colon = host_port.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host_port.substr(colon + 1))));
  if (::inet_pton(AF_INET, host_port.substr(0, colon).c_str(), &to.sin_addr) != 1) return -1;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  ::close(fd);
  return -1;
}

double now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Slow {
  std::string to;
  int fd = -1;
  double began = 0;
};

/// True when the other side has ended the connection; what it says before is read and dropped.
bool ended(int fd) {
  std::array<char, 4096> scrap;
  const ssize_t got = ::recv(fd, scrap.data(), scrap.size(), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

int slow(double within_s, const std::vector<std::string>& words) {
  std::vector<Slow> open;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    Slow one{words[i + 1], connect_to(words[i + 1]), now_s()};
    if (one.fd < 0) {
      std::cerr << "cannot connect to " << one.to << "\n";
      return 2;
    }
    std::string head = words[i];
    std::ranges::replace(head, '~', '\0');
    (void)::send(one.fd, head.data(), head.size(), MSG_NOSIGNAL);
    open.push_back(one);
  }
  while (!open.empty()) {
    std::vector<Slow> still;
    for (const Slow& one : open) {
      const double age = now_s() - one.began;
      if (ended(one.fd)) {
        std::cout << one.to << " ended after " << age << " s" << std::endl;
        ::close(one.fd);
      } else if (age > within_s) {
        std::cout << one.to << " is still there after " << age << " s" << std::endl;
        return 1;
      } else {
        (void)::send(one.fd, "x", 1, MSG_NOSIGNAL);
        still.push_back(one);
      }
    }
    open = std::move(still);
    const timespec second{1, 0};
    if (!open.empty()) ::nanosleep(&second, nullptr);
  }
  return 0;
}

/// One request on a connection of its own; everything that is answered.
std::string ask(const std::string& to, const std::string& request) {
  const int fd = connect_to(to);
  if (fd < 0) return {};
  (void)::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  std::array<char, 4096> some;
  for (ssize_t got; (got = ::recv(fd, some.data(), some.size(), 0)) > 0;)
    answer.append(some.data(), static_cast<std::size_t>(got));
  ::close(fd);
  return answer;
}

/// Every value of this text field, in order.
std::vector<std::string> values_of(const std::string& json, const std::string& field) {
  const std::string before = "\"" + field + "\":\"";
  std::vector<std::string> out;
  for (auto at = json.find(before); at != std::string::npos; at = json.find(before, at)) {
    at += before.size();
    out.push_back(json.substr(at, json.find('"', at) - at));
  }
  return out;
}

int status_of_presence(const std::string& directory, const std::string& host,
                       const std::string& key) {
  const std::string body =
      R"({"host":")" + host + R"(","pubKey":")" + key + R"(","layer":1,"version":"0.4.0"})";
  const std::string answer =
      ask(directory,
          "POST /api/presence/mixnodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
          "Content-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

int forge(const std::string& directory) {
  const std::string topology =
      ask(directory, "GET /api/presence/topology HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string mixes = topology.substr(topology.find("\"mixNodes\""));
  const std::string of_mixes = mixes.substr(0, mixes.find("]"));
  const auto keys = values_of(of_mixes, "pubKey"), hosts = values_of(of_mixes, "host");
  bool all = !keys.empty() && keys.size() == hosts.size();
  for (std::size_t i = 0; i < keys.size() && i < hosts.size(); ++i) {
    const std::string ours = "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx";  // of no node
    const int key = status_of_presence(directory, "10.66.0.1:1", keys[i]);
    const int host = status_of_presence(directory, hosts[i], ours);
    std::cout << hosts[i] << ": key " << key << ", address " << host << std::endl;
    all = all && key == 409 && host == 409;
  }
  return all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 4 && words[0] == "slow")
    return slow(std::stod(words[1]), {words.begin() + 2, words.end()});
  if (words.size() == 2 && words[0] == "forge") return forge(words[1]);
  std::cerr << "usage: mutant-stranger slow WITHIN_S HEAD HOST:PORT ... | forge HOST:PORT\n";
  return 2;
}
