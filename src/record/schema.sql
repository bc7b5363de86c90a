-- SPDX-License-Identifier: Apache-2.0
-- What programs write about packets, and the two views everybody reads. The lab adds tables of its
-- own (harness/recorder/schema.sql).
--
-- Times (`_ns`) are integer nanoseconds since the start of the run. Digests are 16-byte BLAKE2b of
-- a packet's 1372 bytes. Addresses are numeric "IP:port"; keys and recipients are base58.
-- A file is opened by several programs at once: journal_mode is WAL.
--
-- A record links senders to receivers. It is for test networks.

PRAGMA page_size = 16384;  -- for a new file only
PRAGMA user_version = 1;

-- One row: the run. Finished when `verdict` is set.
CREATE TABLE run (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  scenario     TEXT,               -- canonical TOML; NULL in a devnet
  seed         INTEGER,
  clock        TEXT NOT NULL CHECK (clock IN ('virtual', 'wall')),
  epoch        TEXT NOT NULL,      -- the real-time clock at 0 ns, "2026-01-01T00:00:00.000Z"
  origin_ns    INTEGER NOT NULL,   -- CLOCK_MONOTONIC at 0 ns, which programs subtract
  duration_ns  INTEGER,
  chain        TEXT,               -- hex; NULL in a devnet
  verdict      TEXT,
  tool_version TEXT NOT NULL,
  manifest     TEXT                -- JSON
);

-- Every program. The same program started again (role, name, address) keeps its row.
CREATE TABLE node (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('directory', 'mix', 'provider', 'client', 'other')),
  layer      INTEGER,              -- client 0, mix 1..L, provider L+1, else NULL
  address    TEXT NOT NULL,
  public_key TEXT NOT NULL
);
CREATE INDEX node_address ON node (address);

-- Ground truth, by clients: the packets they built.
CREATE TABLE made (
  id            INTEGER PRIMARY KEY,
  node          INTEGER NOT NULL REFERENCES node,
  created_ns    INTEGER NOT NULL,
  sent_ns       INTEGER,           -- NULL: it could not be sent, and `reason` says why
  digest        BLOB NOT NULL,
  class         TEXT NOT NULL CHECK (class IN ('loop', 'cover', 'real', 'probe', 'injected')),
  recipient     TEXT NOT NULL,
  first_address TEXT NOT NULL,
  reason        TEXT
);
CREATE INDEX made_digest ON made (digest);

-- By mixes and providers: what became of each packet that came to them, written when it is known.
CREATE TABLE handled (
  id           INTEGER PRIMARY KEY,
  node         INTEGER NOT NULL REFERENCES node,
  received_ns  INTEGER NOT NULL,   -- its last byte was read
  digest_in    BLOB NOT NULL,
  sent_ns      INTEGER,            -- its bytes were handed to the next hop's connection
  digest_out   BLOB,
  next_address TEXT,
  delay_ns     INTEGER,            -- as its header asked
  verdict      TEXT NOT NULL CHECK (verdict IN ('forward', 'store', 'drop')),
  reason       TEXT CHECK ((reason IS NOT NULL) = (verdict = 'drop'))
);
CREATE INDEX handled_digest_in ON handled (digest_in);
CREATE INDEX handled_digest_out ON handled (digest_out) WHERE digest_out IS NOT NULL;

-- By clients: what their pulls brought home.
CREATE TABLE fetched (
  id       INTEGER PRIMARY KEY,
  node     INTEGER NOT NULL REFERENCES node,
  time_ns  INTEGER NOT NULL,
  digest   BLOB,                   -- of a packet of its own that it recognised, as it made it
  local_id INTEGER,                -- else the client's own number for it
  class    TEXT NOT NULL
);
CREATE INDEX fetched_digest ON fetched (digest);

