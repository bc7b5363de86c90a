// SPDX-License-Identifier: Apache-2.0
// A small lab for tests: hosts 10.0.0.1 .. joined by links of one constant latency, an observer
// that keeps everything, and native runs to compare with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/controller/controller.h"
#include "harness/model/digest.h"

namespace lab::conformance {

/// Constant latency, nothing lost. (harness/network has the real ones.)
class PlainNetwork final : public Network {
 public:
  explicit PlainNetwork(Duration latency) : x_latency(latency) {}
  void submit(Parcel&& parcel) override;
  std::optional<VirtualTime> next_due() const override;
  void take_due(VirtualTime now, std::vector<Delivery>& out) override;
  VirtualTime horizon(VirtualTime from) const override { return from + x_latency; }

 private:
  struct Key {
    VirtualTime at;
    std::uint32_t host;
    std::uint64_t sequence;
    auto operator<=>(const Key&) const = default;
  };
  Duration x_latency;
  std::uint64_t x_sequence = 0;
  std::map<Key, Parcel> x_parcels;
};

class Keeper final : public Observer {
 public:
  void activation(const Activation& a) override;
  void segment_sent(const SegmentView& s) override;
  void segment_done(const SegmentView& s) override;
  void log_bytes(VirtualTime, NodeId node, int fd, mix::BytesView bytes) override;
  void record_bytes(VirtualTime, NodeId node, int fd, mix::BytesView bytes) override;
  void file_opened(VirtualTime, NodeId node, std::string_view path) override;
  void node_exited(VirtualTime t, NodeId node, int status) override;
  void note(VirtualTime, NodeId, std::string_view text) override;

  std::map<std::uint32_t, std::string> out, err, record;
  std::map<std::uint32_t, std::vector<std::string>> opened;
  std::map<std::uint32_t, int> status;
  std::vector<std::string> notes;
  std::uint64_t activations = 0;
  VirtualTime last;  ///< when something happened last
  Hasher chain{32};
  std::map<std::uint16_t, std::uint64_t> calls;
  std::string chain_hex() const;
};

struct Program {
  int host = 1;  ///< 10.0.0.<host>
  std::vector<std::string> argv;
  Duration start{};
  std::vector<int> outputs;
  std::map<std::string, std::string> environment;
};

struct Setup {
  std::vector<Program> programs;
  Duration latency = std::chrono::milliseconds(10);
  Duration limit = std::chrono::seconds(600);
  controller::Options options;
  std::uint64_t seed = 1;
  bool memory = false;
  bool fresh_folders = true;
};

struct Result {
  Keeper kept;
  std::optional<controller::Stop> stop;
  controller::Ended ended{};
  VirtualTime end;  ///< when something happened last
  std::vector<controller::MemoryDigest> memory;
  std::vector<controller::Waiting> waiting;
  std::vector<controller::NodeFigures> figures;
  std::string folder;  ///< of the run; host n's is folder/n

  /// Standard output of program i, with its exit status where that is not 0.
  std::string text(std::uint32_t i = 0) const;
};

Result run_in_lab(Setup setup);
/// Path of a conformance program, or of another file of the build's bin folder.
std::string program(const std::string& name);
std::string shim();
/// Runs natively in a fresh folder, one after the other started at once; outputs in order. Who
/// takes longer than a minute is killed, which his output says.
std::vector<std::string> run_natively(const std::vector<std::vector<std::string>>& programs);
/// A port for them that was free a moment ago: below those that the system gives to outgoing
/// connections, where any program's connect may take it meanwhile.
std::string free_port();

}  // namespace lab::conformance
