// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/inputs.h"

namespace lab::recorder {

Digest Inputs::keep(mix::BytesView bytes) {
  const Digest digest = digest_of(bytes);
  if (x_kept.insert(digest).second)
    x_writer.put(BlobRow{digest, mix::Bytes(bytes.begin(), bytes.end())});
  return digest;
}

void Inputs::starts(std::int64_t seq, std::int64_t node, NodeId id, const StartView& start) {
  Program& program = x_programs[id];
  program = {};
  program.clock_offset_ns = start.clock_offset_ns;
  x_writer.put(
      LifeRow{seq, node, x_births[node]++, start.slot, start.clock_offset_ns, keep(start.host)});
  for (FolderEntry& entry : copy_folder(std::string(start.folder), start.files)) {
    FolderFileRow row{seq, std::move(entry.path), entry.mode,
                      static_cast<std::int64_t>(entry.number), std::nullopt};
    if (!entry.directory) row.digest = keep(entry.bytes);
    x_writer.put(std::move(row));
  }
}

void Inputs::activation(std::int64_t seq, const Activation& a) {
  Program& program = x_programs[a.node];
  InboxRow row;
  row.seq = seq;
  row.entries = encode_inbox(a.inbox, program.arrived);
  if (!a.host.empty()) row.host = keep(a.host);
  if (a.clock_offset_ns != program.clock_offset_ns) row.clock_offset_ns = a.clock_offset_ns;
  program.clock_offset_ns = a.clock_offset_ns;
  if (!row.entries.empty() || row.host || row.clock_offset_ns) x_writer.put(std::move(row));
}

}  // namespace lab::recorder
