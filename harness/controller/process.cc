// SPDX-License-Identifier: Apache-2.0
// A program becomes a process: forked, everything about it fixed that a machine would vary, stopped
// at exec, patched there, attached by its shim, and waiting for its first turn.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string_view>

#include "harness/controller/child.h"
#include "harness/controller/host_state.h"
#include "harness/controller/impl.h"

namespace lab::controller {

bool Mapping::create(const char* name, std::size_t size) {
  x_fd = ::memfd_create(name, MFD_CLOEXEC);
  if (x_fd < 0 || ::ftruncate(x_fd, static_cast<off_t>(size)) != 0) return false;
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, x_fd, 0);
  if (at == MAP_FAILED) return false;
  x_base = static_cast<std::uint8_t*>(at);
  x_size = size;
  return true;
}

void Mapping::reset() {
  if (x_base != nullptr) ::munmap(x_base, x_size);
  if (x_fd >= 0) ::close(x_fd);
  x_base = nullptr;
  x_fd = -1;
}

namespace {

/// argv or envp for execve, alive as long as this.
class Strings {
 public:
  void add(std::string text) { x_texts.push_back(std::move(text)); }
  char** data() {
    x_pointers.clear();
    for (std::string& text : x_texts)
      x_pointers.push_back(text.data());
    x_pointers.push_back(nullptr);
    return x_pointers.data();
  }

 private:
  std::deque<std::string> x_texts;
  std::vector<char*> x_pointers;
};

Strings environment_of(const ProgramSpec& spec) {
  // In the order of names, so that a further variable has one place.
  std::map<std::string, std::string> all = {
      {"HOME", "/node"},
      {"LANG", "C"},
      {"LC_ALL", "C"},
      // A function bound at its first call saves vector registers on the program's stack (XSAVEC in
      // _dl_runtime_resolve): those parts only that the processor holds for used, and that depends
      // on when the real kernel last switched. Bound at the start, nothing is saved.
      {"LD_BIND_NOW", "1"},
      // Always there, so that a packed program's stack begins where any other's does. Where nothing
      // is packed the folder is missing, and the loader notes that once, before the shim attaches.
      {"LD_LIBRARY_PATH", "/proc/self/fd/" + std::to_string(LAB_FD_LIBRARIES)},
      {"LD_PRELOAD", "/proc/self/fd/" + std::to_string(LAB_FD_SHIM)},
      {"PATH", "/usr/bin:/bin"},
      // Keeps libcrypto from RDRAND and RDSEED where CPUID does not fault, and is always there, so
      // that stacks begin alike on every machine. libstdc++ is kept from them by the shim
      // (interpose.cc).
      {"OPENSSL_ia32cap", "~0x4000000000000000:~0x40000"},
      {"TMPDIR", "/node"},
      {"TZ", "UTC"},
      {"USER", "node"},
      {"GLIBC_TUNABLES", "glibc.pthread.rseq=0"},
  };
  for (const auto& [name, value] : spec.environment)
    all[name] = value;
  Strings out;
  for (const auto& [name, value] : all)
    out.add(name + "=" + value);
  return out;
}

bool limit(__rlimit_resource_t resource, rlim_t value) {
  const rlimit both{value, value};
  return ::setrlimit(resource, &both) == 0;
}

/// As high as this user may: what a shell had lowered is nobody's business.
void lift(__rlimit_resource_t resource) {
  rlimit both{};
  if (limit(resource, RLIM_INFINITY) || ::getrlimit(resource, &both) != 0) return;
  both.rlim_cur = both.rlim_max;
  ::setrlimit(resource, &both);
}

/// A path that is open while this lives; an empty one is nothing, and no failure.
class Opened {
 public:
  Opened(const std::string& path, int flags)
      : x_wanted(!path.empty()),
        x_fd(path.empty() ? -1 : ::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Opened() {
    if (x_fd >= 0) ::close(x_fd);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  bool failed() const { return x_wanted && x_fd < 0; }
  int fd() const { return x_fd; }

 private:
  bool x_wanted;
  int x_fd;
};

struct ChildPlan {
  int arena, host, turns, folder, shim, program, errors, null;
  int loader, libraries;  // -1: none
  char** argv;
  char** envp;
  bool randomize;
  pid_t parent;
};

/// Between fork and exec: says into `errors` what went wrong, and what to do.
[[noreturn]] void give_up(int errors, std::string_view what, std::string_view advice = {}) {
  const char* why = std::strerror(errno);
  for (const std::string_view part : {what, std::string_view(why), advice})
    (void)!::write(errors, part.data(), part.size());
  ::_exit(127);
}

void fix_limits(int errors) {
  if (!limit(RLIMIT_STACK, 8 << 20))
    give_up(errors, "its stack cannot have 8 MiB: ", "; raise `ulimit -H -s`");
  limit(RLIMIT_CORE, 0);
  for (const auto kind : {RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NPROC})
    lift(kind);
}

/// The same addresses in every run, unless a run is to show that they do not matter. Who may not
/// (a container's seccomp profile) runs with random ones, which the manifest says (probe.cc).
void fix_layout(const ChildPlan& plan) {
  ::personality(plan.randomize ? 0 : ADDR_NO_RANDOMIZE);
}

/// Between fork and exec: system calls only.
[[noreturn]] void become_program(const ChildPlan& plan) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_TSC, PR_TSC_ENABLE);           // the controller's own flag would survive exec
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);  // gdb may attach where Yama restricts it
  if (::getppid() != plan.parent) ::_exit(127);
  fix_limits(plan.errors);
  fix_layout(plan);
  ::umask(022);
  // Sources may themselves lie at a target: move them out of the way first. In a large network the
  // controller's own descriptors reach far above the targets, so the node's limit comes after.
  const int from[] = {plan.arena, plan.host,    plan.turns,  plan.folder,
                      plan.shim,  plan.program, plan.errors, plan.null};
  int moved[8];
  for (int i = 0; i < 8; ++i) {
    moved[i] = ::fcntl(from[i], F_DUPFD, 920);
    if (moved[i] < 0)
      give_up(plan.errors, "it needs descriptors up to 1024: ", "; raise `ulimit -H -n`");
  }
  const int loader = plan.loader < 0 ? -1 : ::fcntl(plan.loader, F_DUPFD, 920);
  const int libraries = plan.libraries < 0 ? -1 : ::fcntl(plan.libraries, F_DUPFD, 920);
  for (int i = 0; i < 6; ++i)
    ::dup2(moved[i], LAB_FD_ARENA + i);
  ::dup2(moved[7], 0);
  ::dup2(moved[7], 1);
  ::dup2(moved[6], 2);
  ::syscall(SYS_close_range, 3, LAB_FD_ARENA - 1, 0);
  if (loader >= 0) ::dup3(loader, LAB_FD_LOADER, O_CLOEXEC);
  if (libraries >= 0) ::dup2(libraries, LAB_FD_LIBRARIES);
  if (loader < 0) ::close(LAB_FD_LOADER);
  if (libraries < 0) ::close(LAB_FD_LIBRARIES);
  ::syscall(SYS_close_range, LAB_FD_LIBRARIES + 1, ~0u, 0);
  limit(RLIMIT_NOFILE, LAB_FD_LIMIT);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < 65; ++signal)
    ::signal(signal, SIG_DFL);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
    give_up(2, "it cannot be stopped at its start (ptrace(2)): ",
            "; in a container, allow ptrace by its seccomp profile");
  ::syscall(SYS_execveat, LAB_FD_PROGRAM, "", plan.argv, plan.envp, AT_EMPTY_PATH);
  give_up(2, "");
}

