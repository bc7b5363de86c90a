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
//   mutant-stranger squat WITHIN_S HOST:PORT VICTIM OURS
//     waits until that directory has listed the mix at VICTIM and lists it no more; then claims its
//     key at our address OURS, and its address with a key of our own, once a second. Ends with 0
//     when both were taken and later, within that time, both refused.
//   mutant-stranger crowd HOST:PORT COUNT TAKEN
//     announces so many mixes of ours. Ends with 0 when exactly TAKEN are taken, others refused.
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
#include <string_view>
#include <vector>

#include "pytests/mutants/dial/dial.h"

namespace {

using mix::mutants::connect_to;

double now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void wait_a_second() {
  const timespec second{1, 0};
  ::nanosleep(&second, nullptr);
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
    if (!open.empty()) wait_a_second();
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

const std::string kOurKey = "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx";  // of no node

std::string presence(const std::string& host, const std::string& key, const std::string& version,
                     const std::string& connection) {
  const std::string body = R"({"host":")" + host + R"(","pubKey":")" + key +
                           R"(","layer":1,"version":")" + version + R"("})";
  return "POST /api/presence/mixnodes HTTP/1.1\r\nHost: x\r\nConnection: " + connection +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

int status_of_presence(const std::string& directory, const std::string& host,
                       const std::string& key) {
  const std::string answer = ask(directory, presence(host, key, "0.4.0", "close"));
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

struct Mixes {
  std::vector<std::string> hosts, keys;
};
Mixes mixes_of(const std::string& directory) {
  const std::string topology =
      ask(directory, "GET /api/presence/topology HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string from =
      topology.substr(std::min(topology.find("\"mixNodes\""), topology.size()));
  const std::string mixes = from.substr(0, from.find("]"));
  return {values_of(mixes, "host"), values_of(mixes, "pubKey")};
}

int forge(const std::string& directory) {
  const Mixes mixes = mixes_of(directory);
  bool all = !mixes.keys.empty() && mixes.keys.size() == mixes.hosts.size();
  for (std::size_t i = 0; i < mixes.keys.size() && i < mixes.hosts.size(); ++i) {
    const int key = status_of_presence(directory, "10.66.0.1:1", mixes.keys[i]);
    const int host = status_of_presence(directory, mixes.hosts[i], kOurKey);
    std::cout << mixes.hosts[i] << ": key " << key << ", address " << host << std::endl;
    all = all && key == 409 && host == 409;
  }
  return all ? 0 : 1;
}

int squat(double within_s, const std::string& directory, const std::string& victim,
          const std::string& ours) {
  std::string key;
  bool gone = false, taken = false;
  for (const double began = now_s(); now_s() - began < within_s; wait_a_second()) {
    if (!gone) {
      const Mixes mixes = mixes_of(directory);
      const auto at = std::ranges::find(mixes.hosts, victim);
      if (at != mixes.hosts.end())
        key = mixes.keys.at(static_cast<std::size_t>(at - mixes.hosts.begin()));
      gone = !key.empty() && at == mixes.hosts.end();
      if (!gone) continue;
    }
    const int by_key = status_of_presence(directory, ours, key);
    const int by_address = status_of_presence(directory, victim, kOurKey);
    std::cout << victim << ": key " << by_key << ", address " << by_address << std::endl;
    taken = taken || (by_key == 201 && by_address == 201);
    if (taken && by_key == 409 && by_address == 409) return 0;
  }
  return 1;
}

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

int crowd(const std::string& directory, std::size_t count, std::size_t wanted) {
  constexpr std::string_view kDigits = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  const int fd = connect_to(directory);
  if (fd < 0) return 2;
  const std::string host = "10.66.0." + std::to_string(count % 256) + ":";
  std::string answers;
  for (std::size_t sent = 0; sent < count;) {
    std::string requests;
    for (std::size_t most = std::min(count, sent + 50); sent < most; ++sent) {
      std::string key = kOurKey;
      key[39] = kDigits[count % kDigits.size()];  // two crowds have nobody in common
      key[40] = kDigits[sent % kDigits.size()];
      key[41] = kDigits[sent / kDigits.size() % kDigits.size()];
      // Of a version that nobody routes through.
      requests += presence(host + std::to_string(1 + sent), key, "0.3.0", "keep-alive");
    }
    (void)::send(fd, requests.data(), requests.size(), MSG_NOSIGNAL);
    std::array<char, 4096> some;
    while (times(answers, "HTTP/1.1 ") < sent) {
      const ssize_t got = ::recv(fd, some.data(), some.size(), 0);
      if (got <= 0) return 2;
      answers.append(some.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  const std::size_t taken = times(answers, "HTTP/1.1 201"), full = times(answers, "HTTP/1.1 503");
  std::cout << "taken " << taken << ", refused " << full << std::endl;
  return taken == wanted && taken + full == count ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 4 && words[0] == "slow")
    return slow(std::stod(words[1]), {words.begin() + 2, words.end()});
  if (words.size() == 2 && words[0] == "forge") return forge(words[1]);
  if (words.size() == 5 && words[0] == "squat")
    return squat(std::stod(words[1]), words[2], words[3], words[4]);
  if (words.size() == 4 && words[0] == "crowd")
    return crowd(words[1], std::stoul(words[2]), std::stoul(words[3]));
  std::cerr << "usage: mutant-stranger slow WITHIN_S HEAD HOST:PORT ... | forge HOST:PORT\n"
               "       | squat WITHIN_S HOST:PORT VICTIM OURS | crowd HOST:PORT COUNT TAKEN\n";
  return 2;
}
