-- SPDX-License-Identifier: Apache-2.0
-- What only the lab writes: the wire, the chain, faults, logs, verdicts. It comes on top of the
-- programs' own tables (src/record/schema.sql), and replaces their view `sending`: in the lab, who
-- sent what is read from the wire, and no program is believed about it.

-- One 1372-byte unit on a connection to a listener of a mix or provider, however it was cut.
CREATE TABLE wire_packet (
  id           INTEGER PRIMARY KEY, -- of one sequence with other_segment.id
  connection   INTEGER NOT NULL,
  from_node    INTEGER REFERENCES node,
  to_node      INTEGER REFERENCES node,
  sent_ns      INTEGER NOT NULL,    -- its last byte left
  delivered_ns INTEGER,             -- its last byte came
  digest       BLOB NOT NULL,
  fate         TEXT,                -- why it can never be received; NULL while it may, or was
  ended_ns     INTEGER,             -- when that was settled
  alone        INTEGER NOT NULL     -- 1: it crossed as one segment, of the same id and times
);
-- Few have an end of their own; digests of the others are looked up in `handled`.
CREATE INDEX wire_packet_ended ON wire_packet (digest) WHERE ended_ns IS NOT NULL;

-- Bytes that arrived, or failed to, in one piece: what one delivery of the network carried. Almost
-- all of them are one packet, and lie in its row; `segment` shows them and the others.
CREATE TABLE other_segment (
  id           INTEGER PRIMARY KEY,
  connection   INTEGER,             -- NULL: a datagram
  from_node    INTEGER REFERENCES node,
  to_node      INTEGER REFERENCES node,
  sent_ns      INTEGER NOT NULL,
  delivered_ns INTEGER,             -- NULL: it never was
  size         INTEGER NOT NULL,
  digest       BLOB NOT NULL,
  fate         TEXT NOT NULL        -- delivered, lost, cut, queue_full, corrupted, duplicated
);
CREATE TABLE payload (              -- of segments, when recorded in full
  id    INTEGER PRIMARY KEY,        -- segment.id
  bytes BLOB NOT NULL
);
CREATE VIEW segment AS
  SELECT id, connection, from_node, to_node, sent_ns, delivered_ns, size, digest,
         (SELECT bytes FROM payload WHERE payload.id = other_segment.id) AS payload, fate
    FROM other_segment
  UNION ALL
  SELECT id, connection, from_node, to_node, sent_ns, delivered_ns, 1372, digest,
         (SELECT bytes FROM payload WHERE payload.id = wire_packet.id), 'delivered'
    FROM wire_packet WHERE alone;

-- The chain, compactly; `event` shows it. Almost every event is an activation: those have neither
-- kind nor detail here, but their fields as columns.
CREATE TABLE chain_event (
  seq      INTEGER PRIMARY KEY,
  time_ns  INTEGER NOT NULL,
  node     INTEGER REFERENCES node,
  kind     TEXT,                    -- NULL: activation
  detail   TEXT,                    -- the fields as JSON; NULL: those below
  inbox    BLOB,                    -- digests; NULL: of no bytes at all
  outbox   BLOB,
  wait_ns  INTEGER,                 -- until its deadline; NULL: it has none
  entropy  INTEGER,                 -- bytes drawn
  calls    INTEGER REFERENCES call_list
);
CREATE TABLE call_list (            -- what activations called, each list once
  id    INTEGER PRIMARY KEY,
  calls BLOB NOT NULL               -- per number: u16 number, u32 count
);

-- The chain: every event, in order. `detail` is the event's fields as JSON. It may be written to.
CREATE VIEW event AS
  SELECT seq, time_ns, node, coalesce(kind, 'activation') AS kind,
         coalesce(detail,
           '{"inbox": "' || lower(hex(coalesce(inbox, x'cae66941d9efbd404e4d88758ea67670'))) ||
           '", "outbox": "' || lower(hex(coalesce(outbox, x'cae66941d9efbd404e4d88758ea67670'))) ||
           '", "deadline": ' || coalesce(time_ns + wait_ns, -1) || ', "entropy": ' || entropy ||
           ', "calls": "' ||
           (SELECT lower(hex(call_list.calls)) FROM call_list WHERE id = chain_event.calls) || '"}'
         ) AS detail
    FROM chain_event;
CREATE TRIGGER event_update INSTEAD OF UPDATE ON event BEGIN
  UPDATE chain_event SET seq = NEW.seq, time_ns = NEW.time_ns, node = NEW.node, kind = NEW.kind,
                         detail = NEW.detail WHERE seq = OLD.seq;
