-- SPDX-License-Identifier: Apache-2.0
-- What a provider whose mail expires has to know, too. A file becomes so when it is first opened by
-- one, and not before: whoever keeps mail for ever may go on with an older program.
PRAGMA user_version = 2;

-- Seconds since 1970. NULL: kept by a provider whose mail does not expire.
ALTER TABLE message ADD COLUMN kept_s INTEGER;
