-- SPDX-License-Identifier: Apache-2.0
-- What only the lab writes: the wire, the chain, faults, logs, verdicts. It comes on top of the
-- programs' own tables (src/record/schema.sql), and replaces their view `sending`: in the lab, who
-- sent what is read from the wire, and no program is believed about it.

-- Bytes that arrived, or failed to, in one piece: what one delivery of the network carried.
CREATE TABLE segment (
  id           INTEGER PRIMARY KEY,
  connection   INTEGER,             -- NULL: a datagram
  from_node    INTEGER REFERENCES node,
  to_node      INTEGER REFERENCES node,
  sent_ns      INTEGER NOT NULL,
  delivered_ns INTEGER,             -- NULL: it never was
  size         INTEGER NOT NULL,
  digest       BLOB NOT NULL,
  payload      BLOB,                -- NULL unless recorded in full
  fate         TEXT NOT NULL        -- delivered, lost, cut, queue_full, corrupted, duplicated
);

-- One 1372-byte unit on a connection to a listener of a mix or provider, however it was cut.
CREATE TABLE wire_packet (
  id           INTEGER PRIMARY KEY,
  connection   INTEGER NOT NULL,
  from_node    INTEGER REFERENCES node,
  to_node      INTEGER REFERENCES node,
  sent_ns      INTEGER NOT NULL,    -- its last byte left
  delivered_ns INTEGER,             -- its last byte came
  digest       BLOB NOT NULL,
  fate         TEXT,                -- why it can never be received; NULL while it may, or was
  ended_ns     INTEGER              -- when that was settled
);
CREATE INDEX wire_packet_digest ON wire_packet (digest);

-- The chain: every event, in order. `detail` is the event's fields as JSON.
CREATE TABLE event (
  seq     INTEGER PRIMARY KEY,
  time_ns INTEGER NOT NULL,
  node    INTEGER REFERENCES node,
  kind    TEXT NOT NULL,
  detail  TEXT NOT NULL
);
CREATE INDEX event_node ON event (node, time_ns);

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
  first_bad_event INTEGER REFERENCES event,
  detail          TEXT NOT NULL
);

-- With full payloads only: what one program alone can be fed from (mixlab replay --node).
CREATE TABLE life (                  -- one start of a program
  seq             INTEGER PRIMARY KEY REFERENCES event,  -- its event "start"
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
  seq             INTEGER PRIMARY KEY REFERENCES event,
  entries         BLOB NOT NULL,     -- harness/recorder/inbox.h
  host            BLOB,              -- digest of a blob; NULL: nobody else changed it
  clock_offset_ns INTEGER            -- NULL: as before
);

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
