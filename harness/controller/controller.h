// SPDX-License-Identifier: Apache-2.0
// Drives real, unmodified programs under virtual time: starts them, hands them their turns, carries
// what they send to the network and what arrives back, in one total order.
//
// A run: construct, add hosts and programs, run_until() as often as faults and checks want to look
// in between, finish(). Nothing here knows scenarios, recordings or mixnets.
//
// Order: (time, kind, host, per-host sequence). Same-time entries of one program come in one inbox;
// the programs of one instant run one after the other in the order of their NodeId.
//
// Errors: what the world or a program does wrong comes back as a Stop (exit 3 of `mixlab run`);
// a usage mistake of add_* as a text. Threads: one thread owns a Controller for all its life (nodes
// die with the thread that started them).
#pragma once

#include <array>
#include <atomic>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/model/ids.h"
#include "harness/model/virtual_time.h"
#include "harness/protocol/network.h"
#include "harness/protocol/observer.h"

namespace lab::controller {

struct NodeState;  // node_state.h

enum class Trap { seccomp, sud };
/// How far the CPU's own answers are hidden. `plain`: not at all. `masked`: CPUID and RDTSC fault
/// from the first instruction of the loader on and are answered from a table.
enum class Cpu { plain, masked };

struct Options {
  std::string shim;                ///< path of libmixlab-shim.so
  std::int64_t wall_epoch_ns = 0;  ///< CLOCK_REALTIME at the start of the run
  Trap trap = Trap::seccomp;
  Cpu cpu = Cpu::masked;
  bool interpose = true;
  bool randomize_addresses = false;  ///< leave address randomisation on (own programs only)
  bool pass_unknown = false;         ///< diagnostic; makes the run void
  bool chain_hand_over = true;
  bool look_ahead = true;  ///< hand over once for several instants, where links are slow enough
  int pin_cpu = -1;        ///< -1: the CPU this thread runs on now; -2: do not pin
  std::uint32_t call_limit = 200'000;  ///< calls in one activation before the clock steps
  Duration call_step = std::chrono::milliseconds(1);
  Duration watchdog = std::chrono::seconds(20);  ///< wall time of one activation
  std::uint64_t rounds_at_one_instant = 100'000;
  std::uint64_t max_activations = 0;  ///< 0: no limit; else a Stop of kind runaway
};

struct HostSpec {
  std::string name;
  std::uint32_t address = 0;  ///< IPv4, host byte order; 127/8 is every host's own
  Duration clock_offset{};
  std::int64_t clock_drift_ppm = 0;
  Duration cpu_cost_per_activation{};
  /// Files that only look like files: "/etc/hosts", ... (contents are the run's, not the machine's)
  std::map<std::string, std::string> virtual_files;
};

struct ProgramSpec {
  HostId host = kNoHost;
  std::string name;
  std::vector<std::string> argv;  ///< argv[0]: path of the binary (looked up as it is)
  std::string binary;             ///< the file that is run, where that is not argv[0]
  std::string loader;             ///< the dynamic loader to run it with, else the one it names
  std::string libraries;          ///< a folder that the loader looks in first
  std::map<std::string, std::string> environment;  ///< beside the fixed one
  VirtualTime start;
  std::string folder;  ///< real path; the program sees it as /node, its HOME and working folder
  std::vector<int> outputs;  ///< inherited descriptors (3..9) that take bytes for the observer
  std::array<std::uint8_t, 32> entropy_key{};  ///< all its chance comes from here
  std::uint32_t slot = 0;                      ///< of the table of turns; 0: the next free one
};

/// One activation's input as it was recorded (observer.h, Activation).
struct Feed {
  VirtualTime time;
  mix::BytesView inbox;
  mix::BytesView host;  ///< empty: nobody else changed it
  std::int64_t clock_offset_ns = 0;
};

enum class StopKind {
  cannot_start,  ///< missing, static, not for this machine
  refused_call,  ///< a call that the lab does not know, or will not do
  capacity,      ///< a table of the simulated kernel is full
  crashed,       ///< killed by a signal of the real kernel (a fault in the program)
  died,          ///< gone without a word
  watchdog,      ///< an activation took too long in wall time (inconclusive, never "fail")
  runaway,       ///< no progress of virtual time
  internal,      ///< a bug of the lab
};

struct Stop {
  StopKind kind{};
  NodeId node = kNoNode;
  std::uint32_t thread = 0;
  std::int64_t call = -1;
  VirtualTime time;
  std::string text;  ///< one line for people, complete: names node, thread, call, virtual time
};

/// Where one thread of a node waits; for reports on a run that went quiet.
struct Waiting {
  NodeId node = kNoNode;
  std::uint32_t thread = 0;
  std::string call;
  VirtualTime since, until = kNever;
};

enum class Ended {
  time_reached,
  quiet,
  halted  ///< the flag of halt_when() was set; virtual time stays where it is
};

struct ExitInfo {
  int wait_status = 0;
  VirtualTime time;
  bool killed_by_lab = false;  ///< crash() or finish()
};

struct MemoryRegion {
  std::string label;  ///< "0x555555558000 2 rw" and the file, where it has one
  mix::ByteArray<16> digest{};
};
struct MemoryDigest {
  mix::ByteArray<16> all{};
  std::vector<MemoryRegion> regions;
};

struct NodeFigures {
  std::uint64_t activations = 0, entropy_drawn = 0, traps = 0, calls = 0, steps = 0;
};

class Controller {
 public:
  static std::expected<std::unique_ptr<Controller>, std::string> create(Options options,
                                                                        Network& network,
                                                                        Observer& observer);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  std::expected<HostId, std::string> add_host(HostSpec spec);
  /// At any time; `start` in the past starts now. A second program of one name is the caller's.
  std::expected<NodeId, std::string> add_program(ProgramSpec spec);

