// SPDX-License-Identifier: Apache-2.0
// Where a program puts its rows: a SQLite file (`--record FILE`), an inherited descriptor
// (`--record fd:N`, record_stream.h), or nowhere.
//
// Never delays a packet: nothing here waits for a disk or a reader, but for close(). Memory is
// bounded (kMaxWaitingRows, kMaxWaitingBytes); rows beyond are counted in lost(), and said once.
// What goes wrong is said once and stops nobody. Threads: one (the loop's) calls; the SQLite sink
// has one writer thread of its own, the descriptor sink none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "src/ports/clock.h"
#include "src/record/hop.h"

namespace mix::record {

/// Rows of one program that may wait for the disk: about 20 MiB.
inline constexpr std::size_t kMaxWaitingRows = 64 * 1024;
/// Bytes that may wait for the reader of a descriptor.
inline constexpr std::size_t kMaxWaitingBytes = 8 * 1024 * 1024;
/// At close, how long a slow disk or reader is waited for.
inline constexpr Duration kCloseTimeout = 20s;

/// The text of --record for every program's --help.
inline constexpr std::string_view kRecordHelp =
    "Write every packet handled to a SQLite file (created 0600; several programs may share one), "
    "or with fd:N to an inherited descriptor. A record links senders to receivers: for test "
    "networks only";

/// A place for rows. Implementations: sqlite_sink.h, stream_sink.h.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void put(Row row) = 0;
  /// The turn of the loop is over: hand on what waits, without waiting.
  virtual void flush() = 0;
  /// Hands on everything, waiting up to kCloseTimeout.
  virtual void close() = 0;
  virtual std::uint64_t lost() const = 0;
};

class HopLog {
 public:
  /// Runs a function on the loop, after the work of this turn: `loop.post`.
  using Defer = std::function<void(std::function<void()>)>;

  /// Records nothing.
  HopLog() = default;
  /// `spec` is the value of --record; empty records nothing. Says one line on what a record is.
  /// The error names the flag and the file. With `defer`, rows of one turn are handed on together
  /// and flush() need not be called.
  static std::expected<HopLog, std::string> open(std::string_view spec, const ports::Clock& clock,
                                                 Defer defer = {});
  HopLog(HopLog&&) noexcept = default;
  HopLog& operator=(HopLog&&) noexcept = default;
  /// Closes.
  ~HopLog();

  /// False: rows go nowhere, so nobody needs to compute digests for them.
  bool on() const { return x_state != nullptr; }

  void node(NodeRow row) { put(std::move(row)); }
  void made(MadeRow row) { put(std::move(row)); }
  void handled(HandledRow row) { put(std::move(row)); }
  void fetched(FetchedRow row) { put(std::move(row)); }

  void flush();
  void close();
  /// Rows that no sink took; also after close().
  std::uint64_t lost() const;

 private:
  struct State {
    std::unique_ptr<Sink> sink;
    Defer defer;
    bool flush_due = false;
  };
  void put(Row row);

  /// Shared with functions that `defer` holds: they may run after the log is gone.
  std::shared_ptr<State> x_state;
  std::uint64_t x_lost = 0;  // once closed
};

}  // namespace mix::record
