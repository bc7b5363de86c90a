// SPDX-License-Identifier: Apache-2.0
// The JSON texts of presence and topology, field for field those of the original programs.
//
// A presence is read strictly (what it lacks or has wrong is an error that names the field); a
// topology is read tolerantly (an entry nobody can use is skipped and counted, because one bad
// entry must not stop a client). Unknown fields are ignored in both. Arrays are never null. Bounds:
// nesting at most 32; sizes are the caller's, who has the body in memory already.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "src/topology/topology.h"

namespace mix::topology {

// ---- Presence: what a node posts ------------------------------------------------------------
std::string to_presence_json(const MixInfo& mix);
std::string to_presence_json(const ProviderInfo& provider);
std::string to_presence_json(const CocoInfo& coco);
/// Checked field by field (fields.h); last_seen_ns is 0 whatever the text says.
std::expected<MixInfo, std::string> mix_from_presence(std::string_view json);
std::expected<ProviderInfo, std::string> provider_from_presence(std::string_view json);
std::expected<CocoInfo, std::string> coco_from_presence(std::string_view json);

// ---- Topology: what the directory answers ---------------------------------------------------
enum class LastSeen { shown, left_out };
/// Without last_seen it is not what clients expect, but what an ETag is made of.
std::string to_json(const Topology& topology, LastSeen last_seen = LastSeen::shown);

/// An entry as it stands in a topology, but for its end: what may be kept as long as it says the
/// same, because base58 of thousands of accounts takes longer than all the rest.
std::string entry_json(const MixInfo& mix);
std::string entry_json(const ProviderInfo& provider);
std::string entry_json(const CocoInfo& coco);

/// Puts a topology together out of such entries: those of coconodes, next_kind(), those of mixes in
/// a topology's order, next_kind(), those of providers, finish().
class TopologyWriter {
 public:
  explicit TopologyWriter(LastSeen last_seen);
  void entry(std::string_view text, std::int64_t last_seen_ns);
  void next_kind();
  std::string finish();

 private:
  LastSeen x_last_seen;
  std::size_t x_kind = 0;
  bool x_first = true;
  std::string x_text;
};

/// What is read of a provider's: a mix needs no accounts, and there may be very many.
enum class Accounts { read, left_out };

struct ReadTopology {
  Topology topology;
  std::size_t accounts = 0;   // registered clients listed, whether read or not
  std::size_t skipped = 0;    // entries and registered clients nobody can use
  std::string first_problem;  // of the first entry skipped
};
/// An error only when the text as a whole is no topology (no JSON, no object, an array missing).
std::expected<ReadTopology, std::string> topology_from_json(std::string_view json,
                                                            Accounts accounts = Accounts::read);

/// {"error":"..."} with the text escaped.
std::string error_json(std::string_view text);

}  // namespace mix::topology
