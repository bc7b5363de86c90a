-- SPDX-License-Identifier: Apache-2.0
-- What a provider must not lose. One program at a time opens it (locking_mode = EXCLUSIVE).
PRAGMA user_version = 1;

-- One row: the node's Sphinx key (a scalar, little-endian) and the key of its tokens.
CREATE TABLE keys (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  node  BLOB NOT NULL,
  token BLOB NOT NULL
);

-- Clients that registered, in that order.
CREATE TABLE account (
  id      INTEGER PRIMARY KEY,
  address BLOB NOT NULL UNIQUE CHECK (length(address) = 32)
);

-- What waits for them, oldest first.
CREATE TABLE message (
  id      INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account,
  body    BLOB NOT NULL
);
CREATE INDEX message_account ON message (account);

-- Tags of packets taken, in two generations; `young` says which table is the younger.
CREATE TABLE tag_0 (tag BLOB NOT NULL);
CREATE TABLE tag_1 (tag BLOB NOT NULL);
CREATE TABLE tag_generation (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  young INTEGER NOT NULL
);
INSERT INTO tag_generation (id, young) VALUES (1, 0);
