// SPDX-License-Identifier: Apache-2.0
// Any body may be posted to the directory: what is taken must come back the same, and must pass the
// checks that keep original clients alive.
#include <cstdlib>

#include "src/prelude/check.h"
#include "src/topology/fields.h"
#include "src/topology/json.h"
#include "src/topology/metrics.h"

using namespace mix;
using namespace mix::topology;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto mix = mix_from_presence(text)) {
    CHECK(!check(*mix));
    CHECK(mix_from_presence(to_presence_json(*mix)).value() == *mix);
  }
  if (const auto provider = provider_from_presence(text)) {
    CHECK(!check(*provider));
    CHECK(provider_from_presence(to_presence_json(*provider)).value() == *provider);
  }
  if (const auto coco = coco_from_presence(text))
    CHECK(coco_from_presence(to_presence_json(*coco)).value() == *coco);
  if (const auto metrics = mix_metrics_from_json(text))
    CHECK(mix_metrics_from_json(to_report_json(*metrics)).value() == *metrics);
  if (const auto metrics = client_metrics_from_json(text))
    CHECK(client_metrics_from_json(to_report_json(*metrics)).value() == *metrics);
  return 0;
}
