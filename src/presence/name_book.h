// SPDX-License-Identifier: Apache-2.0
// What is known of the names of a topology, and whose turn it is to be asked for. Which names are
// listed, and how many, a stranger decides: names that do not resolve come after those that do or
// may, and wait longer each time, also when they were not listed for a while.
//
// Of names that never failed, those go first that were not asked for longest, one of each domain
// after the other: hundreds of one domain are in the way of no other. Then those that failed,
// fewest times first. Names of one domain have half of the questions at most, and so have those
// that failed; a question that takes long makes room for another, up to a number.
//
// Bounds: questions (wire::kMaxNamesAsked and kMaxNamesOverdue), names listed, names that failed
// and are not listed now, addresses of a name. Pure: asks nobody, reads no clock. Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/prelude/instant.h"
#include "src/runtime/stream.h"

namespace mix::presence {

using Addresses = std::vector<runtime::Address>;

class NameBook {
 public:
  /// A question that takes longer than `patience` is overdue.
  explicit NameBook(Duration patience) : x_patience(patience) {}

  /// These "host:port" are listed now, as far as they are not too many. Each is due, but for those
  /// that failed lately.
  void list(const std::vector<std::string>& names, Instant now);
  /// Who is to be asked for now; nothing when nobody is due, or enough questions are open.
  std::optional<std::string> next(Instant now);
  /// The answer to a question; empty when there is no such name.
  void answered(const std::string& name, Addresses addresses, Instant now);

  /// No answer is missing that is worth waiting for.
  bool settled(Instant now) const;
  /// Every listed name has an address, which is its answer since it was listed last.
  bool complete() const;
  /// Of the last answer.
  const Addresses& addresses_of(const std::string& name) const;

  std::size_t open_questions() const { return x_open.size(); }
  /// Names remembered.
  std::size_t size() const { return x_known.size(); }

 private:
  struct Known {
    std::string domain;
    Addresses addresses;
    Instant asked = Instant::min();
    Instant again = Instant::min();  // not before, if it failed
    unsigned failures = 0;           // in a row
    bool listed = false;
    bool asking = false;
    bool fresh = false;  // answered since it was listed last
  };
  using Book = std::map<std::string, Known, std::less<>>;

  void forget(Instant now);
  void put_in_order();
  bool may_be_asked(const Known& known, Instant now) const;
  bool overdue(const Known& known, Instant now) const { return now - known.asked >= x_patience; }

  Duration x_patience;
  Book x_known;
  std::vector<Book::iterator> x_turns;  // of those listed
  std::vector<Book::iterator> x_open;   // questions, in the order asked
};

/// The last two labels: whoever owns it decides how long its names take.
std::string domain_of(std::string_view host);

}  // namespace mix::presence
