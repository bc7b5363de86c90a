// SPDX-License-Identifier: Apache-2.0
// Any text may come from a directory: nothing crashes, and what is read comes back the same.
#include <cstdlib>

#include "src/prelude/check.h"
#include "src/topology/fields.h"
#include "src/topology/json.h"

using namespace mix;
using namespace mix::topology;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = topology_from_json(as_text({data, size}));
  if (!read) return 0;
  for (const MixInfo& mix : read->topology.mixes())
    CHECK(!check(mix));
  for (const ProviderInfo& provider : read->topology.providers())
    CHECK(!check(provider));
  const auto again = topology_from_json(to_json(read->topology));
  CHECK(again && again->topology == read->topology && again->skipped == 0);
  return 0;
}
