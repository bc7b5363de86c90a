// SPDX-License-Identifier: Apache-2.0
#include "harness/controller/controller.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "harness/controller/cpu_mask.h"
#include "harness/controller/impl.h"
#include "harness/protocol/syscalls.h"

namespace lab::controller {
namespace {

/// Pages a simulated machine shows where a real one would show itself.
std::map<std::string, std::string> default_files() {
  return {
      {"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
      {"/etc/resolv.conf", ""},
      {"/etc/nsswitch.conf", "hosts: files\n"},
      {"/etc/host.conf", "multi on\n"},
      {"/etc/gai.conf", ""},
      {"/etc/passwd", "node:x:1000:1000::/node:/bin/sh\n"},
      {"/proc/sys/kernel/osrelease", "6.1.0-lab\n"},
      {"/proc/sys/net/core/somaxconn", "4096\n"},
      {"/proc/sys/vm/overcommit_memory", "0\n"},
      {"/sys/devices/system/cpu/online", "0\n"},
      {"/sys/devices/system/cpu/possible", "0\n"},
  };
}

std::string write_virtual_files(kernel::Host& host,
                                const std::map<std::string, std::string>& files) {
  std::uint64_t offset = 0;
  for (const auto& [path, text] : files) {
    if (host.virtual_count == kernel::kMaxVirtual) return "too many virtual files";
    kernel::VirtualFile& file = host.virtual_file[host.virtual_count];
    if (path.size() >= sizeof(file.path)) return "path of a virtual file too long: " + path;
    if (offset + text.size() > kernel::kVirtualBytes) return "virtual files too large";
    std::memcpy(file.path, path.c_str(), path.size() + 1);
    file.offset = offset;
    file.size = text.size();
    std::memcpy(host.virtual_bytes + offset, text.data(), text.size());
    offset += text.size();
    ++host.virtual_count;
  }
  return {};
}

}  // namespace

Controller::Controller(std::unique_ptr<Impl> impl) : x(std::move(impl)) {}
Controller::~Controller() = default;

std::expected<std::unique_ptr<Controller>, std::string> Controller::create(Options options,
                                                                           Network& network,
                                                                           Observer& observer) {
  auto impl = std::make_unique<Impl>(std::move(options), network, observer);
  // Four descriptors a node: 1024, the usual limit, would end at 250 nodes.
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  impl->shim_fd = ::open(impl->options.shim.c_str(), O_RDONLY | O_CLOEXEC);
  if (impl->shim_fd < 0)
    return std::unexpected("the shim " + impl->options.shim + ": " + std::strerror(errno));
  impl->null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (!impl->turns.create("mixlab-turns", sizeof(lab_turns)))
    return std::unexpected(std::string("the table of turns: ") + std::strerror(errno));
  impl->watcher = std::thread([watched = impl.get()] { watched->watch(); });
  if (impl->options.pin_cpu != -2) {
    // One CPU for the controller and its nodes: across CPUs a hand-over costs thirty times more.
    ::sched_getaffinity(0, sizeof(impl->old_affinity), &impl->old_affinity);
    cpu_set_t one;
    CPU_ZERO(&one);
    const int cpu = impl->options.pin_cpu >= 0 ? impl->options.pin_cpu : ::sched_getcpu();
    CPU_SET(static_cast<std::size_t>(std::max(cpu, 0)), &one);
    if (::sched_setaffinity(0, sizeof(one), &one) != 0)
      return std::unexpected("CPU " + std::to_string(cpu) + ": " + std::strerror(errno));
    impl->pinned = true;
  }
  // No preemption at wake-up: who hands over goes to sleep by itself.
  const sched_param batch{};
  ::sched_setscheduler(0, SCHED_BATCH, &batch);
  if (impl->options.cpu == Cpu::masked) {
    match_faults(true);
    impl->matched = true;
  }
  return std::unique_ptr<Controller>(new Controller(std::move(impl)));
}

std::expected<HostId, std::string> Controller::add_host(HostSpec spec) {
  for (const HostState& other : x->hosts)
    if (other.spec.address == spec.address)
      return std::unexpected("hosts " + other.spec.name + " and " + spec.name +
                             " have one address");
  HostState& host = x->hosts.emplace_back();
  host.spec = std::move(spec);
  if (!host.page.create("mixlab-host", LAB_HOST_SIZE))
    return std::unexpected(std::string("the host's page: ") + std::strerror(errno));
  host.kernel = host.page.at<kernel::Host>();
  const std::uint32_t a = host.spec.address;
  const std::uint8_t ip[16] = {0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0xff,
                               0xff,
                               static_cast<std::uint8_t>(a >> 24),
                               static_cast<std::uint8_t>(a >> 16),
                               static_cast<std::uint8_t>(a >> 8),
                               static_cast<std::uint8_t>(a)};
  std::memcpy(host.kernel->address, ip, sizeof(ip));
  host.kernel->next_pid = 1000;
  std::map<std::string, std::string> files = default_files();
  for (const auto& [path, text] : host.spec.virtual_files)
    files[path] = text;
  const std::string problem = write_virtual_files(*host.kernel, files);
  if (!problem.empty()) return std::unexpected("host " + host.spec.name + ": " + problem);
  x->host_sequence.push_back(0);
  return HostId{static_cast<std::uint32_t>(x->hosts.size() - 1)};
}

std::expected<NodeId, std::string> Controller::add_program(ProgramSpec spec) {
  if (index(spec.host) >= x->hosts.size())
    return std::unexpected("program " + spec.name + ": no such host");
  if (spec.argv.empty()) return std::unexpected("program " + spec.name + ": no command");
  for (int fd : spec.outputs)
    if (fd < 3 || fd > 31)
      return std::unexpected("program " + spec.name + ": inherited descriptors are 3 to 31");
  Node& node = x->nodes.emplace_back();
  node.id = NodeId{static_cast<std::uint32_t>(x->nodes.size() - 1)};
  node.spec = std::move(spec);
  x->hosts[index(node.spec.host)].nodes.push_back(node.id);
  x->add_due({std::max(ns(node.spec.start), x->now), 0, 0, 0, node.id, nullptr}, node.spec.host);
  return node.id;
}

std::expected<Ended, Stop> Controller::run_until(VirtualTime limit) {
  if (x->stopped) return std::unexpected(*x->stopped);
  return x->run_until(ns(limit));
}

void Controller::halt_when(const std::atomic<bool>* flag) {
  x->halt = flag;
}

VirtualTime Controller::now() const {
  return at_ns(x->now);
}

void Controller::stop(NodeId id, int signal) {
  Node& node = x->node_of(id);
  if (node.phase == Phase::waiting) {
    node.phase = Phase::over;  // it never starts
    return;
  }
  if (node.phase != Phase::running) return;
  x->inbox_entry(node, LAB_IN_SIGNAL, 0, static_cast<std::uint64_t>(signal), 0);
  x->mark(node);
}

void Controller::crash(NodeId id) {
  x->kill_node(x->node_of(id), SIGKILL);
}

void Controller::pause(NodeId id) {
  x->node_of(id).paused = true;
}

void Controller::resume(NodeId id) {
  Node& node = x->node_of(id);
  node.paused = false;
  if (node.phase == Phase::waiting || node.phase == Phase::over) return;
  if (node.deadline != LAB_NEVER) x->deadlines.push({std::max(node.deadline, x->now), index(id)});
  node.deadline = node.deadline == LAB_NEVER ? LAB_NEVER : std::max(node.deadline, x->now);
  if (node.control->inbox_size > 0) x->mark(node);
}

void Controller::step_clock(HostId id, Duration by) {
  HostState& host = x->hosts[index(id)];
  host.spec.clock_offset += by;
  for (const NodeId node_id : host.nodes) {
    Node& node = x->node_of(node_id);
    if (node.control == nullptr) continue;
    node.control->clock_offset_ns += by.count();
    x->mark(node);  // timers on the wall clock look again
  }
}

std::optional<ExitInfo> Controller::exited(NodeId id) const {
  return x->node_of(id).exit;
}

std::vector<Waiting> Controller::waiting() const {
  std::vector<Waiting> out;
  for (const Node& node : x->nodes) {
    if (node.phase != Phase::running || node.process == nullptr) continue;
    for (std::uint32_t i = 0; i < node.process->thread.high; ++i) {
      const kernel::Thread& t = node.process->thread[i];
      if (!t.used || t.run != kernel::Run::blocked) continue;
      out.push_back({node.id, static_cast<std::uint32_t>(t.tid), call_name(t.call),
                     at_ns(t.wait.since),
                     t.wait.deadline == LAB_NEVER ? kNever : at_ns(t.wait.deadline)});
    }
  }
  return out;
}

NodeFigures Controller::figures(NodeId id) const {
  return x->node_of(id).figures;
}
std::vector<std::string> Controller::mapped_files(NodeId id) const {
  return x->node_of(id).mapped;
}
void Controller::keep_memory(bool on) {
  x->keep_memory = on;
}
const MemoryDigest* Controller::memory(NodeId id) const {
  const Node& node = x->node_of(id);
  return node.has_memory ? &node.memory : nullptr;
}

void Controller::finish() {
  for (Node& node : x->nodes)
    x->kill_node(node, SIGKILL);
}

}  // namespace lab::controller
