// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/tables.h"

#include "harness/model/event.h"
#include "src/prelude/check.h"
#include "src/record/schema.h"

namespace lab::recorder {
namespace {

using mix::record::name_of;

constexpr const char* kSchema =
#include "harness/recorder/schema.sql.inc"
    ;

// In the order of Tables::Which.
constexpr const char* kInserts[] = {
    "INSERT INTO node (id, name, role, layer, address, public_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
    "ON CONFLICT (id) DO UPDATE SET role = ?3, layer = ?4, address = ?5, public_key = ?6",
    "INSERT INTO made (node, created_ns, sent_ns, digest, class, recipient, first_address, reason) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO handled (node, received_ns, digest_in, sent_ns, digest_out, next_address, "
    "delay_ns, "
    "verdict, reason) VALUES (?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?)",
    "INSERT INTO fetched (node, time_ns, digest, local_id, class) VALUES (?, ?, ?, ?, ?)",
    "INSERT INTO segment (connection, from_node, to_node, sent_ns, delivered_ns, size, digest, "
    "payload, fate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO wire_packet (connection, from_node, to_node, sent_ns, delivered_ns, digest, fate, "
    "ended_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO event (seq, time_ns, node, kind, detail) VALUES (?, ?, ?, ?, ?)",
    "INSERT INTO checkpoint (seq, time_ns, chain) VALUES (?, ?, ?)",
    "INSERT INTO fault (time_ns, verb, target) VALUES (?, ?, ?)",
    "INSERT INTO log (time_ns, node, stream, line) VALUES (?, ?, ?, ?)",
    "INSERT INTO life (seq, node, birth, slot, clock_offset_ns, host) VALUES (?, ?, ?, ?, ?, ?)",
    "INSERT INTO folder_file (life, path, mode, number, digest) VALUES (?, ?, ?, ?, ?)",
    "INSERT OR IGNORE INTO blob (digest, bytes) VALUES (?, ?)",
    "INSERT INTO inbox (seq, entries, host, clock_offset_ns) VALUES (?, ?, ?, ?)",
};

std::optional<std::string_view> reason_of(const std::optional<mix::record::DropReason>& reason) {
  if (!reason) return std::nullopt;
  return name_of(*reason);
}

}  // namespace

mix::sqlite::Result<void> create_schema(mix::sqlite::Database& db) {
  for (const std::string& script :
       {std::string(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; "
            "PRAGMA foreign_keys = OFF;"),
        std::string(mix::record::kSchema), std::string(kSchema)})
    if (auto done = db.run(script); !done) return done;
  return {};
}

mix::sqlite::Result<std::unique_ptr<Tables>> Tables::open(mix::sqlite::Database& db) {
  std::unique_ptr<Tables> out(new Tables(db));
  for (const char* sql : kInserts) {
    auto statement = db.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    out->x_statements.push_back(std::move(*statement));
  }
  CHECK(out->x_statements.size() == kCount);
  return out;
}

Tables::Done Tables::write(const Batch& batch) {
  auto transaction = mix::sqlite::Transaction::begin(x_db);
  if (!transaction) return std::unexpected(transaction.error());
  for (const AnyRow& row : batch)
    if (auto done = std::visit([&](const auto& r) { return insert(r); }, row); !done) return done;
  return transaction->commit();
}

Tables::Done Tables::insert(const ProgramRow& r) {
  std::optional<std::int64_t> layer;
  if (r.row.layer) layer = *r.row.layer;
  return at(node).run(r.node, r.row.name, name_of(r.row.role), layer, r.row.address,
                      r.row.public_key);
}

Tables::Done Tables::insert(const HopRow& r) {
  if (const auto* m = std::get_if<mix::record::MadeRow>(&r.row))
    return at(made).run(r.node, m->created_ns, m->sent_ns, m->digest, name_of(m->packet_class),
                        m->recipient, m->first_address, reason_of(m->reason));
  if (const auto* h = std::get_if<mix::record::HandledRow>(&r.row))
    return at(handled).run(r.node, h->received_ns, h->digest_in, h->sent_ns, h->digest_out,
                           h->next_address, h->delay_ns, name_of(h->verdict), reason_of(h->reason));
  if (const auto* f = std::get_if<mix::record::FetchedRow>(&r.row))
    return at(fetched).run(r.node, f->time_ns, f->digest, f->local_id, name_of(f->packet_class));
  return {};
}

Tables::Done Tables::insert(const SegmentRow& r) {
  std::optional<mix::BytesView> payload;
  if (r.payload) payload = *r.payload;
  return at(segment).run(r.connection, r.from, r.to, r.sent_ns, r.delivered_ns, r.size, r.digest,
                         payload, std::string_view(r.fate));
}

Tables::Done Tables::insert(const WirePacketRow& r) {
  return at(wire_packet)
      .run(r.connection, r.from, r.to, r.sent_ns, r.delivered_ns, r.digest, r.fate, r.ended_ns);
}

Tables::Done Tables::insert(const EventRow& r) {
  const auto view = read_event(r.canonical);
  CHECK(view.has_value());
  return at(event).run(static_cast<std::int64_t>(view->sequence), ns(view->time), r.node,
                       view->kind, detail_json(*view));
}

Tables::Done Tables::insert(const CheckpointRow& r) {
  return at(checkpoint).run(r.seq, r.time_ns, r.chain);
}

Tables::Done Tables::insert(const FaultRow& r) {
  return at(fault).run(r.time_ns, r.verb, r.target);
}

Tables::Done Tables::insert(const LogRow& r) {
  return at(log).run(r.time_ns, r.node, std::string_view(r.stream), r.line);
}

Tables::Done Tables::insert(const LifeRow& r) {
  return at(life).run(r.seq, r.node, r.birth, r.slot, r.clock_offset_ns, r.host);
}

Tables::Done Tables::insert(const FolderFileRow& r) {
  return at(folder_file).run(r.life, r.path, r.mode, r.number, r.digest);
}

Tables::Done Tables::insert(const BlobRow& r) {
  return at(blob).run(r.digest, mix::BytesView(r.bytes));
}

Tables::Done Tables::insert(const InboxRow& r) {
  return at(inbox).run(r.seq, mix::BytesView(r.entries), r.host, r.clock_offset_ns);
}

}  // namespace lab::recorder