std::string read_errors(int fd) {
  char text[2048];
  const ssize_t n = ::pread(fd, text, sizeof(text), 0);
  std::string out(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
    out.pop_back();
  return out;
}

std::vector<std::string> mapped_files_of(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::vector<std::string> out;
  for (std::string line; std::getline(maps, line);) {
    const std::size_t slash = line.find('/');
    if (slash == std::string::npos || line.find("/memfd:") != std::string::npos) continue;
    std::string path = line.substr(slash);
    if (out.empty() || out.back() != path) out.push_back(std::move(path));
  }
  return out;
}

}  // namespace

std::uint32_t Controller::Impl::take_slot() {
  if (!free_slots.empty()) {
    const std::uint32_t slot = free_slots.back();
    free_slots.pop_back();
    return slot;
  }
  return next_slot < LAB_MAX_SLOTS ? next_slot++ : 0;
}

bool Controller::Impl::spawn(Node& node) {
  HostState& host = host_of(node);
  const auto fail = [&](const std::string& why) {
    stop_run(StopKind::cannot_start, &node, "cannot start " + node.spec.argv[0] + ": " + why);
    return false;
  };
  const std::string& binary = node.spec.binary.empty() ? node.spec.argv[0] : node.spec.binary;
  const int program = ::open(binary.c_str(), O_RDONLY | O_CLOEXEC);
  if (program < 0) return fail(std::strerror(errno));
  if (const auto unfit = unfit_program(program, node.spec.argv[0])) {
    ::close(program);
    return fail(*unfit);
  }
  node.folder_fd = ::open(node.spec.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  node.errors_fd = ::memfd_create("mixlab-errors", MFD_CLOEXEC);
  node.slot = node.spec.slot != 0 ? node.spec.slot : take_slot();
  if (node.folder_fd < 0) {
    ::close(program);
    return fail("its folder " + node.spec.folder + ": " + std::strerror(errno));
  }
  if (node.slot == 0 || !node.arena.create("mixlab-arena", LAB_ARENA_SIZE)) {
    ::close(program);
    return fail("no room for another arena");
  }
  if (observer.wants_inputs()) {
    mix::Bytes before;
    pack(*host.kernel, before);
    const std::vector<FileNumber> files = file_numbers(*host.kernel);
    observer.program_starts(
        at_ns(now), node.id,
        {node.slot, node.spec.folder, before, files, host.spec.clock_offset.count()});
    host.written_by = kNoNode;
  }
  node.control = node.arena.at<lab_control>(LAB_CONTROL_OFFSET);
  node.process = node.arena.at<kernel::Process>(LAB_KERNEL_OFFSET);
  lab_control& c = *node.control;
  c.magic = LAB_CONTRACT_MAGIC;
  c.version = LAB_CONTRACT_VERSION;
  c.slot = node.slot;
  c.trap = options.trap == Trap::sud ? LAB_TRAP_SUD : LAB_TRAP_SECCOMP;
  c.flags = (options.interpose ? LAB_FLAG_INTERPOSE : 0) |
            (options.pass_unknown ? LAB_FLAG_PASS_UNKNOWN : 0) |
            (options.cpu == Cpu::masked ? LAB_FLAG_FAULT_TSC | LAB_FLAG_FAULT_CPUID : 0);
  c.pid = host.kernel->next_pid;
  host.kernel->next_pid += 1000;  // room for the threads
  std::copy(node.spec.entropy_key.begin(), node.spec.entropy_key.end(), c.entropy_key);
  c.wall_epoch_ns = options.wall_epoch_ns;
  c.call_limit = options.call_limit;
  c.call_step_ns = options.call_step.count();
  c.cpus = 1;
  c.clock_offset_ns = host.spec.clock_offset.count();
  c.clock_drift_ppm = host.spec.clock_drift_ppm;
  c.now_ns = now;
  c.deadline_ns = LAB_NEVER;
  for (int fd : node.spec.outputs)
    if (fd > 2 && fd < 32) c.inherited |= 1u << fd;

  const Opened loader(node.spec.loader, O_RDONLY);
  const Opened libraries(node.spec.libraries, O_PATH | O_DIRECTORY);
  if (loader.failed() || libraries.failed()) {
    ::close(program);
    return fail("its pack " + node.spec.libraries + ": " + std::strerror(errno));
  }
  Strings arguments, environment = environment_of(node.spec);
  for (const std::string& argument : node.spec.argv)
    arguments.add(argument);
  const ChildPlan plan{node.arena.fd(),
                       host.page.fd(),
                       turns.fd(),
                       node.folder_fd,
                       shim_fd,
                       program,
                       node.errors_fd,
                       null_fd,
                       loader.fd(),
                       libraries.fd(),
                       arguments.data(),
                       environment.data(),
                       options.randomize_addresses,
                       ::getpid()};
  node.pid = ::fork();
  if (node.pid == 0) become_program(plan);
  ::close(program);
  if (node.pid < 0) return fail(std::strerror(errno));

  int status = 0;
  if (!wait_child(node.pid, &status) || !WIFSTOPPED(status)) {
    node.pid = -1;
    return fail(read_errors(node.errors_fd));
  }
  const std::string unpatched = patch_at_exec(node.pid, node.spec.entropy_key, c);
  if (unpatched == "ended") {
    node.pid = -1;
    return fail(read_errors(node.errors_fd));
  }
  if (!unpatched.empty()) return fail(unpatched);

  // Until the shim has attached: the same wait as for an activation.
  node.phase = Phase::running;
  c.next_slot = 0;
  c.state = LAB_STATE_STARTING;
  if (!wait_turn({index(node.id)})) {
    const std::string said = read_errors(node.errors_fd);
    if (stopped && stopped->kind == StopKind::died) {
      stopped.reset();
      return fail(said.empty() ? "it ended before the shim took over" : said);
    }
    return false;
  }
  node.mapped = mapped_files_of(node.pid);
  if (c.state == LAB_STATE_STOPPED) {
    report_stop(node);
    return false;
  }
  observer.node_started(at_ns(now), node.id);
  return true;
}

}  // namespace lab::controller