-- Every sending of a packet over one link, by whoever knows of it. In a devnet that is the program
-- that sent. The lab, which sees the wire, replaces this view (and only this one) by one over
-- `wire_packet` with the same columns (of the same types: without the CASTs, SQLite compares
-- columns of views without an index, and a second becomes an hour):
--   id       unique, not negative
--   node     who sent, NULL when unknown
--   digest, sent_ns
--   address  where to, as the sender named it; or NULL, and
--   to_node  where to, when the wire tells
--   fate     why it can never be received (a reason of the list), NULL while it may
--   made     row of `made` whose sending this is, or
--   handled  row of `handled` whose sending this is; both NULL: somebody sent without a record
CREATE VIEW sending AS
  SELECT CAST(2 * id AS INTEGER) AS id, node, digest, sent_ns, first_address AS address,
         CAST(NULL AS INTEGER) AS to_node, CAST(NULL AS TEXT) AS fate,
         id AS made, CAST(NULL AS INTEGER) AS handled
    FROM made WHERE sent_ns IS NOT NULL
  UNION ALL
  SELECT 2 * id + 1, node, digest_out, sent_ns, next_address, NULL, NULL, NULL, id
    FROM handled WHERE sent_ns IS NOT NULL AND digest_out IS NOT NULL;

-- Sendings joined with receipts: n-th with n-th among equal digests, in order of time. The sender
-- is whoever recorded sending (never inferred from the receiver), NULL when nobody did; the
-- receiver of what nobody received is read from the address it was sent to. Almost every digest is
-- sent once and received once, and is joined by the tables' own indexes; only the others
-- (`again`) are numbered. A row never receives what it sent itself.
--
-- Programs write in batches, each when it likes: while a devnet runs, a receipt may be in the file
-- a moment before its sending is. So for 2 s a receipt without a sending is not shown, and then it
-- is one that nobody recorded sending. (A finished run, and a lab's, show everything.)
CREATE VIEW link AS
  WITH sent AS MATERIALIZED (
    SELECT * FROM sending WHERE digest IS NOT NULL
  ), again AS MATERIALIZED (
    SELECT digest FROM sent GROUP BY digest HAVING count(*) > 1
    UNION SELECT digest_in FROM handled GROUP BY digest_in HAVING count(*) > 1
  ), s AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY digest ORDER BY sent_ns, id) AS nth
      FROM sent WHERE digest IN (SELECT digest FROM again)
  ), r AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY digest_in ORDER BY received_ns, id) AS nth
      FROM handled WHERE digest_in IN (SELECT digest FROM again)
  ), live AS MATERIALIZED (
    SELECT CAST((julianday('now') - julianday(epoch)) * 86400e9 AS INTEGER) - 2000000000 AS since_ns
      FROM run WHERE clock = 'wall' AND verdict IS NULL
  ), pair AS (
    SELECT s.*, r.id AS receipt, r.node AS receiver, r.received_ns, r.delay_ns, r.verdict, r.reason
      FROM sent s LEFT JOIN handled r ON r.digest_in = s.digest AND r.id IS NOT s.handled
     WHERE s.digest NOT IN (SELECT digest FROM again)
    UNION ALL
    SELECT s.id, s.node, s.digest, s.sent_ns, s.address, s.to_node, s.fate, s.made, s.handled,
           r.id, r.node, r.received_ns, r.delay_ns, r.verdict, r.reason
      FROM s LEFT JOIN r ON r.digest_in = s.digest AND r.nth = s.nth AND r.id IS NOT s.handled
  )
  SELECT digest, id AS sending, receipt, made, handled, node AS from_node,
         CASE WHEN receipt IS NOT NULL THEN receiver
              WHEN to_node IS NOT NULL THEN to_node
              ELSE (SELECT max(node.id) FROM node
                     WHERE node.address = pair.address AND role IN ('mix', 'provider'))
         END AS to_node,
         sent_ns, received_ns, delay_ns,
         CASE WHEN receipt IS NULL AND fate IS NOT NULL THEN 'drop' ELSE verdict END AS verdict,
         CASE WHEN receipt IS NULL THEN fate ELSE reason END AS reason
    FROM pair
  UNION ALL
  SELECT digest_in, NULL, id, NULL, NULL, NULL, node,
         NULL, received_ns, delay_ns, verdict, reason
    FROM handled
   WHERE digest_in NOT IN (SELECT digest FROM again)
     AND digest_in NOT IN (SELECT digest FROM sent)
     AND (received_ns > (SELECT since_ns FROM live)) IS NOT 1
  UNION ALL
  SELECT r.digest_in, NULL, r.id, NULL, NULL, NULL, r.node,
         NULL, r.received_ns, r.delay_ns, r.verdict, r.reason
    FROM handled r
   WHERE r.digest_out = r.digest_in AND r.digest_in NOT IN (SELECT digest FROM again)
     AND r.id IN (SELECT handled FROM sent)
     AND (r.received_ns > (SELECT since_ns FROM live)) IS NOT 1
  UNION ALL
  SELECT r.digest_in, NULL, r.id, NULL, NULL, NULL, r.node,
         NULL, r.received_ns, r.delay_ns, r.verdict, r.reason
    FROM r LEFT JOIN s ON s.digest = r.digest_in AND s.nth = r.nth AND r.id IS NOT s.handled
   WHERE s.id IS NULL AND (r.received_ns > (SELECT since_ns FROM live)) IS NOT 1;

