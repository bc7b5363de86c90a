// SPDX-License-Identifier: Apache-2.0
// The addresses behind the hosts of a topology. Who is in it, and under what name, a stranger
// decides: names that resolve slowly, or never, must not keep anybody from hearing the rest.
//
// Numbers and localhost are answered at once. Other names are asked a few at a time, in the order
// that the book says (name_book.h), and an answer is waited for only so long; a name not answered
// in time has the addresses of its last answer, or none. A question that the system still works on
// is not put a second time.
// Bounds: the book's, across all calls. Threads: the loop's (each question has one of the
// resolver's for as long as it takes). Must outlive the loop's run().
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/prelude/instant.h"
#include "src/presence/name_book.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::presence {

using AddressBook = std::map<std::string, Addresses, std::less<>>;

class Names {
 public:
  using Answer = std::expected<Addresses, std::string>;
  using Resolve =
      std::function<runtime::Task<Answer>(runtime::Loop&, std::string host, std::uint16_t port)>;

  Names(runtime::Loop& loop, Resolve resolve, Duration patience);

  struct Found {
    AddressBook addresses;  // of every host asked for, in the resolver's order; empty: none
    bool complete = true;   // every host has an address, and none is that of an earlier answer
  };
  /// `hosts` are "host:port".
  runtime::Task<Found> find(std::vector<std::string> hosts);

 private:
  struct State;

  static runtime::Task<> ask(std::shared_ptr<State> state, std::string host);
  static void ask_next(const std::shared_ptr<State>& state, Instant now);

  std::shared_ptr<State> x;
  Duration x_patience;
};

}  // namespace mix::presence
