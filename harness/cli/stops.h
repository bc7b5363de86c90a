// SPDX-License-Identifier: Apache-2.0
// --until: where a run is to stand still, what is shown then, and what the user says next. The
// programs stay alive meanwhile, so that a debugger can attach to them.
//
// Commands come as lines from standard input, a terminal or a pipe; at its end the run goes on to
// its own. Going back means running again, up to an earlier point; every event on the way is
// compared with what it was the first time (16 bytes of memory an event).
//
// A round of activations at one instant is never divided: a run stands still when it is over.
// Threads: the run's.
#pragma once

#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "harness/replay/checker.h"
#include "harness/runner/runner.h"

namespace lab::cli {

struct Until {
  std::string text;                    // as it was written
  std::optional<VirtualTime> time;     // "3 s": before what is due then
  std::optional<std::uint64_t> event;  // "1042": when that one has happened
  std::optional<std::int64_t> packet;  // "hop(packet=17, layer=2)": when it has come there
  int layer = 0;
};
/// One or more, with semicolons between them. The error says what is understood.
std::expected<std::vector<Until>, std::string> read_until(const std::string& text);

class Stops final : public runner::Visitor {
 public:
  /// Without `wishes` it stands still only where `checker` finds a difference, and ends the run
  /// there. `nodes`: the programs' names, in the plan's order.
  Stops(std::vector<Until> wishes, std::vector<std::string> nodes);
  /// Before every pass; may be null.
  void start(replay::Checker* checker);

  /// The user wants an earlier point: the run has to be started again.
  bool again() const { return x_again; }
  /// The first event at which a later pass was not what the first was.
  std::optional<std::uint64_t> apart() const { return x_apart; }
  /// What was wished for and never came.
  std::vector<std::string> unmet() const;

  void event(mix::BytesView canonical) override;
  void recorded(const mix::record::Row& row) override;
  void crossed(const recorder::WirePacketRow& row, mix::BytesView bytes, int layer) override;
  VirtualTime next_time() const override;
  const std::atomic<bool>& halt() const override { return x_halt; }
  /// Not without wishes: then its checker may be fed by another thread (Writer::follow).
  bool follows() const override { return x_interactive; }
  /// From any thread: let the run stand still.
  void halt_now() { x_halt = true; }
  bool stopped(const runner::Standing& standing) override;

 private:
  struct Wish {
    Until until;
    std::optional<Digest> packet;  // how the packet that is waited for looks now
  };
  enum class Answer { go_on, ask_again, end };
  void reach(const Wish& wish, const std::string& why);
  bool differs() const { return x_checker != nullptr && x_checker->differs(); }
  void show(const runner::Standing& standing);
  void show_events();
  bool stand(const runner::Standing& standing);
  bool ask(const runner::Standing& standing);
  Answer obey(const std::string& line, const runner::Standing& standing);
  Answer aim(const std::string& where, bool back, VirtualTime now);

  std::vector<std::string> x_nodes;
  std::vector<Wish> x_wishes;
  bool x_interactive;
  replay::Checker* x_checker = nullptr;
  bool x_step = false, x_again = false, x_over = false;
  bool x_helped = false;
  std::atomic<bool> x_halt = false;
  std::string x_why;  // why it stands still
  std::optional<std::uint64_t> x_apart;
  std::uint64_t x_events = 0;       // of this pass
  std::uint64_t x_shown = 0;        // of them, before the last stop
  std::uint64_t x_compared = 0;     // equal to those of an earlier pass
  std::vector<Digest> x_seen;       // of the pass that came furthest
  std::deque<mix::Bytes> x_latest;  // events, to be shown
  std::int64_t x_made = 0;          // packets made so far: ids of the view `packet`
};

}  // namespace lab::cli