END;
CREATE TRIGGER event_insert INSTEAD OF INSERT ON event BEGIN
  INSERT INTO chain_event (seq, time_ns, node, kind, detail)
    VALUES (NEW.seq, NEW.time_ns, NEW.node, NEW.kind, NEW.detail);
END;
CREATE TRIGGER event_delete INSTEAD OF DELETE ON event BEGIN
  DELETE FROM chain_event WHERE seq = OLD.seq;
END;

CREATE TABLE checkpoint (
  seq     INTEGER PRIMARY KEY,      -- events in the chain at that point
  time_ns INTEGER NOT NULL,
  chain   TEXT NOT NULL
);

CREATE TABLE fault (
  id      INTEGER PRIMARY KEY,
  time_ns INTEGER NOT NULL,
  verb    TEXT NOT NULL,
  target  TEXT NOT NULL
);

CREATE TABLE log (
  id      INTEGER PRIMARY KEY,
  time_ns INTEGER NOT NULL,
  node    INTEGER REFERENCES node,
  stream  TEXT NOT NULL,            -- stdout, stderr, lab
  line    TEXT NOT NULL
);

CREATE TABLE expectation (
  id              INTEGER PRIMARY KEY,
  that            TEXT NOT NULL,
  mode            TEXT NOT NULL,
  verdict         TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'inconclusive')),
  first_bad_event INTEGER REFERENCES chain_event,
  detail          TEXT NOT NULL
);

-- With full payloads only: what one program alone can be fed from (mixlab replay --node).
CREATE TABLE life (                  -- one start of a program
  seq             INTEGER PRIMARY KEY REFERENCES chain_event,  -- its event "start"
  node            INTEGER NOT NULL REFERENCES node,
  birth           INTEGER NOT NULL,  -- 0, 1 after a restart, ...
  slot            INTEGER NOT NULL,
  clock_offset_ns INTEGER NOT NULL,
  host            BLOB NOT NULL      -- digest of a blob: its host's state then
);
CREATE TABLE folder_file (           -- what its folder held
  life      INTEGER NOT NULL REFERENCES life,
  path      TEXT NOT NULL,           -- '': the folder itself
  mode      INTEGER NOT NULL,
  number    INTEGER NOT NULL,        -- the lab's file number, 0: none yet
  digest    BLOB,                    -- of a blob; NULL: a folder
  PRIMARY KEY (life, path)
) WITHOUT ROWID;
CREATE TABLE blob (
  digest BLOB PRIMARY KEY,
  bytes  BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE inbox (                 -- an activation without a row: nothing came
  seq             INTEGER PRIMARY KEY REFERENCES chain_event,
  entries         BLOB NOT NULL,     -- harness/recorder/inbox.h
  host            BLOB,              -- digest of a blob; NULL: nobody else changed it
  clock_offset_ns INTEGER            -- NULL: as before
);

-- What [[program]] files put into the programs' folders: a replay needs no other files.
CREATE TABLE source (
  program TEXT NOT NULL,            -- its name
  path    TEXT NOT NULL,            -- in its folder
  mode    INTEGER NOT NULL,         -- permission bits
  bytes   BLOB NOT NULL,
  PRIMARY KEY (program, path)
) WITHOUT ROWID;

-- One row, written last: "mixlab-seal:" and the SHA-256 of the whole file, taken with zeros in
-- its own place. A file that does not match it was changed or damaged after its run.
CREATE TABLE seal (
  mark BLOB NOT NULL
);

-- 24 bytes a hop, and nothing here looks a packet up by them: the view below numbers all rows.
DROP INDEX handled_digest_out;
DROP INDEX made_digest;
DROP VIEW sending;
CREATE VIEW sending AS
  WITH w AS (
    SELECT *, row_number() OVER (PARTITION BY from_node, digest ORDER BY sent_ns, id) AS nth
      FROM wire_packet
  ), m AS (
    SELECT id, node, digest,
           row_number() OVER (PARTITION BY node, digest ORDER BY sent_ns, id) AS nth
      FROM made WHERE sent_ns IS NOT NULL
  ), h AS (
    SELECT id, node, digest_out,
           row_number() OVER (PARTITION BY node, digest_out ORDER BY sent_ns, id) AS nth
      FROM handled WHERE sent_ns IS NOT NULL
  )
  SELECT w.id, w.from_node AS node, w.digest, w.sent_ns, NULL AS address, w.to_node, w.fate,
         m.id AS made, h.id AS handled
    FROM w
    LEFT JOIN m ON m.digest = w.digest AND m.node = w.from_node AND m.nth = w.nth
    LEFT JOIN h ON h.digest_out = w.digest AND h.node = w.from_node AND h.nth = w.nth;
