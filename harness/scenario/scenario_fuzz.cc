// SPDX-License-Identifier: Apache-2.0
// Any text as a scenario file: it is refused with problems that say something, or becomes a plan
// that can be explained and whose canonical form is the same plan.
#include "harness/scenario/parse.h"
#include "src/prelude/bytes.h"
#include "src/prelude/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lab::scenario;
  const auto plan = parse("fuzz.toml", mix::as_text({data, size}));
  if (!plan) {
    CHECK(!plan.error().empty());
    return 0;
  }
  CHECK(!explain(*plan).empty());
  const auto again = parse("again.toml", plan->canonical);
  CHECK(again, plan->canonical);
  CHECK(again->canonical == plan->canonical, plan->canonical, again->canonical);
  return 0;
}
