// SPDX-License-Identifier: Apache-2.0
// The controller's insides, shared by its sources; users see controller.h.
//
//   process.cc    a program becomes a stopped, patched, attached process
//   scheduler.cc  what is due next, whose turn it is, hand-overs
//   look_ahead.cc several instants in one chain of hand-overs
//   carrier.cc    outboxes to the network; connections
//   delivery.cc   what the network brings, to inboxes
//   ending.cc     exits, crashes, stops
//   memory.cc     the digest of writable memory
//   feed.cc       one program alone, fed from a recording
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>

#include "harness/controller/controller.h"
#include "harness/kernel/state.h"
#include "harness/model/digest.h"
#include "harness/protocol/contract.h"

namespace lab::controller {

/// A shared mapping behind a descriptor.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { reset(); }
  /// An anonymous file of that size, zeros, mapped. False on failure (errno).
  bool create(const char* name, std::size_t size);
  void reset();
  int fd() const { return x_fd; }
  template <class T = std::uint8_t>
  T* at(std::size_t offset = 0) const {
    return reinterpret_cast<T*>(x_base + offset);
  }
  explicit operator bool() const { return x_base != nullptr; }

 private:
  int x_fd = -1;
  std::uint8_t* x_base = nullptr;
  std::size_t x_size = 0;
};

enum class Phase { waiting, running, lingering, over };

struct SocketRef {
  std::uint64_t handle = 0;
  std::uint64_t connection = 0;
};

struct Node {
  ProgramSpec spec;
  NodeId id = kNoNode;
  Phase phase = Phase::waiting;
  std::uint32_t slot = 0;
  pid_t pid = -1;
  Mapping arena;
  lab_control* control = nullptr;
  kernel::Process* process = nullptr;
  int folder_fd = -1, errors_fd = -1;
  bool marked = false;  // runs in this round
  bool paused = false;
  std::int64_t deadline = LAB_NEVER, busy_until = 0;
  std::uint64_t inbox_generation = 1;
  std::vector<std::uint8_t> spill;  // inbox entries that found no room
  std::vector<SocketRef> sockets;   // by socket index
  std::uint64_t entropy_seen = 0;
  mix::Bytes host_before;  // the host's state before this activation, where others changed it
  NodeFigures figures;
  std::vector<std::string> mapped;
  std::optional<ExitInfo> exit;
  MemoryDigest memory;
  bool has_memory = false;
};

/// Of a delivery whose report waits.
struct Told {
  Delivery delivery;
  SegmentView view;
};

/// What is due at one instant, handed in and not yet run.
struct Round {
  std::int64_t time = 0;
  std::vector<std::uint32_t> nodes;  // that run, in order
  std::vector<Told> told;
};

struct HostState {
  HostSpec spec;
  Mapping page;
  kernel::Host* kernel = nullptr;
  std::vector<NodeId> nodes;
  bool waits = false;           // a node of it is in `collected`
  NodeId written_by = kNoNode;  // who changed `kernel` last, if inputs are wanted; none: the lab
};

/// One end of a connection.
struct Side {
  NodeId node = kNoNode;
  HostId host = kNoHost;
  std::uint64_t handle = 0;
  bool known = false;         // the node has said its handle
  bool want = false;          // wake it for acknowledgements
  bool closed = false;        // its socket is gone, or was reset
  std::uint64_t sent = 0;     // bytes submitted
  std::uint64_t arrived = 0;  // bytes delivered to it; FIN counts one
  // where the newest acknowledgement and window lie in an inbox that has not been taken yet
  std::uint64_t ack_generation = 0, window_generation = 0;
  std::size_t ack_at = 0, window_at = 0;
};

struct Connection {
  Side side[2];               // 0 client, 1 server
  lab_addresses addresses{};  // client's view
  std::uint64_t client_edge = 0, server_edge = 0;
  std::uint64_t listener = 0;  // handle
  bool syn_in_flight = false, answered = false, established = false, refused = false;
};

struct Due {
  std::int64_t time = 0;
  std::uint32_t kind = 0;  // 0 start, 1 wake, 2 parcel
  std::uint32_t host = 0;
  std::uint64_t sequence = 0;
  NodeId node = kNoNode;
  std::shared_ptr<Parcel> parcel;
  friend bool operator>(const Due& a, const Due& b) {
    return std::tie(a.time, a.kind, a.host, a.sequence) >
           std::tie(b.time, b.kind, b.host, b.sequence);
  }
};

