// SPDX-License-Identifier: Apache-2.0
#include "harness/judge/query.h"

namespace lab::judge {

mix::sqlite::Result<void> materialize(mix::sqlite::Database& db) {
  return db.run(
      "CREATE TEMP TABLE IF NOT EXISTS j_hop AS SELECT * FROM main.hop;"
      "CREATE INDEX IF NOT EXISTS temp.j_hop_packet ON j_hop (packet);"
      "CREATE INDEX IF NOT EXISTS temp.j_hop_digest ON j_hop (digest);"
      "CREATE TEMP TABLE IF NOT EXISTS j_packet AS SELECT * FROM main.packet;"
      "CREATE INDEX IF NOT EXISTS temp.j_packet_id ON j_packet (id);");
}

}  // namespace lab::judge
