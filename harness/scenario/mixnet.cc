// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/mixnet.h"

#include "harness/scenario/units.h"

namespace lab::scenario {
namespace {

constexpr const char* kDirectory = "http://10.0.0.1:8080";
// Users come to a network that stands: by then every mix has asked twice who its neighbours are.
// Clients that start with it lose their first packets (`next_hop_unknown`).
constexpr Duration kClientsLater = std::chrono::seconds(2);

/// A duration as the programs' flags take it: "100ms".
std::string flag(Duration d) {
  std::string out = write_duration(d);
  std::erase(out, ' ');
  return out;
}

/// A rate as the programs' flags take it: events in a second, a decimal number.
std::string flag(Ratio per_second) {
  const std::uint64_t micro = (per_second.num * 1'000'000 + per_second.den / 2) / per_second.den;
  std::string out = std::to_string(micro / 1'000'000);
  if (micro % 1'000'000 == 0) return out;
  std::string digits = std::to_string(micro % 1'000'000);
  digits.insert(0, 6 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return out + "." + digits;
}

class Expansion {
 public:
  Expansion(const Section& mixnet, Plan& plan) : x_mixnet(mixnet), x_plan(plan) {}

  void run() {
    x_plan.layers = static_cast<int>(count("layers"));
    if (x_mixnet.get<bool>("directory")) directory();
    for (std::size_t i = 0; i < count("layers") * count("width"); ++i)
      mix(i);
    for (std::size_t i = 0; i < count("providers"); ++i)
      provider(i);
    for (std::size_t i = 0; i < count("clients"); ++i)
      client(i);
  }

 private:
  std::size_t count(const char* key) const {
    return static_cast<std::size_t>(x_mixnet.get<std::int64_t>(key));
  }

  HostId host(const std::string& name, Role role, unsigned family, std::size_t n, int layer = 0) {
    Host out;
    out.name = name;
    out.address = address_of(family, n);
    out.role = role;
    out.layer = layer;
    x_plan.hosts.push_back(std::move(out));
    return HostId(x_plan.hosts.size() - 1);
  }

  Program& program(HostId host, std::string name, std::vector<std::string> command) {
    Program out;
    out.host = host;
    out.name = std::move(name);
    out.command = std::move(command);
    out.start =
        x_mixnet.get<Duration>("stagger") * static_cast<std::int64_t>(x_plan.programs.size());
    x_plan.programs.push_back(std::move(out));
    return x_plan.programs.back();
  }

  void directory() {
    const HostId at = host("directory", Role::directory, 0, 0);
    Program& p =
        program(at, "directory",
                {"nym-directory", "--host", "10.0.0.1", "--port", "8080", "--record", "{record}"});
    p.role = Role::directory;
  }

  void mix(std::size_t n) {
    const int layer = static_cast<int>(n / count("width")) + 1;
    const std::string name = "mix-" + std::to_string(n);
    const HostId at = host(name, Role::mix, 1, n, layer);
    Program& p =
        program(at, name,
                {"nym-mixnode", "run", "--host", address_of(1, n), "--port", "1789", "--layer",
                 std::to_string(layer), "--layers", std::to_string(count("layers")), "--directory",
                 kDirectory, "--record", "{record}"});
    p.role = Role::mix;
    p.layer = layer;
  }

  void provider(std::size_t n) {
    const std::string name = "provider-" + std::to_string(n), address = address_of(2, n);
    const HostId at = host(name, Role::provider, 2, n);
    Program& p = program(at, name, {"nym-sfw-provider",   "run",
                                    "--mixHost",          address,
                                    "--mixPort",          "8085",
                                    "--clientHost",       address,
                                    "--clientPort",       "9000",
                                    "--storeDir",         "inboxes",
                                    "--registeredLedger", "registered_clients",
                                    "--layers",           std::to_string(count("layers")),
                                    "--directory",        kDirectory,
                                    "--record",           "{record}"});
    p.role = Role::provider;
    p.layer = static_cast<int>(count("layers")) + 1;
  }

  void client(std::size_t n) {
    const std::string name = "client-" + std::to_string(n);
    const HostId at = host(name, Role::client, 3, n);
    Program& keys = program(at, name + ".init", {"nym-client", "init", "--id", name});
    keys.public_key_file = public_key_path(name);
    keys.start += kClientsLater;
    const auto init = NodeId(x_plan.programs.size() - 1);
    Program& p = program(at, name,
                         {"nym-client",
                          "websocket",
                          "--id",
                          name,
                          "--port",
                          "9001",
                          "--directory",
                          kDirectory,
                          "--layers",
                          std::to_string(count("layers")),
                          "--loop-rate",
                          flag(x_mixnet.get<Ratio>("loop_rate")),
                          "--send-rate",
                          flag(x_mixnet.get<Ratio>("send_rate")),
                          "--mean-delay",
                          flag(x_mixnet.get<Duration>("mean_delay")),
                          "--poll-interval",
                          flag(x_mixnet.get<Duration>("poll_interval")),
                          "--record",
                          "{record}"});
    p.after = init;
    p.role = Role::client;
    p.layer = 0;
  }

  const Section& x_mixnet;
  Plan& x_plan;
};

}  // namespace

std::string address_of(unsigned family, std::size_t n) {
  return "10." + std::to_string(family) + "." + std::to_string(n / 250) + "." +
         std::to_string(n % 250 + 1);
}

std::string public_key_path(const std::string& client) {
  return ".config/nym/clients/" + client + "/public.pem";
}

void expand_mixnet(const Section& mixnet, Plan& plan) {
  Expansion(mixnet, plan).run();
}

}  // namespace lab::scenario