-- One packet crossing one link. `packet` is packet.id; `hop` counts from the sender, 0 first.
CREATE VIEW hop AS
  WITH RECURSIVE l AS MATERIALIZED (
    SELECT * FROM link
  ), chain AS (
    SELECT CAST(CASE WHEN made IS NOT NULL THEN made
                     WHEN receipt IS NOT NULL THEN -2 * receipt
                     ELSE -2 * sending - 1 END AS INTEGER) AS packet, 0 AS hop, l.*
      FROM l WHERE handled IS NULL
    UNION ALL
    SELECT chain.packet, chain.hop + 1, l.* FROM chain JOIN l ON l.handled = chain.receipt
  )
  SELECT packet, hop, from_node, to_node, a.layer AS from_layer, b.layer AS to_layer,
         sent_ns, received_ns, delay_ns, verdict, reason, digest
    FROM chain LEFT JOIN node a ON a.id = from_node LEFT JOIN node b ON b.id = to_node;

-- One Sphinx packet: made by a recording client (id > 0), or met on its way (id < 0, injected).
-- Delivered: a provider stored it for its recipient, or it came home. `returned_ns` is known of
-- packets that the client which made them recognised.
CREATE VIEW packet AS
  WITH life AS MATERIALIZED (
    SELECT packet,
           max(CASE WHEN hop = 0 THEN from_node END) AS origin,
           min(coalesce(sent_ns, received_ns)) AS first_ns,
           min(CASE WHEN verdict = 'store' THEN received_ns END) AS stored_ns,
           max(reason) AS reason
      FROM hop GROUP BY packet
  ), whole AS (
    SELECT m.id, m.class, m.node AS origin, m.recipient, m.created_ns, life.stored_ns,
           (SELECT min(time_ns) FROM fetched WHERE fetched.digest = m.digest) AS returned_ns,
           coalesce(m.reason, life.reason) AS reason
      FROM made m LEFT JOIN life ON life.packet = m.id
    UNION ALL
    SELECT packet, 'injected', origin, NULL, first_ns, stored_ns, NULL, reason
      FROM life WHERE packet < 0
  )
  SELECT id, class, origin, recipient, created_ns, stored_ns, returned_ns,
         CASE WHEN stored_ns IS NOT NULL OR returned_ns IS NOT NULL THEN 'delivered'
              WHEN reason IS NOT NULL THEN 'dropped'
              ELSE 'in_flight' END AS outcome,
         CASE WHEN stored_ns IS NULL AND returned_ns IS NULL THEN reason END AS reason
    FROM whole;