struct Controller::Impl {
  Options options;
  Network& network;
  Observer& observer;
  Mapping turns;
  int shim_fd = -1;
  int null_fd = -1;
  std::deque<HostState> hosts;
  std::deque<Node> nodes;
  std::vector<Connection> connections{1};
  std::priority_queue<Due, std::vector<Due>, std::greater<>> agenda;
  std::priority_queue<std::pair<std::int64_t, std::uint32_t>,
                      std::vector<std::pair<std::int64_t, std::uint32_t>>, std::greater<>>
      deadlines;
  std::vector<std::uint64_t> host_sequence;
  std::vector<std::uint32_t> marked, running, woken;
  std::vector<Round> collected;
  std::vector<Delivery> deliveries, ahead;
  std::vector<CallCount> calls;
  std::vector<std::uint32_t> free_slots;
  std::uint32_t next_slot = 1;
  std::int64_t now = 0;
  std::int64_t instant = -1;
  std::uint64_t rounds = 0, activations = 0;
  std::optional<Stop> stopped;
  bool keep_memory = false;
  const std::atomic<bool>* halt = nullptr;
  bool pinned = false, matched = false;
  cpu_set_t old_affinity{};
  std::uint64_t turns_taken = 0;  // atomic: the watcher reads it
  std::thread watcher;
  std::mutex watch_mutex;
  std::condition_variable watch_wake;
  bool watch_end = false;

  Impl(Options o, Network& n, Observer& ob) : options(std::move(o)), network(n), observer(ob) {}
  ~Impl();

  // process.cc
  bool spawn(Node& node);
  std::uint32_t take_slot();
  // scheduler.cc
  std::expected<Ended, Stop> run_until(std::int64_t limit);
  std::int64_t next_time();
  void collect(std::int64_t t);
  void collect_agenda(std::int64_t t);
  void take_woken(std::int64_t t);
  void mark(Node& node);
  bool begin_round();
  bool run_marked();
  bool step(std::int64_t t);
  bool run_nodes(const std::vector<std::uint32_t>& chain);
  bool hand_over(const std::vector<std::uint32_t>& chain);
  bool hand_over_by_host(const std::vector<std::uint32_t>& chain);
  void show_host(Node& node);
  void watch();
  bool look_after(const std::vector<std::uint32_t>& chain, Duration waited);
  bool wait_turn(const std::vector<std::uint32_t>& chain);
  void add_due(Due due, HostId host);
  void take_back(Node& node);
  void report_activation(Node& node);
  // look_ahead.cc
  bool may_wait(std::int64_t t) const;
  bool collect_ahead(std::int64_t t);
  bool touches_waiting() const;
  bool reports_later(const Delivery& delivery) const;
  bool run_collected();
  bool run_collected_before(std::int64_t t);
  bool catch_up(std::int64_t t);
  bool finish(Round& round);
  // carrier.cc
  std::uint8_t* inbox_entry(Node& node, lab_in kind, std::uint64_t id, std::uint64_t value,
                            std::size_t size, std::uint16_t flags = 0);
  void take_outbox(Node& node, std::int64_t sent);
  /// Its report goes to the observer, or to `later`.
  void deliver(Delivery& came, std::vector<Told>* later = nullptr);
  void deliver_datagram(const Parcel& p);
  void hand_in(std::uint64_t id);
  void submit(Parcel&& parcel);
  void forget_ports(Node& node);
  void close_connections(Node& node);
  void side_closed(std::uint64_t id, int side, bool reset, std::int64_t sent);
  // ending.cc
  void stop_run(StopKind kind, const Node* node, std::string text);
  void report_stop(Node& node);
  void end_node(Node& node, int wait_status, bool by_lab);
  void reap(Node& node);
  void kill_node(Node& node, int status);
  // memory.cc
  void digest_memory(Node& node);
  // feed.cc
  bool feed_start(Node& node);
  bool feed(Node& node, const Feed& feed);
  void take_fed_outbox(Node& node);

  Node& node_of(NodeId id) { return nodes[index(id)]; }
  HostState& host_of(const Node& node) { return hosts[index(node.spec.host)]; }
};

/// A parcel of this connection from one of its sides (0: the client's).
Parcel parcel_of(const Connection& c, std::uint64_t id, int from_side, ParcelKind kind,
                 std::int64_t sent);
std::string hex(std::uint64_t value);
/// "virtual time 1.234567890 s"
std::string time_text(std::int64_t ns);
/// What a thread waits in: "read", "futex"; for reports.
std::string call_text(std::int64_t call);
/// The exec stop: rewrites AT_RANDOM and hides the vDSO. Empty on success, else why not.
std::string patch_at_exec(pid_t pid, const std::array<std::uint8_t, 32>& key, lab_control& control);
/// What the kernel maps for the vDSO and its clocks, of which the vDSO itself begins `before` bytes
/// behind the begin. The same in every program that one kernel runs, so our own is looked at. It
/// can be closed as a whole only: the kernel does not divide it.
struct VdsoPages {
  std::uint64_t before = 0, size = 0;
};
VdsoPages vdso_pages();
std::array<std::uint8_t, 16> at_random_bytes(const std::array<std::uint8_t, 32>& key);
/// nullopt: a dynamically linked x86-64 program. Else what it is instead.
std::optional<std::string> unfit_program(int fd, const std::string& path);

}  // namespace lab::controller
