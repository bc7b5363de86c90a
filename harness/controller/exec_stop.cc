// SPDX-License-Identifier: Apache-2.0
// At the exec stop, before the first instruction of the loader: the 16 bytes that seed the stack
// canary, the pointer guard and runtimes' hash seeds come from the node's entropy; the vDSO is
// hidden and its pages are closed, so that clock calls without interposition arrive in the trap (a
// visible vDSO shows real time whatever is faulted); and the user is the lab's.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "harness/controller/cpu_mask.h"
#include "harness/controller/impl.h"
#include "harness/kernel/kernel.h"

namespace lab::controller {
namespace {

constexpr std::size_t kLookAt = 256 * 1024;

bool write_memory(pid_t pid, std::uint64_t at, const void* from, std::size_t n) {
  iovec local{const_cast<void*>(from), n}, remote{reinterpret_cast<void*>(at), n};
  return ::process_vm_writev(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(n);
}

/// No address leads there any more, and who looks for it finds nothing that can be read.
void close_vdso(pid_t pid, std::uint64_t at) {
  static const VdsoPages pages = vdso_pages();
  if (at == 0 || pages.size == 0) return;
  inject(pid, SYS_mprotect, at - pages.before, pages.size, PROT_NONE);
}

/// What the kernel tells a program at its start, as every run tells it.
struct Auxiliary {
  std::uint64_t random = 0, vdso = 0;  // addresses

  void take(std::uint64_t type, std::uint64_t* pair) {
    switch (type) {
      case AT_RANDOM:
        random = pair[1];
        break;
      case AT_SYSINFO_EHDR:
        vdso = pair[1];
        pair[0] = AT_IGNORE;
        pair[1] = 0;
        break;
      case AT_UID:
      case AT_EUID:
      case AT_GID:
      case AT_EGID:
        pair[1] = kernel::kUser;
        break;
      default:
        break;
    }
  }
};

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
  const std::size_t begin = ++at;
  Auxiliary found;
  for (; at + 1 < count && words[at] != AT_NULL; at += 2)
    found.take(words[at], &words[at]);
  if (found.random == 0 || !write_memory(pid, found.random, random.data(), random.size()))
    return "AT_RANDOM cannot be set";
  if (!write_memory(pid, sp + begin * 8, &words[begin], (at - begin) * 8))
    return "the vDSO cannot be hidden";
  close_vdso(pid, found.vdso);
  return "";
}

}  // namespace

VdsoPages vdso_pages() {
  std::ifstream maps("/proc/self/maps");
  std::uint64_t begin = 0, at = 0, end = 0;
  for (std::string line; std::getline(maps, line);) {
    const bool vdso = line.ends_with("[vdso]");
    if (!vdso && line.find("[vvar") == std::string::npos) continue;
    const std::uint64_t from = std::stoull(line, nullptr, 16);
    if (begin == 0) begin = from;
    if (vdso) at = from;
    end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
  }
  return at == 0 ? VdsoPages{} : VdsoPages{at - begin, end - begin};
}

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
