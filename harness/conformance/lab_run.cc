// SPDX-License-Identifier: Apache-2.0
#include "harness/conformance/lab_run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "src/prelude/bytes.h"
#include "src/prelude/check.h"

namespace lab::conformance {

void PlainNetwork::submit(Parcel&& parcel) {
  const Key key{parcel.sent + x_latency, index(parcel.from), x_sequence++};
  x_parcels.emplace(key, std::move(parcel));
}

std::optional<VirtualTime> PlainNetwork::next_due() const {
  if (x_parcels.empty()) return std::nullopt;
  return x_parcels.begin()->first.at;
}

void PlainNetwork::take_due(VirtualTime now, std::vector<Delivery>& out) {
  while (!x_parcels.empty() && x_parcels.begin()->first.at <= now) {
    auto first = x_parcels.extract(x_parcels.begin());
    out.push_back({first.key().at, Fate::delivered, std::move(first.mapped())});
  }
}

namespace {

void add_number(Hasher& hasher, std::uint64_t value) {
  hasher.add({reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)});
}

std::string fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "mixlab-XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr, name);
  return name;
}

std::string status_text(int status) {
  if (status == 0) return "";
  if (WIFSIGNALED(status)) return "[signal " + std::to_string(WTERMSIG(status)) + "]\n";
  return "[exit " + std::to_string(WEXITSTATUS(status)) + "]\n";
}

}  // namespace

void Keeper::activation(const Activation& a) {
  ++activations;
  last = a.time;
  add_number(chain, static_cast<std::uint64_t>(ns(a.time)));
  add_number(chain, index(a.node));
  chain.add(a.inbox);
  chain.add(a.outbox);
  add_number(chain, static_cast<std::uint64_t>(ns(a.deadline)));
  add_number(chain, a.entropy_drawn);
  for (const CallCount& c : a.calls) {
    add_number(chain, std::uint64_t{c.call} << 32 | c.count);
    calls[c.call] += c.count;
  }
}

void Keeper::segment_sent(const SegmentView& s) {
  add_number(chain, static_cast<std::uint64_t>(s.parcel->kind));
  add_number(chain, s.parcel->bytes.size());
}

void Keeper::segment_done(const SegmentView& s) {
  last = s.at;
}
void Keeper::log_bytes(VirtualTime, NodeId node, int fd, mix::BytesView bytes) {
  (fd == 1 ? out : err)[index(node)] += mix::as_text(bytes);
}
void Keeper::record_bytes(VirtualTime, NodeId node, int, mix::BytesView bytes) {
  record[index(node)] += mix::as_text(bytes);
}
void Keeper::file_opened(VirtualTime, NodeId node, std::string_view path) {
  opened[index(node)].emplace_back(path);
}
void Keeper::node_exited(VirtualTime, NodeId node, int exit_status) {
  status[index(node)] = exit_status;
  add_number(chain, static_cast<std::uint64_t>(exit_status));
}
void Keeper::note(VirtualTime, NodeId, std::string_view text) {
  notes.emplace_back(text);
}
std::string Keeper::chain_hex() const {
  mix::ByteArray<32> bytes{};
  chain.digest(bytes);
  return mix::to_hex(bytes);
}

std::string Result::text(std::uint32_t i) const {
  std::string all;
  if (const auto found = kept.out.find(i); found != kept.out.end()) all = found->second;
  if (const auto found = kept.status.find(i); found != kept.status.end())
    all += status_text(found->second);
  if (stop) all += "[stopped: " + stop->text + "]\n";
  return all;
}

