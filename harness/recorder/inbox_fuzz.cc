// SPDX-License-Identifier: Apache-2.0
// Any bytes as a recorded inbox: an inbox of whole entries, or an error.
#include <cstring>

#include "harness/protocol/contract.h"
#include "harness/recorder/inbox.h"
#include "src/prelude/check.h"

using namespace lab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto segment = [&](std::int64_t id) -> std::expected<mix::Bytes, std::string> {
    if (id < 0 || id > 4096) return std::unexpected("no such segment");
    return mix::Bytes(static_cast<std::size_t>(id), 7);
  };
  const auto inbox = recorder::decode_inbox({data, size}, segment);
  if (!inbox) return 0;
  for (std::size_t at = 0; at < inbox->size();) {
    lab_entry entry;
    CHECK(at + sizeof(entry) <= inbox->size());
    std::memcpy(&entry, inbox->data() + at, sizeof(entry));
    at += LAB_ENTRY_SPACE(entry.size);
    CHECK(at <= inbox->size());
  }
  return 0;
}
