// SPDX-License-Identifier: Apache-2.0
// TCP: connections and listeners. Bytes only; packets are cut in wire/frame.h.
//
// Failures of the world are IoError values, cheap to make and without text until asked. Time-outs
// of reading and writing are found by one sweep a second over all connections that asked for one,
// never by a timer each, and are up to a second late; connecting has an exact deadline.
// TCP_NODELAY is always on, from the first byte sent: whole messages are handed over in one write.
// Bounds: a Listener's connections (ListenOptions). Threads: the loop's.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"
#include "src/runtime/loop.h"
#include "src/sphinx/address.h"

namespace mix::runtime {

/// An IP address and a port; the same value that routing records carry.
using Address = sphinx::NodeAddress;

struct IoError {
  enum class Kind : std::uint8_t {
    closed,       // the peer closed, or we did
    reset,        // the peer broke the connection off
    refused,      // nobody listens there
    unreachable,  // no way there
    timed_out,
    would_block,  // only from *_now
    exhausted,    // no descriptors or memory left
    other
  };
  Kind kind = Kind::other;
  int system = 0;  // errno, or 0

  std::string text() const;
};
template <class T = void>
using Io = std::expected<T, IoError>;

class Stream {
 public:
  struct Impl;  // for this folder only

  /// No connection: only assigning to it and asking `if (stream)` make sense.
  Stream();
  ~Stream();  // closes
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  explicit operator bool() const;

  /// For who may have to give up an attempt to connect. Of one attempt.
  class Attempt {
   public:
    /// It ends with `closed`; without effect when it has ended.
    void cancel();

   private:
    friend class Stream;
    std::weak_ptr<Impl> x;
  };
  /// `attempt` outlives the task.
  static Task<Io<Stream>> connect(Loop& loop, Address to, Duration time_out,
                                  Attempt* attempt = nullptr);

  /// At least one byte, or 0 when the peer has closed its side.
  Task<Io<std::size_t>> read_some(BytesSpan into);
  /// All of `into`; fewer bytes only when the peer closed its side before (0: between messages).
  Task<Io<std::size_t>> read_full(BytesSpan into);
  /// Everything, or an error; nobody else may be writing.
  Task<Io<>> write_all(BytesView bytes);
  /// `head`, then `rest`, gathered by the system: for a text that others are being sent too.
  Task<Io<>> write_all(BytesView head, BytesView rest);

  /// Until there is something to read (or the end of the stream, or an error): for many quiet
  /// connections that share one buffer.
  Task<Io<>> readable();
  /// What is there now; 0 is the end of the stream, `would_block` is nothing yet.
  Io<std::size_t> read_now(BytesSpan into);
  /// True when the peer has closed its side and everything before was read. Takes nothing.
  bool ended() const;
  /// As much as the system takes now; `would_block` when that is nothing.
  Io<std::size_t> write_now(BytesView bytes);

  /// No more bytes will be sent; the peer reads the end of the stream.
  void shutdown_send();
  /// Operations that wait end with `closed`. What was written is still delivered.
  void close();
  /// Breaks off with a reset: the peer learns that something was lost.
  void reset();
  bool is_open() const;

  /// Closes the connection, with `timed_out` for who waits, when nothing was read or written for
  /// this long (up to a second longer). Zero switches it off, which is the default.
  void set_idle_limit(Duration limit);
  /// As above, but absolute: closes at `deadline` (up to a second late) unless changed before.
  void set_deadline(std::optional<Instant> deadline);

  /// Bytes written that the peer's system has not acknowledged (SIOCOUTQ), or the error that says
  /// that they never will be.
  Io<std::size_t> unacknowledged() const;
  Address remote() const;

  explicit Stream(std::shared_ptr<Impl> impl);
  const std::shared_ptr<Impl>& impl() const { return x; }

 private:
  std::shared_ptr<Impl> x;
};

struct ListenOptions {
  std::size_t max_connections = 4096;
  int backlog = 1024;
  /// At the bound: close the connection that has been silent longest (true), or the new one.
  bool make_room = true;
};

class Listener {
 public:
  /// Serves one connection; it is closed when the task ends.
  using Handler = std::function<Task<>(Stream)>;

  /// Binds and listens. The error names the address and why ("127.0.0.1:8080: already in use").
  /// Port 0 takes a free one: see local().
  static std::expected<Listener, std::string> open(Loop& loop, Address at,
                                                   ListenOptions options = {});
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();  // stops accepting; connections live on

  /// Accepts from now on. Out of descriptors it refuses newcomers, says so once, and goes on.
  void serve(Handler handler);
  Address local() const;
  std::size_t connections() const;
  /// Connections closed or refused because of the bound or the lack of descriptors.
  std::uint64_t turned_away() const;

 private:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> x;
};

}  // namespace mix::runtime