Result run_in_lab(Setup setup) {
  Result result;
  PlainNetwork network(setup.latency);
  if (setup.options.shim.empty()) setup.options.shim = shim();
  if (setup.options.wall_epoch_ns == 0) setup.options.wall_epoch_ns = 1'767'225'600'000'000'000;
  result.folder = fresh_folder();
  auto made = controller::Controller::create(setup.options, network, result.kept);
  CHECK(made.has_value(), made.error());
  controller::Controller& lab = **made;
  lab.keep_memory(setup.memory);
  std::map<int, HostId> hosts;
  std::uint32_t number = 0;
  for (const Program& p : setup.programs) {
    const std::string folder = result.folder + "/" + std::to_string(p.host);
    if (!hosts.contains(p.host)) {
      std::filesystem::create_directories(folder);
      // A program sees its folder's mode: it must not follow our umask.
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
      controller::HostSpec host;
      host.name = "host" + std::to_string(p.host);
      host.address = 0x0a000000u + static_cast<std::uint32_t>(p.host);
      const auto id = lab.add_host(std::move(host));
      CHECK(id.has_value(), id.error());
      hosts[p.host] = *id;
    }
    controller::ProgramSpec spec;
    spec.host = hosts[p.host];
    spec.name = "p" + std::to_string(number++);
    spec.argv = p.argv;
    spec.environment = p.environment;
    spec.start = VirtualTime(p.start);
    spec.folder = folder;
    spec.outputs = p.outputs;
    Hasher key(32);
    add_number(key, setup.seed);
    add_number(key, number);
    key.digest(spec.entropy_key);
    const auto id = lab.add_program(std::move(spec));
    CHECK(id.has_value(), id.error());
  }
  const auto ended = lab.run_until(VirtualTime(setup.limit));
  if (ended)
    result.ended = *ended;
  else
    result.stop = ended.error();
  result.end = result.kept.last;
  result.waiting = lab.waiting();
  lab.finish();
  for (std::uint32_t i = 0; i < number; ++i) {
    result.figures.push_back(lab.figures(NodeId{i}));
    result.memory.push_back(lab.memory(NodeId{i}) ? *lab.memory(NodeId{i})
                                                  : controller::MemoryDigest{});
  }
  return result;
}

std::string program(const std::string& name) {
  return std::string(MIXLAB_CONFORMANCE_BIN) + "/" + name;
}
std::string shim() {
  return MIXLAB_SHIM;
}

namespace {

/// A native program that hangs is a test that fails, not one that never ends.
int wait_natively(pid_t pid) {
  pollfd ended{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
  if (ended.fd >= 0 && ::poll(&ended, 1, 60'000) == 0) ::kill(pid, SIGKILL);
  if (ended.fd >= 0) ::close(ended.fd);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

}  // namespace

std::vector<std::string> run_natively(const std::vector<std::vector<std::string>>& programs) {
  const std::string folder = fresh_folder();
  struct Child {
    pid_t pid;
    std::string out;
  };
  std::vector<Child> children;
  for (const auto& argv : programs) {
    Child child{0, folder + "/.out" + std::to_string(children.size())};
    child.pid = ::fork();
    if (child.pid == 0) {
      std::vector<char*> pointers;
      for (const std::string& a : argv)
        pointers.push_back(const_cast<char*>(a.c_str()));
      pointers.push_back(nullptr);
      const int out = ::open(child.out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      const int null = ::open("/dev/null", O_RDWR);
      if (::chdir(folder.c_str()) != 0) ::_exit(126);
      ::setenv("HOME", folder.c_str(), 1);
      ::unsetenv("LD_BIND_NOW");  // as a program is run by default
      ::dup2(null, 0);
      ::dup2(out, 1);
      ::dup2(null, 2);
      ::close_range(3, ~0u, 0);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    children.push_back(child);
  }
  std::vector<std::string> texts;
  for (const Child& child : children) {
    const int status = wait_natively(child.pid);
    std::ifstream in(child.out);
    std::ostringstream text;
    text << in.rdbuf();
    texts.push_back(text.str() + status_text(status));
  }
  std::filesystem::remove_all(folder);
  return texts;
}

std::string free_port() {
  constexpr int kLowest = 10'000, kBelow = 32'000;
  static std::minstd_rand chance(std::random_device{}());
  std::uniform_int_distribution<int> ports(kLowest, kBelow - 1);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = ports(chance), fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof(a)) == 0;
    ::close(fd);
    if (free) return std::to_string(port);
  }
  throw std::runtime_error("no port is free");
}

}  // namespace lab::conformance
