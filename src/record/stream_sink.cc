// SPDX-License-Identifier: Apache-2.0
#include "src/record/stream_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/prelude/log.h"
#include "src/record/record_stream.h"

namespace mix::record {
namespace {

class StreamSink final : public Sink {
 public:
  explicit StreamSink(int fd) : x_fd(fd), x_bytes(kStreamMagic.begin(), kStreamMagic.end()) {}
  ~StreamSink() override { ::close(x_fd); }

  void put(Row row) override {
    if (x_broken || x_bytes.size() >= kMaxWaitingBytes + x_written) {
      if (x_lost++ == 0 && !x_broken)
        log::warn("record: descriptor ", x_fd, " does not take rows as fast as they come; ",
                  "some are lost (said once)");
      return;
    }
    append_row(x_bytes, row);
  }

  void flush() override {
    while (x_written < x_bytes.size()) {
      const ssize_t n = ::write(x_fd, x_bytes.data() + x_written, x_bytes.size() - x_written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return forget_written();
      if (n < 0) return give_up(errno);
      x_written += static_cast<std::size_t>(n);
    }
    x_bytes.clear();
    x_written = 0;
  }

  void close() override {
    flush();
    while (x_written < x_bytes.size()) {
      pollfd ready{x_fd, POLLOUT, 0};
      const int timeout_ms = static_cast<int>(kCloseTimeout / 1ms);
      if (::poll(&ready, 1, timeout_ms) == 0) return give_up(ETIMEDOUT);
      flush();
    }
  }

  std::uint64_t lost() const override { return x_lost; }

 private:
  /// Moves at most once what is written once.
  void forget_written() {
    if (x_written < x_bytes.size() / 2) return;
    x_bytes.erase(x_bytes.begin(), x_bytes.begin() + static_cast<std::ptrdiff_t>(x_written));
    x_written = 0;
  }
  void give_up(int error) {
    log::warn("record: cannot write to descriptor ", x_fd, ": ", std::strerror(error),
              "; nothing more is recorded");
    x_broken = true;
    ++x_lost;
    x_bytes.clear();
    x_written = 0;
  }

  int x_fd;
  Bytes x_bytes;
  std::size_t x_written = 0;  // of x_bytes
  bool x_broken = false;
  std::uint64_t x_lost = 0;
};

}  // namespace

std::expected<std::unique_ptr<Sink>, std::string> open_stream_sink(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0)
    return std::unexpected("--record fd:" + std::to_string(fd) + ": " + std::strerror(errno));
  if ((flags & O_ACCMODE) == O_RDONLY)
    return std::unexpected("--record fd:" + std::to_string(fd) + ": not open for writing");
  (void)::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return std::make_unique<StreamSink>(fd);
}

}  // namespace mix::record
