// SPDX-License-Identifier: Apache-2.0
// The deeper oracle: a digest of every writable page of a node and of its simulated kernel's
// tables. The chain sees what a program says; this sees what it knows. Left out: the lab's own
// mappings but for those tables (handler stacks hold frames of real signals), and the kernel's.
#include <sys/uio.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

struct Range {
  std::uint64_t begin = 0, end = 0;
  std::string label;
};

/// A thread that still has the memory: the first one may have ended before the others.
pid_t living_thread(pid_t pid) {
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream maps(task.path() / "maps");
    if (maps.peek() != std::ifstream::traits_type::eof())
      return static_cast<pid_t>(std::stol(task.path().filename().string()));
  }
  return pid;
}

/// Files of the node's own folder, wherever it is, are named as the node names them.
std::vector<Range> writable_ranges(pid_t pid, const std::string& folder) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::vector<Range> out;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream in(line);
    std::string range, access, offset, device, inode, name;
    in >> range >> access >> offset >> device >> inode;
    std::getline(in >> std::ws, name);
    if (access.size() < 3 || access[1] != 'w' || name.starts_with("/memfd:mixlab")) continue;
    if (!folder.empty() && name.starts_with(folder + "/")) name.replace(0, folder.size(), "/node");
    const std::size_t dash = range.find('-');
    Range r;
    r.begin = std::stoull(range.substr(0, dash), nullptr, 16);
    r.end = std::stoull(range.substr(dash + 1), nullptr, 16);
    r.label = range + " " + access + (name.empty() ? "" : " " + name);
    out.push_back(std::move(r));
  }
  return out;
}

bool add_range(pid_t pid, const Range& range, Hasher& hasher) {
  std::vector<std::uint8_t> chunk(1 << 20);
  for (std::uint64_t at = range.begin; at < range.end; at += chunk.size()) {
    const std::size_t n = std::min<std::uint64_t>(chunk.size(), range.end - at);
    iovec local{chunk.data(), n}, remote{reinterpret_cast<void*>(at), n};
    if (::process_vm_readv(pid, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(n)) return false;
    hasher.add({chunk.data(), n});
  }
  return true;
}

}  // namespace

void Controller::Impl::digest_memory(Node& node) {
  if (node.pid <= 0 || node.control == nullptr) return;
  Hasher all;
  MemoryDigest out;
  const auto close = [&](std::string label, const Hasher& hasher) {
    MemoryRegion region;
    region.label = std::move(label);
    hasher.digest(region.digest);
    all.add(mix::as_bytes(region.label));
    all.add(region.digest);
    out.regions.push_back(std::move(region));
  };
  const pid_t thread = living_thread(node.pid);
  for (const Range& range : writable_ranges(thread, node.spec.folder)) {
    Hasher hasher;
    // Said, not left out: memory that cannot be read is no equal memory.
    const bool whole = add_range(thread, range, hasher);
    close(range.label + (whole ? "" : " (unreadable)"), hasher);
  }
  Hasher tables;
  tables.add({node.arena.at(LAB_KERNEL_OFFSET), offsetof(kernel::Process, scratch)});
  close("simulated kernel", tables);
  all.digest(out.all);
  node.memory = std::move(out);
  node.has_memory = true;
}

}  // namespace lab::controller
