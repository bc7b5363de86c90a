// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/alarm.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstdint>

#include "src/prelude/check.h"

namespace mix::runtime {
namespace asio = boost::asio;

struct Alarm::Impl : std::enable_shared_from_this<Alarm::Impl> {
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  Impl(Loop& of, std::function<void()> what)
      : loop(of), descriptor(of.context().get_executor()), ring(std::move(what)) {
    const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(fd >= 0, "timerfd_create, errno", errno);
    descriptor.assign(fd);
  }

  void set(std::int64_t ns) {
    itimerspec when{};
    when.it_value.tv_sec = ns / 1'000'000'000;
    when.it_value.tv_nsec = ns % 1'000'000'000;
    CHECK(::timerfd_settime(descriptor.native_handle(), TFD_TIMER_ABSTIME, &when, nullptr) == 0,
          "errno", errno);
  }
  void listen() {
    descriptor.async_read_some(
        asio::buffer(&expirations, sizeof expirations),
        [self = shared_from_this()](const boost::system::error_code& failure, std::size_t) {
          if (!failure) self->expired();
        });
  }
  void expired() {
    // Between the expiry and this turn the alarm may have been set to later, or switched off.
    if (deadline && loop.now() >= *deadline) {
      deadline.reset();
      ring();
    }
    if (descriptor.is_open()) listen();
  }

  Loop& loop;
  Descriptor descriptor;
  std::function<void()> ring;
  std::optional<Instant> deadline;
  std::uint64_t expirations = 0;
};

Alarm::Alarm(Loop& loop, std::function<void()> ring)
    : x(std::make_shared<Impl>(loop, std::move(ring))) {
  x->listen();
}

Alarm::~Alarm() {
  boost::system::error_code ignored;
  x->descriptor.close(ignored);
}

void Alarm::arm(Instant deadline) {
  x->deadline = deadline;
  // Zero would switch it off.
  x->set(std::max<std::int64_t>(deadline.time_since_epoch().count(), 1));
}

void Alarm::disarm() {
  if (!x->deadline) return;
  x->deadline.reset();
  x->set(0);
}

std::optional<Instant> Alarm::deadline() const {
  return x->deadline;
}

}  // namespace mix::runtime
