// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/tables.h"

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
    "INSERT INTO other_segment (id, connection, from_node, to_node, sent_ns, delivered_ns, size, "
    "digest, fate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO payload (id, bytes) VALUES (?, ?)",
    "INSERT INTO wire_packet (id, connection, from_node, to_node, sent_ns, delivered_ns, digest, "
    "fate, ended_ns, alone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO chain_event (seq, time_ns, node, inbox, outbox, wait_ns, entropy, calls) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO call_list (id, calls) VALUES (?, ?)",
    "INSERT INTO chain_event (seq, time_ns, node, kind, detail) VALUES (?, ?, ?, ?, ?)",
    "INSERT OR IGNORE INTO checkpoint (seq, time_ns, chain) VALUES (?, ?, ?)",
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

mix::sqlite::Result<void> create_schema(mix::sqlite::Database& db, bool payload_full) {
  // No journal: a file that was broken off is of no use, and keeps its `.incomplete`. 11 packets
  // fit a page of 16 KiB with 8 % to spare, 47 one of 64 KiB with 1 %.
  const char* page_size = payload_full ? "65536" : "16384";
  for (const std::string& script :
       {std::string("PRAGMA page_size = ") + page_size +
            "; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; "
            "PRAGMA cache_size = -32768; PRAGMA user_version = 1;",  // fixes the page size
        std::string(mix::record::kSchema), std::string(kSchema)})
    if (auto done = db.run(script); !done) return done;
  return {};
}

void describe(EventBuilder& event, const Digest& inbox, const Digest& outbox, VirtualTime deadline,
              std::uint64_t entropy, mix::BytesView calls) {
  event.bytes("inbox", inbox)
      .bytes("outbox", outbox)
      .integer("deadline", deadline == kNever ? -1 : ns(deadline))
      .number("entropy", entropy)
      .bytes("calls", calls);
}

mix::sqlite::Result<std::string> put_off_indexes(mix::sqlite::Database& db) {
  std::string drop, make;
  {
    auto all =
        db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL");
    if (!all) return std::unexpected(all.error());
    while (true) {
      const auto more = all->next();
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      drop += "DROP INDEX " + all->text(0) + ";";
      make += all->text(1) + ";";
    }
  }
  if (auto done = db.run(drop); !done) return std::unexpected(done.error());
  return make;
}

mix::sqlite::Result<std::unique_ptr<Tables>> Tables::open(mix::sqlite::Database& db,
                                                          bool payload_full) {
  std::unique_ptr<Tables> out(new Tables(db, payload_full));
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
  x_batch = &batch;
  for (const AnyRow& row : batch.rows)
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

Tables::Done Tables::keep_payload(std::int64_t id, mix::BytesView bytes) {
  if (!x_payload_full) return {};
  return at(payload).run(id, bytes);
}

Tables::Done Tables::insert(const SegmentRow& r) {
  const mix::BytesView bytes = (*x_batch)[r.bytes];
  if (auto done = keep_payload(r.id, bytes); !done) return done;
  return at(segment).run(r.id, r.connection, r.from, r.to, r.sent_ns, r.delivered_ns,
                         static_cast<std::int64_t>(bytes.size()), digest_of(bytes),
                         std::string_view(r.fate));
}

Tables::Done Tables::insert(const WirePacketRow& r) {
  const mix::BytesView bytes = (*x_batch)[r.bytes];
  if (r.alone)
    if (auto done = keep_payload(r.id, bytes); !done) return done;
  std::optional<std::string_view> fate;
  if (r.fate != nullptr) fate = r.fate;
  return at(wire_packet)
      .run(r.id, r.connection, r.from, r.to, r.sent_ns, r.delivered_ns, digest_of(bytes), fate,
           r.ended_ns, std::int64_t{r.alone});
}

mix::sqlite::Result<std::int64_t> Tables::number_of(mix::BytesView calls) {
  const auto next = static_cast<std::int64_t>(x_call_lists.size()) + 1;
  const auto [found, is_new] = x_call_lists.try_emplace(std::string(mix::as_text(calls)), next);
  if (is_new)
    if (auto done = at(call_list).run(next, calls); !done) return std::unexpected(done.error());
  return found->second;
}

Tables::Done Tables::insert(const ActivationRow& r) {
  const mix::BytesView calls = (*x_batch)[r.calls];
  const Digest came = digest_of((*x_batch)[r.inbox]), left = digest_of((*x_batch)[r.outbox]);
  const NodeId who = r.node ? NodeId(static_cast<std::uint32_t>(*r.node)) : kNoNode;
  const auto seq = static_cast<std::int64_t>(x_chain.length());
  describe(x_event.begin(r.time, who, "activation"), came, left, r.deadline, r.entropy, calls);
  x_chain.add(x_event);
  const auto list = number_of(calls);
  if (!list) return std::unexpected(list.error());
  std::optional<Digest> in, out;  // the view knows the digest of nothing
  if (r.inbox.size > 0) in = came;
  if (r.outbox.size > 0) out = left;
  std::optional<std::int64_t> wait_ns;
  if (r.deadline != kNever) wait_ns = ns(r.deadline) - ns(r.time);
  return at(activation)
      .run(seq, ns(r.time), r.node, in, out, wait_ns, static_cast<std::int64_t>(r.entropy), *list);
}

Tables::Done Tables::insert(const EventRow& r) {
  const mix::BytesView canonical = (*x_batch)[r.canonical];
  const auto view = read_event(canonical);
  CHECK(view.has_value() && view->sequence == x_chain.length(), x_chain.length());
  x_chain.add(canonical);
  return at(event).run(static_cast<std::int64_t>(view->sequence), ns(view->time), r.node,
                       view->kind, detail_json(*view));
}

Tables::Done Tables::insert(const CheckpointRow& r) {
  return at(checkpoint).run(static_cast<std::int64_t>(x_chain.length()), r.time_ns, x_chain.hex());
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
