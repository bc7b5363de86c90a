// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing try the system call first and wait only when it would block; the socket's
// readiness comes from Asio's reactor (edge-triggered epoll, re-armed at each wait). A packet that
// arrives thus costs one wake-up, and one that can be written at once none. A task whose
// operations always succeed at once lets the others go first every kAtOnce times.
//
// The reactor learns of a connection when somebody first has to wait for it. One that carries a
// packet and ends often never has to: its bytes are there when it is accepted, its peer answers
// while connect(2) runs (on a loopback), and telling the reactor would cost more than reading.
#include "src/runtime/stream.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "src/prelude/check.h"
#include "src/runtime/socket.h"

namespace mix::runtime {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr unsigned kAtOnce = 16;

std::string_view name_of(IoError::Kind kind) {
  switch (kind) {
    case IoError::Kind::closed:
      return "closed";
    case IoError::Kind::reset:
      return "reset by peer";
    case IoError::Kind::refused:
      return "refused";
    case IoError::Kind::unreachable:
      return "unreachable";
    case IoError::Kind::timed_out:
      return "timed out";
    case IoError::Kind::would_block:
      return "would block";
    case IoError::Kind::exhausted:
      return "out of descriptors or memory";
    case IoError::Kind::other:
      return "failed";
  }
  return "";
}

using Held = std::shared_ptr<Stream::Impl>;

Io<std::size_t> receive(Stream::Impl& stream, BytesSpan into) {
  if (!stream.is_open()) return std::unexpected(stream.failure(EBADF));
  for (;;) {
    const ssize_t got = ::recv(stream.descriptor, into.data(), into.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(stream.failure(errno));
    stream.touch();
    stream.drained = static_cast<std::size_t>(got) < into.size() && got > 0;
    return static_cast<std::size_t>(got);
  }
}

Io<std::size_t> transmit(Stream::Impl& stream, BytesView bytes) {
  if (!stream.is_open()) return std::unexpected(stream.failure(EBADF));
  stream.send_promptly();
  for (;;) {
    const ssize_t put =
        ::send(stream.descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return std::unexpected(stream.failure(errno));
    stream.touch();
    return static_cast<std::size_t>(put);
  }
}

Io<std::size_t> transmit(Stream::Impl& stream, BytesView head, BytesView rest) {
  if (!stream.is_open()) return std::unexpected(stream.failure(EBADF));
  stream.send_promptly();
  std::array<iovec, 2> parts;
  // Only read from; the structure serves both directions.
  parts[0] = {const_cast<std::uint8_t*>(head.data()), head.size()};
  parts[1] = {const_cast<std::uint8_t*>(rest.data()), rest.size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  for (;;) {
    const ssize_t put = ::sendmsg(stream.descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return std::unexpected(stream.failure(errno));
    stream.touch();
    return static_cast<std::size_t>(put);
  }
}

bool would_block(const Io<std::size_t>& result) {
  return !result && result.error().kind == IoError::Kind::would_block;
}

Task<Io<>> ready(Held stream, tcp::socket::wait_type what) {
  if (!stream->is_open()) co_return std::unexpected(stream->failure(EBADF));
  stream->at_once = 0;
  if (const Io<> enrolled = stream->enroll(); !enrolled) co_return enrolled;
  boost::system::error_code failure;
  co_await stream->socket.async_wait(what, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return std::unexpected(stream->failure(failure));
  co_return Io<>();
}

/// Another operation that did not wait; now and then others go first.
Task<> be_fair(Held stream) {
  stream->at_once = 0;
  return stream->loop.yield();
}

Task<Io<std::size_t>> read_some_of(Held stream, BytesSpan into) {
  if (++stream->at_once >= kAtOnce) co_await be_fair(stream);
  for (;;) {
    if (!std::exchange(stream->drained, false)) {
      const Io<std::size_t> got = receive(*stream, into);
      if (!would_block(got)) co_return got;
    }
    const Io<> waited = co_await ready(stream, tcp::socket::wait_read);
    if (!waited) co_return std::unexpected(waited.error());
  }
}

Task<Io<std::size_t>> read_full_of(Held stream, BytesSpan into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const Io<std::size_t> got = co_await read_some_of(stream, into.subspan(done));
    if (!got) co_return got;
    if (*got == 0) break;
    done += *got;
  }
  co_return done;
}

Task<Io<>> write_all_of(Held stream, BytesView bytes) {
  if (++stream->at_once >= kAtOnce) co_await be_fair(stream);
  while (!bytes.empty()) {
    const Io<std::size_t> put = transmit(*stream, bytes);
    if (put) {
      bytes = bytes.subspan(*put);
      continue;
    }
    if (!would_block(put)) co_return std::unexpected(put.error());
    const Io<> waited = co_await ready(stream, tcp::socket::wait_write);
    if (!waited) co_return waited;
  }
  co_return Io<>();
}

Task<Io<>> write_both_of(Held stream, BytesView head, BytesView rest) {
  while (!head.empty()) {
    const Io<std::size_t> put = transmit(*stream, head, rest);
    if (put && *put >= head.size()) {
      rest = rest.subspan(*put - head.size());
      break;
    }
    if (put) {
      head = head.subspan(*put);
      continue;
    }
    if (!would_block(put)) co_return std::unexpected(put.error());
    const Io<> waited = co_await ready(stream, tcp::socket::wait_write);
    if (!waited) co_return waited;
  }
  co_return co_await write_all_of(stream, rest);
}

Task<Io<>> readable_of(Held stream) {
  if (++stream->at_once >= kAtOnce && !stream->drained) co_await be_fair(stream);
  stream->drained = false;
  co_return co_await ready(stream, tcp::socket::wait_read);
}

/// Begins to connect; asked again, says how that went: 0, or EALREADY while nobody knows.
int try_connect(const Stream::Impl& stream, const tcp::endpoint& to) {
  while (::connect(stream.descriptor, to.data(), static_cast<socklen_t>(to.size())) != 0)
    if (errno != EINTR) return errno == EISCONN ? 0 : errno;
  return 0;
}

Task<Io<Stream>> connect_to(Loop& loop, Address to, Duration time_out,
                            std::weak_ptr<Stream::Impl>* attempt) {
  const tcp::endpoint there = to_endpoint(to);
  const int descriptor =
      ::socket(there.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) co_return std::unexpected(IoError{kind_of(errno), errno});
  auto stream = std::make_shared<Stream::Impl>(loop, descriptor, to);
  int answer = try_connect(*stream, there);
  if (answer == EINPROGRESS) answer = try_connect(*stream, there);
  if (answer == EALREADY) {
    const TimerId timer = loop.call_at(loop.now() + time_out, [weak = std::weak_ptr(stream)] {
      if (const Held late = weak.lock()) late->time_out();
    });
    if (attempt) *attempt = stream;
    while (answer == EALREADY) {
      const Io<> waited = co_await ready(stream, tcp::socket::wait_write);
      answer = waited ? try_connect(*stream, there) : waited.error().system;
    }
    if (attempt) attempt->reset();
    loop.cancel(timer);
  }
  if (answer != 0 || !stream->is_open()) co_return std::unexpected(stream->failure(answer));
  stream->touch();
  co_return Stream(std::move(stream));
}

}  // namespace

// ---- Translation ---------------------------------------------------------------------------

std::string IoError::text() const {
  std::string out(name_of(kind));
  if (kind == Kind::other && system != 0)
    out += " (" + std::generic_category().message(system) + ")";
  return out;
}

IoError::Kind kind_of(int system_error) {
  using Kind = IoError::Kind;
  switch (system_error) {
    case EBADF:
    case ECANCELED:
    case EPIPE:
    case ENOTCONN:
      return Kind::closed;
    case ECONNRESET:
    case ECONNABORTED:
      return Kind::reset;
    case ECONNREFUSED:
      return Kind::refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
      return Kind::unreachable;
    case ETIMEDOUT:
      return Kind::timed_out;
    case EAGAIN:
      return Kind::would_block;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Kind::exhausted;
    default:
      return Kind::other;
  }
}

IoError to_error(const boost::system::error_code& failure) {
  if (failure == asio::error::eof) return {IoError::Kind::closed, 0};
  return {kind_of(failure.value()), failure.value()};
}

tcp::endpoint to_endpoint(const Address& address) {
  if (address.family == Address::Family::ipv6)
    return {asio::ip::address_v6(address.octets), address.port};
  asio::ip::address_v4::bytes_type four;
  std::copy_n(address.octets.begin(), four.size(), four.begin());
  return {asio::ip::address_v4(four), address.port};
}

Address to_address(const tcp::endpoint& endpoint) {
  Address out;
  out.port = endpoint.port();
  if (endpoint.address().is_v6()) {
    out.family = Address::Family::ipv6;
    out.octets = endpoint.address().to_v6().to_bytes();
  } else {
    out.family = Address::Family::ipv4;
    const auto four = endpoint.address().to_v4().to_bytes();
    std::ranges::copy(four, out.octets.begin());
  }
  return out;
}

// ---- Stream::Impl --------------------------------------------------------------------------

Stream::Impl::Impl(Loop& of, int connection, const Address& peer)
    : loop(of),
      descriptor(connection),
      socket(of.context().get_executor()),
      remote(peer),
      last_active(of.now()),
      place(of.sweep().add(*this)) {}

Stream::Impl::~Impl() {
  loop.sweep().remove(place);
  close();
}

void Stream::Impl::send_promptly() {
  if (std::exchange(prompt, true)) return;
  const int on = 1;
  (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Io<> Stream::Impl::enroll() {
  if (socket.is_open()) return {};
  const bool six = remote.family == Address::Family::ipv6;
  boost::system::error_code failure;
  socket.assign(six ? tcp::v6() : tcp::v4(), descriptor, failure);
  if (failure) return std::unexpected(to_error(failure));
  return {};
}

Socket Stream::Impl::give_away() {
  if (is_open()) send_promptly();
  if (!is_open() || !enroll()) close();
  descriptor = -1;
  return std::move(socket);
}

std::optional<Instant> Stream::Impl::due() const {
  if (!is_open()) return std::nullopt;
  std::optional<Instant> out = deadline;
  if (idle_limit > 0ns && (!out || last_active + idle_limit < *out)) out = last_active + idle_limit;
  return out;
}

void Stream::Impl::time_out() {
  timed_out = true;
  loop.refusals().add(Refusal::timed_out);
  close();
}

void Stream::Impl::close() {
  const int gone = std::exchange(descriptor, -1);
  boost::system::error_code ignored;
  if (socket.is_open())
    socket.close(ignored);
  else if (gone >= 0)
    ::close(gone);
}

IoError Stream::Impl::failure(int system_error) const {
  if (timed_out) return {IoError::Kind::timed_out, ETIMEDOUT};
  return {kind_of(system_error), system_error};
}

IoError Stream::Impl::failure(const boost::system::error_code& code) const {
  if (timed_out) return {IoError::Kind::timed_out, ETIMEDOUT};
  return to_error(code);
}

void Stream::Impl::set_idle_limit(Duration limit) {
  idle_limit = limit;
  if (const auto next = due()) loop.sweep().expect(*next);
}

void Stream::Impl::set_deadline(std::optional<Instant> when) {
  deadline = when;
  if (const auto next = due()) loop.sweep().expect(*next);
}

// ---- Stream --------------------------------------------------------------------------------

Stream::Stream() = default;
Stream::Stream(std::shared_ptr<Impl> impl) : x(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  if (x) x->close();
  x = std::move(other.x);
  return *this;
}
Stream::~Stream() {
  if (x) x->close();
}
Stream::operator bool() const {
  return x != nullptr;
}

Task<Io<Stream>> Stream::connect(Loop& loop, Address to, Duration time_out, Attempt* attempt) {
  return connect_to(loop, to, time_out, attempt ? &attempt->x : nullptr);
}
void Stream::Attempt::cancel() {
  if (const Held under_way = x.lock()) under_way->close();
}
Task<Io<std::size_t>> Stream::read_some(BytesSpan into) {
  return read_some_of(x, into);
}
Task<Io<std::size_t>> Stream::read_full(BytesSpan into) {
  return read_full_of(x, into);
}
Task<Io<>> Stream::write_all(BytesView bytes) {
  return write_all_of(x, bytes);
}
Task<Io<>> Stream::write_all(BytesView head, BytesView rest) {
  return write_both_of(x, head, rest);
}
Task<Io<>> Stream::readable() {
  return readable_of(x);
}
Io<std::size_t> Stream::read_now(BytesSpan into) {
  return receive(*x, into);
}
bool Stream::ended() const {
  std::uint8_t next = 0;
  return x->is_open() && ::recv(x->descriptor, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}
Io<std::size_t> Stream::write_now(BytesView bytes) {
  return transmit(*x, bytes);
}

void Stream::shutdown_send() {
  if (x->is_open()) (void)::shutdown(x->descriptor, SHUT_WR);
}
void Stream::close() {
  x->close();
}
void Stream::reset() {
  if (!x->is_open()) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)::setsockopt(x->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  x->close();
}
bool Stream::is_open() const {
  return x && x->is_open();
}
void Stream::set_idle_limit(Duration limit) {
  x->set_idle_limit(limit);
}
void Stream::set_deadline(std::optional<Instant> deadline) {
  x->set_deadline(deadline);
}

Io<std::size_t> Stream::unacknowledged() const {
  if (!x->is_open()) return std::unexpected(x->failure(EBADF));
  int bytes = 0;
  if (::ioctl(x->descriptor, SIOCOUTQ, &bytes) != 0) return std::unexpected(x->failure(errno));
  if (bytes == 0) return 0;
  // A reset leaves the count as it was, and who has read the end already is not told otherwise.
  int broken = 0;
  socklen_t size = sizeof broken;
  (void)::getsockopt(x->descriptor, SOL_SOCKET, SO_ERROR, &broken, &size);
  if (broken != 0) return std::unexpected(x->failure(broken));
  return static_cast<std::size_t>(bytes);
}
Address Stream::remote() const {
  return x->remote;
}

}  // namespace mix::runtime
