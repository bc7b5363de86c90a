// SPDX-License-Identifier: Apache-2.0
// At the exec stop, before the first instruction of the loader: the 16 bytes that seed the stack
// canary, the pointer guard and runtimes' hash seeds come from the node's entropy, and the vDSO is
// hidden, so that clock calls without interposition arrive in the trap (a visible vDSO shows real
// time whatever is faulted).
#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/controller/cpu_mask.h"
#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

constexpr std::size_t kLookAt = 256 * 1024;

bool write_memory(pid_t pid, std::uint64_t at, const void* from, std::size_t n) {
  iovec local{const_cast<void*>(from), n}, remote{reinterpret_cast<void*>(at), n};
  return ::process_vm_writev(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(n);
}

/// Words of the initial stack: argc, argv, 0, envp, 0, auxv pairs.
std::string patch_stack(pid_t pid, std::uint64_t sp, const std::array<std::uint8_t, 16>& random) {
  std::vector<std::uint64_t> words(kLookAt / 8);
  iovec local{words.data(), kLookAt}, remote{reinterpret_cast<void*>(sp), kLookAt};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  if (got <= 0) return std::string("its first stack cannot be read: ") + std::strerror(errno);
  const std::size_t count = static_cast<std::size_t>(got) / 8;
  std::size_t at = 1 + words[0] + 1;
  while (at < count && words[at] != 0)
    ++at;
  bool patched_random = false;
  for (++at; at + 1 < count && words[at] != AT_NULL; at += 2) {
    if (words[at] == AT_RANDOM)
      patched_random = write_memory(pid, words[at + 1], random.data(), random.size());
    if (words[at] == AT_SYSINFO_EHDR) {
      const std::uint64_t ignore = AT_IGNORE;
      if (!write_memory(pid, sp + at * 8, &ignore, 8)) return "the vDSO cannot be hidden";
    }
  }
  return patched_random ? "" : "AT_RANDOM cannot be set";
}

}  // namespace

std::array<std::uint8_t, 16> at_random_bytes(const std::array<std::uint8_t, 32>& key) {
  Hasher hasher(16);
  const std::string_view purpose = "mixlab AT_RANDOM";
  hasher.add(mix::as_bytes(purpose));
  hasher.add(key);
  std::array<std::uint8_t, 16> out{};
  hasher.digest(out);
  return out;
}

std::string patch_at_exec(pid_t pid, const std::array<std::uint8_t, 32>& key,
                          lab_control& control) {
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0)
    return std::string("ptrace: ") + std::strerror(errno);
  std::string problem = patch_stack(pid, registers.rsp, at_random_bytes(key));
  if (problem.empty() && (control.flags & (LAB_FLAG_FAULT_CPUID | LAB_FLAG_FAULT_TSC)) != 0)
    problem = mask_cpu(pid, control);
  if (problem == "ended") return problem;
  if (::ptrace(PTRACE_DETACH, pid, nullptr, nullptr) != 0 && problem.empty())
    problem = std::string("ptrace detach: ") + std::strerror(errno);
  return problem;
}

std::optional<std::string> unfit_program(int fd, const std::string& path) {
  Elf64_Ehdr header{};
  if (::pread(fd, &header, sizeof(header), 0) != static_cast<ssize_t>(sizeof(header)) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return path + " is not an ELF program (a script needs its interpreter named)";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
    return path + " is not for x86-64";
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const off_t at = static_cast<off_t>(header.e_phoff) + i * static_cast<off_t>(sizeof(segment));
    if (::pread(fd, &segment, sizeof(segment), at) != static_cast<ssize_t>(sizeof(segment))) break;
    if (segment.p_type == PT_INTERP) return std::nullopt;
  }
  return path +
         " is statically linked: the lab enters a program through its dynamic loader (link it "
         "dynamically)";
}

}  // namespace lab::controller