  /// Runs everything due before `limit`, and stops there; virtual time is then `limit`.
  /// Ended::quiet: nothing is due any more (for kNever, time stays at the last event).
  std::expected<Ended, Stop> run_until(VirtualTime limit);
  VirtualTime now() const;
  /// Ends run_until() after the round in which `*flag` is set, which stays as it is.
  void halt_when(const std::atomic<bool>* flag);

  /// SIGTERM (or another signal) at the present instant.
  void stop(NodeId node, int signal = 15);
  /// Kills; what it wrote to files stays, its connections are reset or closed as Linux does.
  void crash(NodeId node);
  /// Between pause and resume a node runs not at all; what arrives waits.
  void pause(NodeId node);
  void resume(NodeId node);
  void step_clock(HostId host, Duration by);

  std::optional<ExitInfo> exited(NodeId node) const;
  std::vector<Waiting> waiting() const;
  /// What a node's simulated kernel holds now; between two calls of run_until().
  NodeState look(NodeId node) const;
  NodeFigures figures(NodeId node) const;
  /// Binary and libraries as mapped, in order of address; known after its first activation.
  std::vector<std::string> mapped_files(NodeId node) const;
  /// Taken at the node's exit, or by finish() for those still running. Needs keep_memory(true)
  /// before the node ends.
  void keep_memory(bool on);
  const MemoryDigest* memory(NodeId node) const;

  /// Ends every node that still runs.
  void finish();

  // ---- one program alone, fed from a recording; never mixed with run_until ----

  /// Makes the process at `spec.start`, before its first activation, on a host in this state.
  std::expected<void, Stop> feed_start(NodeId node, mix::BytesView host,
                                       std::span<const FileNumber> files);
  /// One activation. What it puts out goes to the observer (activation, log_bytes, record_bytes,
  /// node_exited, note) and nowhere else.
  std::expected<void, Stop> feed(NodeId node, const Feed& feed);
  /// The real process, for debuggers; -1 when it is gone.
  int process_id(NodeId node) const;
  /// Asks the shim to call `lab_debug_stop` at the begin of the next activation: a breakpoint.
  void stop_in_debugger(NodeId node);

 private:
  struct Impl;
  explicit Controller(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> x;
};

/// What this machine can and cannot close, one line each, for `doctor` and the manifest.
struct Ability {
  std::string name;  ///< "cpuid faulting"
  bool available = false;
  std::string detail;  ///< what that means
  std::string advice;  ///< what to do where it is not available; empty where it is
};
std::vector<Ability> probe_machine();
/// The machine refuses to switch address randomisation off (its row is "address layout").
bool addresses_stay_random();

}  // namespace lab::controller
