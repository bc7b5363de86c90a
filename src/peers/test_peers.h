// SPDX-License-Identifier: Apache-2.0
// For tests only: peers over loopback, with real sockets; sender and receivers share one loop.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "src/peers/peers.h"
#include "src/wire/frame.h"

namespace mix::peers::test {

using record::DropReason;
using runtime::Address;
using runtime::Listener;
using runtime::ListenOptions;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;
using sphinx::NodeAddress;

inline sphinx::Packet packet(int number) {
  sphinx::Packet bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}
inline int number_of(wire::PacketView packet) {
  int number = 0;
  std::memcpy(&number, packet.data(), sizeof number);
  return number;
}
inline Address anywhere() {
  return NodeAddress::ipv4({127, 0, 0, 1}, 0);
}

/// A next hop: notes what came on which connection.
struct Receiver {
  struct Got {
    int connection;
    int number;
    bool operator==(const Got&) const = default;
  };

  explicit Receiver(Loop& of, Address at = anywhere())
      : loop(of), listener(Listener::open(of, at).value()) {
    listener.serve([this](Stream stream) { return serve(std::move(stream)); });
  }
  Address address() const { return listener.local(); }

  Task<> serve(Stream stream) {
    const int connection = ++connections;
    wire::FrameReader reader;
    Bytes buffer(64 * 1024);
    while (true) {
      if (close_at_once) co_return;
      const auto count = co_await stream.read_some(buffer);
      if (!count || *count == 0) break;
      ++reads;
      reader.feed(BytesView(buffer).first(*count));
      while (const auto packet = reader.next())
        got.push_back({connection, number_of(*packet)});
      const bool closing = close_after && got.size() >= *close_after;
      if (closing) close_after.reset();
      if (on_packets) on_packets();
      if (closing) co_return;
    }
    if (on_end) on_end();
  }

  std::vector<int> numbers() const {
    std::vector<int> out;
    for (const Got& one : got)
      out.push_back(one.number);
    return out;
  }

  Loop& loop;
  Listener listener;
  int connections = 0;
  int reads = 0;
  bool close_at_once = false;
  std::optional<std::size_t> close_after;
  std::vector<Got> got;
  std::function<void()> on_packets;
  std::function<void()> on_end;
};

struct Fixture {
  Loop loop;
  std::vector<std::pair<std::uint16_t, std::optional<DropReason>>> outcomes;
  std::function<void()> on_outcome;
  Peers::Limits limits;
  std::optional<Peers> peers;

  Peers& start() {
    peers.emplace(
        loop,
        [this](const Parcel& parcel, Outcome outcome) {
          outcomes.emplace_back(parcel.next.port,
                                outcome ? std::nullopt : std::optional(outcome.error()));
          if (on_outcome) on_outcome();
        },
        limits);
    return *peers;
  }
  static std::shared_ptr<const PeerInfo> ours(const Address& address) {
    return std::make_shared<PeerInfo>(true, std::vector{address});
  }
  void add(const Address& to, int number, const std::shared_ptr<const PeerInfo>& info) {
    Parcel parcel;
    parcel.next = to;
    peers->add(packet(number), parcel, info);
  }
  void send(const Address& to, std::initializer_list<int> numbers, bool keeps = true) {
    for (int number : numbers)
      add(to, number, keeps ? ours(to) : nullptr);
    peers->flush();
  }
  std::size_t count(std::optional<DropReason> reason) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        outcomes, [&](const auto& outcome) { return outcome.second == reason; }));
  }
  /// A port where nobody listens, as far as anybody can know.
  Address nobody() { return Listener::open(loop, anywhere()).value().local(); }
};

inline constexpr std::nullopt_t kSent = std::nullopt;

/// A next hop whose queue takes one connection; to others it does not answer.
inline Listener busy(Loop& loop) {
  return Listener::open(loop, anywhere(), ListenOptions{.backlog = 0}).value();
}

}  // namespace mix::peers::test
