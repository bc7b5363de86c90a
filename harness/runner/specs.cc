// SPDX-License-Identifier: Apache-2.0
#include "harness/runner/specs.h"

#include <arpa/inet.h>

#include <algorithm>

#include "harness/model/stream.h"
#include "harness/runner/folders.h"

namespace lab::runner {
namespace {

constexpr int kRecordDescriptor = 3;  // "fd:3" in the place of {record}
constexpr const char* kRecord = "{record}";

}  // namespace

controller::HostSpec host_spec(const scenario::Plan& plan, HostId id) {
  std::string names;  // the run's /etc/hosts, the same for everybody
  for (const scenario::Host& host : plan.hosts)
    names += host.address + " " + host.name + "\n";
  const scenario::Host& host = plan.hosts[index(id)];
  in_addr address{};
  ::inet_pton(AF_INET, host.address.c_str(), &address);
  controller::HostSpec spec;
  spec.name = host.name;
  spec.address = ntohl(address.s_addr);
  spec.clock_offset = host.clock_offset;
  spec.clock_drift_ppm = host.clock_drift_ppm;
  spec.cpu_cost_per_activation = host.cpu_cost_per_activation;
  spec.virtual_files["/etc/hosts"] = "127.0.0.1 localhost\n" + names;
  return spec;
}

controller::ProgramSpec program_spec_at(const scenario::Plan& plan, NodeId id, int birth,
                                        const std::string& path) {
  const scenario::Program& program = plan.programs[index(id)];
  controller::ProgramSpec spec;
  spec.host = program.host;
  spec.name = program.name;
  spec.argv = program.command;
  spec.argv[0] = path;
  if (std::ranges::find(spec.argv, kRecord) != spec.argv.end()) spec.outputs = {kRecordDescriptor};
  std::ranges::replace(spec.argv, std::string(kRecord), "fd:" + std::to_string(kRecordDescriptor));
  Stream entropy = stream(plan.seed, "node.entropy", program.name + "#" + std::to_string(birth));
  entropy.fill(spec.entropy_key);
  return spec;
}

}  // namespace lab::runner
