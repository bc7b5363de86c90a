// SPDX-License-Identifier: Apache-2.0
//
// A listener takes at most its share of the descriptors the program may have (twice that for a
// moment, while connections that have to go are going), so that the program can still reach others.
// When they are out all the same, the connection silent longest makes room for the newcomer.
//
// With nobody to make room, accept(2) fails while the connection stays in the queue, and a loop
// that simply tried again would spin. So a listener keeps one descriptor in reserve: it gives that
// one up, takes the connection, closes it (the peer sees the end at once) and takes the reserve
// back.
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <list>
#include <system_error>
#include <utility>

#include "src/prelude/log.h"
#include "src/runtime/settings.h"
#include "src/runtime/socket.h"
#include "src/runtime/stream.h"

namespace mix::runtime {
namespace asio = boost::asio;
using asio::ip::tcp;

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
  using Open = std::list<std::weak_ptr<Stream::Impl>>;

  Impl(Loop& of, ListenOptions given)
      : loop(of), acceptor(of.context().get_executor()), options(given), reserve(take_reserve()) {}
  ~Impl() {
    if (reserve >= 0) ::close(reserve);
  }

  static int take_reserve() { return ::eventfd(0, EFD_CLOEXEC); }

  /// Keeps the count right however a connection's task ends.
  struct Place {
    std::shared_ptr<Impl> listener;
    Open::iterator at;
    Place(std::shared_ptr<Impl> of, Open::iterator where) : listener(std::move(of)), at(where) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { listener->open.erase(at); }
  };

  /// False when there is none.
  bool silence_the_longest() {
    std::shared_ptr<Stream::Impl> quietest;
    for (const auto& weak : open) {
      const auto stream = weak.lock();
      if (!stream || !stream->is_open()) continue;
      if (!quietest || stream->last_active < quietest->last_active) quietest = stream;
    }
    if (quietest) quietest->close();
    return quietest != nullptr;
  }

  /// 0 when a connection was taken from the queue and is served, or errno.
  int accept_one() {
    tcp::endpoint from;
    const int descriptor = take(&from);
    if (descriptor < 0) return errno;
    accepted(std::make_shared<Stream::Impl>(loop, descriptor, to_address(from)));
    return 0;
  }
  int take(tcp::endpoint* from) {
    auto size = static_cast<socklen_t>(from->capacity());
    const int descriptor =
        ::accept4(acceptor.native_handle(), from->data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) from->resize(size);
    return descriptor;
  }

  void accepted(std::shared_ptr<Stream::Impl> stream) {
    if (open.size() >= options.max_connections) {
      ++turned_away;
      loop.refusals().add(Refusal::connections_full);
      if (!std::exchange(said_full, true))
        log::warn(name, ": ", options.max_connections, " connections, no more");
      if (!options.make_room) return;
      silence_the_longest();
      // Its task ends in a later turn; twice the bound is where newcomers are refused after all.
      if (open.size() >= 2 * options.max_connections) return;
    }
    const auto at = open.insert(open.end(), stream);
    loop.spawn(serve_one(shared_from_this(), at, Stream(std::move(stream))));
  }

  static Task<> serve_one(std::shared_ptr<Impl> self, Open::iterator at, Stream stream) {
    const Place place(self, at);
    co_await self->handler(std::move(stream));
  }

  /// True when the connection in the queue, or another in its place, could be turned away.
  bool refuse_one() {
    ++turned_away;
    loop.refusals().add(Refusal::no_descriptors);
    if (!std::exchange(said_exhausted, true))
      log::warn(name, ": out of descriptors, turning connections away");
    if (options.make_room && silence_the_longest()) return true;  // the newcomer is accepted next
    if (reserve < 0) return false;
    ::close(std::exchange(reserve, -1));
    tcp::endpoint from;
    const int unwanted = take(&from);
    if (unwanted >= 0) ::close(unwanted);
    reserve = take_reserve();
    return unwanted >= 0;
  }

  static Task<> run(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      const int failure = self->accept_one();
      if (failure == 0 || failure == ECONNABORTED || failure == EINTR) {
        co_await self->loop.yield();  // one a turn: with it comes what it has to say
      } else if (failure == EAGAIN) {
        boost::system::error_code closed;
        co_await self->acceptor.async_wait(Acceptor::wait_read,
                                           asio::redirect_error(asio::use_awaitable, closed));
      } else if (kind_of(failure) == IoError::Kind::exhausted) {
        self->refuse_one() ? co_await self->loop.yield() : co_await self->loop.sleep_for(100ms);
      } else {
        log::warn(self->name, ": accept: ", std::generic_category().message(failure));
        co_await self->loop.sleep_for(100ms);
      }
    }
  }

  Loop& loop;
  Acceptor acceptor;
  ListenOptions options;
  int reserve;
  Handler handler;
  std::string name;
  Open open;
  std::uint64_t turned_away = 0;
  bool said_full = false;
  bool said_exhausted = false;
};

Listener::Listener(std::shared_ptr<Impl> impl) : x(std::move(impl)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() {
  boost::system::error_code ignored;
  if (x) x->acceptor.close(ignored);
}

std::expected<Listener, std::string> Listener::open(Loop& loop, Address at, ListenOptions options) {
  options.max_connections = std::min(options.max_connections, share_of_descriptors(true));
  auto impl = std::make_shared<Impl>(loop, options);
  const tcp::endpoint endpoint = to_endpoint(at);
  boost::system::error_code failure;
  impl->acceptor.open(endpoint.protocol(), failure);
  if (!failure) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure && endpoint.protocol() == tcp::v6())
    impl->acceptor.set_option(asio::ip::v6_only(true), failure);
  if (!failure) impl->acceptor.bind(endpoint, failure);
  if (!failure) impl->acceptor.listen(options.backlog, failure);
  if (!failure) impl->acceptor.native_non_blocking(true, failure);
  if (failure)
    return std::unexpected(at.to_text() + ": " +
                           (failure.value() == EADDRINUSE ? "already in use" : failure.message()));
  impl->name = to_address(impl->acceptor.local_endpoint(failure)).to_text();
  return Listener(std::move(impl));
}

void Listener::serve(Handler handler) {
  x->handler = std::move(handler);
  x->loop.spawn(Impl::run(x));
}

Address Listener::local() const {
  boost::system::error_code ignored;
  return to_address(x->acceptor.local_endpoint(ignored));
}
std::size_t Listener::connections() const {
  return x->open.size();
}
std::uint64_t Listener::turned_away() const {
  return x->turned_away;
}

}  // namespace mix::runtime
