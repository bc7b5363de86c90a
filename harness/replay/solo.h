// SPDX-License-Identifier: Apache-2.0
// One program of a recorded run again, alone (guarantee G2): its own binary gets the folder, the
// times, the inboxes and the entropy that the recording holds, no other program runs, and what it
// does is compared activation by activation with what it did then.
//
// Compared are the fields of the chain's events "activation" and "exit": the digest of everything
// it put out (sockets, pipes, log lines, hop records), the deadline it asked for, the entropy it
// drew, the calls it made. A program that was restarted is fed life after life.
//
// Not fed, so that a difference there shows as one: files that another program of the same host
// wrote into their folder while this one lived. Needs a recording with full payloads; open() says
// so. Errors are texts for people. Threads: one, which owns the process (controller.h).
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/controller/controller.h"
#include "harness/runner/runner.h"
#include "harness/scenario/plan.h"
#include "src/sqlite/database.h"

namespace lab::replay {

struct SoloSettings {
  runner::Binary binary;  ///< what is run
  std::string work;       ///< an empty folder
  controller::Options options;
  int life = 0;  ///< only this one of a program that was restarted, from 1; 0: all
};

/// Where the program did something else than it did then.
struct SoloDifference {
  std::int64_t seq = 0;
  VirtualTime time;
  struct Field {
    std::string name, recorded, seen;
  };
  std::vector<Field> fields;      ///< of the event; never empty
  std::vector<std::string> then;  ///< what it put out then, as far as the recording tells
  std::vector<std::string> now;   ///< what it puts out now
  /// Only the calls differ: it does the same by other means, as another build may.
  bool only_calls() const { return fields.size() == 1 && fields[0].name == "calls"; }
};
std::string to_text(const SoloDifference& difference, const std::string& node);

class Solo {
 public:
  static std::expected<std::unique_ptr<Solo>, std::string> open(mix::sqlite::Database& db,
                                                                const scenario::Plan& plan,
                                                                const std::string& node,
                                                                SoloSettings settings);
  ~Solo();

  /// The next activation, before it is fed.
  struct Next {
    std::int64_t seq = 0;
    VirtualTime time;
    bool packet = false;  ///< a whole packet or more comes in with it
  };
  /// Nothing: the recording has no more of this program. Starts its next life where one begins.
  std::expected<std::optional<Next>, std::string> next();
  /// Feeds it; with `stop`, a debugger stops where it begins. nullopt: as recorded.
  std::expected<std::optional<SoloDifference>, std::string> feed(bool stop = false);

  std::int64_t activations() const;
  int lives() const;
  int process_id() const;
  /// Binaries of this program that are not those of the manifest, by file name.
  const std::vector<std::string>& other_builds() const;
  /// What each thread waits for, since when; one line each.
  std::vector<std::string> state() const;

 private:
  class Impl;
  explicit Solo(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> x_impl;
};

}  // namespace lab::replay
