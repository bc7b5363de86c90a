// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/resolve.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "src/runtime/socket.h"
#include "src/runtime/suspend.h"

namespace mix::runtime {
namespace asio = boost::asio;

namespace {

using Answer = std::expected<std::vector<Address>, std::string>;

std::vector<asio::ip::address> read_localhost() {
  std::vector<asio::ip::address> four, six;
  std::ifstream hosts("/etc/hosts");
  for (std::string line; std::getline(hosts, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string number, name;
    words >> number;
    boost::system::error_code failure;
    const asio::ip::address address = asio::ip::make_address(number, failure);
    if (failure || !address.is_loopback()) continue;
    while (words >> name)
      if (name == "localhost") (address.is_v4() ? four : six).push_back(address);
  }
  if (four.empty() && six.empty()) four.push_back(asio::ip::address_v4::loopback());
  four.insert(four.end(), six.begin(), six.end());
  const auto twice = std::ranges::unique(four);
  four.erase(twice.begin(), twice.end());
  return four;
}

/// What a resolving thread and the task that waits for it share. Either may end first.
struct Question {
  std::mutex mutex;
  Loop* loop = nullptr;  // null once nobody waits any more
  std::uint64_t parked = 0;
  Answer answer;
};

Answer ask_system(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_family = AF_UNSPEC;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found))
    return std::unexpected("cannot resolve '" + host + "': " + ::gai_strerror(failure));
  std::vector<Address> out;
  for (const addrinfo* one = found; one; one = one->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::copy_n(reinterpret_cast<const std::uint8_t*>(one->ai_addr), one->ai_addrlen,
                reinterpret_cast<std::uint8_t*>(endpoint.data()));
    Address address = to_address(endpoint);
    address.port = port;
    if (std::ranges::find(out, address) == out.end()) out.push_back(address);
  }
  ::freeaddrinfo(found);
  if (out.empty()) return std::unexpected("'" + host + "' has no address");
  return out;
}

void start_asking(std::shared_ptr<Question> question, std::string host, std::uint16_t port) {
  std::thread([question = std::move(question), host = std::move(host), port] {
    Answer answer = ask_system(host, port);
    const std::lock_guard lock(question->mutex);
    question->answer = std::move(answer);
    if (!question->loop) return;
    question->loop->post([loop = question->loop, parked = question->parked] {
      if (Job resume = loop->unpark(parked)) resume();
    });
  }).detach();
}

/// Lives in the asking task's frame: a thread that answers later finds nobody.
struct Asker {
  std::shared_ptr<Question> question;
  explicit Asker(std::shared_ptr<Question> of) : question(std::move(of)) {}
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() {
    const std::lock_guard lock(question->mutex);
    question->loop = nullptr;
  }
};

}  // namespace

std::expected<HostPort, std::string> split_host_port(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected("'" + std::string(text) + "' is not host:port: " + std::string(why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return wrong("a bracket is not closed");
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return wrong("the host is empty");
  HostPort out{std::string(host), 0};
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (failure != std::errc() || end != digits.data() + digits.size())
    return wrong("the port is not a number up to 65535");
  return out;
}

std::vector<Address> resolve_now(std::string_view host, std::uint16_t port) {
  static const std::vector<asio::ip::address> localhost = read_localhost();
  std::vector<Address> out;
  if (host == "localhost") {
    for (const asio::ip::address& address : localhost)
      out.push_back(to_address({address, port}));
    return out;
  }
  boost::system::error_code failure;
  const asio::ip::address address = asio::ip::make_address(std::string(host), failure);
  if (!failure) out.push_back(to_address({address, port}));
  return out;
}

Task<Answer> resolve(Loop& loop, std::string host, std::uint16_t port) {
  if (std::vector<Address> at_once = resolve_now(host, port); !at_once.empty()) co_return at_once;
  const Asker asker(std::make_shared<Question>());
  co_await suspend([&](Job resume) {
    const std::lock_guard lock(asker.question->mutex);
    asker.question->loop = &loop;
    asker.question->parked = loop.park(std::move(resume));
    start_asking(asker.question, host, port);
  });
  const std::lock_guard lock(asker.question->mutex);
  co_return std::move(asker.question->answer);
}

}  // namespace mix::runtime
