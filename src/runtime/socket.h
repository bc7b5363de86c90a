// SPDX-License-Identifier: Apache-2.0
// What lies behind a Stream: the socket, its time-outs, and the translation between Asio's words
// and ours. Internal to this folder.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "src/runtime/stream.h"
#include "src/runtime/sweep.h"

namespace mix::runtime {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

boost::asio::ip::tcp::endpoint to_endpoint(const Address& address);
Address to_address(const boost::asio::ip::tcp::endpoint& endpoint);
IoError::Kind kind_of(int system_error);
IoError to_error(const boost::system::error_code& failure);

struct Stream::Impl final : Swept {
  /// The descriptor, which does not block, is ours from now on.
  Impl(Loop& of, int connection, const Address& peer);
  ~Impl();  // closes

  std::optional<Instant> due() const override;
  void time_out() override;

  bool is_open() const { return descriptor >= 0; }
  void touch() { last_active = loop.now(); }
  void close();
  /// Before the first byte goes.
  void send_promptly();
  /// Before the first wait: tells the reactor of the descriptor, once.
  Io<> enroll();
  /// For who goes on with Asio alone: this stream is closed from then on.
  Socket give_away();
  /// What an operation's failure means, given how the stream ended.
  IoError failure(const boost::system::error_code& code) const;
  IoError failure(int system_error) const;
  void set_idle_limit(Duration limit);
  void set_deadline(std::optional<Instant> when);

  Loop& loop;
  int descriptor;
  Socket socket;   // the same descriptor, open once enrolled
  Address remote;  // kept for when the peer is gone
  Instant last_active;
  Duration idle_limit{};
  std::optional<Instant> deadline;
  bool timed_out = false;
  bool prompt = false;   // TCP_NODELAY is on
  bool drained = false;  // the last read took all there was: asking again would be in vain
  unsigned at_once = 0;  // operations since the task last let others go first
  Sweep::Place place;
};

}  // namespace mix::runtime
