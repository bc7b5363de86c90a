// SPDX-License-Identifier: Apache-2.0
#include "harness/runner/manifest.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <boost/json.hpp>
#include <filesystem>

#include "harness/model/sha256.h"

namespace lab::runner {
namespace {

namespace json = boost::json;

json::object sums(const std::vector<std::string>& paths) {
  json::object out;
  for (const std::string& path : paths) {
    const auto sum = sha256_of_file(path);
    out[path] = sum ? json::value(*sum) : json::value(nullptr);
  }
  return out;
}

json::object machine() {
  utsname name{};
  ::uname(&name);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  json::array mask;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &cpus)) mask.push_back(i);
  json::object limits;
  const std::pair<const char*, decltype(RLIMIT_STACK)> kinds[] = {
      {"stack", RLIMIT_STACK}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}};
  for (const auto& [word, kind] : kinds) {
    rlimit limit{};
    ::getrlimit(kind, &limit);
    limits[word] = static_cast<std::int64_t>(limit.rlim_cur);
  }
  return {{"kernel", name.release}, {"machine", name.machine}, {"cpus", mask}, {"rlimits", limits}};
}

}  // namespace

json::object surroundings(const controller::Options& options) {
  json::object abilities;
  for (const controller::Ability& ability : controller::probe_machine())
    abilities[ability.name] =
        json::object{{"available", ability.available}, {"detail", ability.detail}};
  return {
      {"machine", machine()},
      {"trap", options.trap == controller::Trap::seccomp ? "seccomp" : "sud"},
      {"cpu", options.cpu == controller::Cpu::masked ? "masked" : "plain"},
      {"interpose", options.interpose},
      {"randomize_addresses", options.randomize_addresses},
      {"void", options.pass_unknown},
      {"abilities", abilities},
  };
}

std::string manifest(json::object surroundings, const std::vector<std::string>& mapped,
                     const std::map<std::string, std::uint64_t>& files_read,
                     const std::map<std::string, std::string>& programs) {
  std::vector<std::string> read;
  for (const auto& [path, times] : files_read)
    read.push_back(path);
  std::error_code error;
  const std::string lab = std::filesystem::read_symlink("/proc/self/exe", error).string();
  json::object out = std::move(surroundings);
  out["binaries"] = sums(mapped);
  out["files"] = sums(read);
  json::object& named = out["programs"].emplace_object();
  for (const auto& [name, path] : programs)
    named[name] = path;
  out["lab"] = sums({lab});
  return json::serialize(out);
}

}  // namespace lab::runner
