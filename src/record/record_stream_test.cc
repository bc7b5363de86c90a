// SPDX-License-Identifier: Apache-2.0
#include "src/record/record_stream.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <set>

namespace mix::record {
namespace {

Digest any_digest() {
  return *rc::gen::arbitrary<Digest>();
}
template <class Make>
auto maybe(Make make) -> std::optional<decltype(make())> {
  if (*rc::gen::arbitrary<bool>()) return make();
  return std::nullopt;
}
std::int64_t any_time() {
  return *rc::gen::arbitrary<std::int64_t>();
}
std::string any_text() {
  auto text = *rc::gen::arbitrary<std::string>();
  return text.substr(0, kMaxText);
}
template <class Enum>
Enum any_of(int count) {
  return static_cast<Enum>(*rc::gen::inRange(0, count));
}
DropReason any_reason() {
  return any_of<DropReason>(static_cast<int>(kDropReasons));
}

Row any_row() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return NodeRow{any_text(), any_of<Role>(5),
                     maybe([] { return *rc::gen::arbitrary<std::uint8_t>(); }), any_text(),
                     any_text()};
    case 1:
      return MadeRow{any_time(), maybe(any_time), any_digest(),     any_of<PacketClass>(5),
                     any_text(), any_text(),      maybe(any_reason)};
    case 2:
      return HandledRow{any_time(), any_digest(),    maybe(any_time),    maybe(any_digest),
                        any_text(), maybe(any_time), any_of<Verdict>(3), maybe(any_reason)};
    default:
      return FetchedRow{any_time(), maybe(any_digest), maybe(any_time), any_of<PacketClass>(5)};
  }
}

RC_BOOST_PROP(rows_survive_the_stream_however_it_is_cut, ()) {
  std::vector<Row> rows(*rc::gen::inRange<std::size_t>(0, 6));
  for (Row& row : rows)
    row = any_row();
  Bytes stream(kStreamMagic.begin(), kStreamMagic.end());
  for (const Row& row : rows)
    append_row(stream, row);

  RowDecoder decoder;
  std::vector<Row> got;
  for (BytesView left = stream; !left.empty();) {
    const auto n = *rc::gen::inRange<std::size_t>(1, left.size() + 1);
    decoder.feed(left.first(n));
    left = left.subspan(n);
    while (true) {
      auto row = decoder.next();
      RC_ASSERT(row.has_value());
      if (!*row) break;
      got.push_back(**row);
    }
  }
  RC_ASSERT(got == rows);
  RC_ASSERT(decoder.waiting() == 0u);
}

RC_BOOST_PROP(a_row_has_one_encoding, ()) {
  // Change one byte anywhere: either refused, or another row.
  const Row row = any_row();
  Bytes stream(kStreamMagic.begin(), kStreamMagic.end());
  append_row(stream, row);
  Bytes changed = stream;
  const auto at = *rc::gen::inRange<std::size_t>(0, changed.size());
  changed[at] ^= static_cast<std::uint8_t>(*rc::gen::inRange(1, 256));
  RowDecoder decoder;
  decoder.feed(changed);
  const auto got = decoder.next();
  if (got && *got) RC_ASSERT(**got != row);
}

BOOST_AUTO_TEST_CASE(text_too_long_is_cut_and_a_row_too_long_refused) {
  Bytes stream(kStreamMagic.begin(), kStreamMagic.end());
  append_row(stream, NodeRow{std::string(10'000, 'n'), Role::mix, 1, "", ""});
  RowDecoder decoder;
  decoder.feed(stream);
  const auto row = decoder.next();
  BOOST_REQUIRE(row && *row);
  BOOST_TEST(std::get<NodeRow>(**row).name.size() == kMaxText);

  RowDecoder other;
  other.feed(kStreamMagic);
  other.feed(Bytes{0, 1, 0, 0});
  BOOST_TEST(!other.next());
  BOOST_TEST(!other.next());  // and stays refused
}

BOOST_AUTO_TEST_CASE(a_row_with_something_behind_it_is_refused) {
  Bytes stream(kStreamMagic.begin(), kStreamMagic.end());
  append_row(stream, FetchedRow{1, std::nullopt, 2, PacketClass::real});
  ++stream[kStreamMagic.size() + 3];  // its length
  stream.push_back(0);
  RowDecoder decoder;
  decoder.feed(stream);
  BOOST_TEST(!decoder.next());
}

BOOST_AUTO_TEST_CASE(a_stream_of_another_version_is_refused) {
  RowDecoder decoder;
  ByteArray<8> magic = kStreamMagic;
  magic[7] = 2;
  decoder.feed(magic);
  const auto row = decoder.next();
  BOOST_REQUIRE(!row);
  BOOST_TEST(row.error() == "not a record stream of version 1");
}

BOOST_AUTO_TEST_CASE(every_reason_has_one_name_and_the_counts_name_them) {
  std::set<std::string_view> names(kDropReasonNames.begin(), kDropReasonNames.end());
  BOOST_TEST(names.size() == kDropReasons);
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    BOOST_TEST((drop_reason_named(name_of(reason)) == reason));
    BOOST_TEST(!meaning_of(reason).empty());
  }
  BOOST_TEST(!drop_reason_named("nonsense"));
  DropCounts counts;
  BOOST_TEST(counts.to_text() == "none");
  counts.add(DropReason::replay, 2);
  counts.add(DropReason::mac);
  BOOST_TEST(counts.to_text() == "mac 1, replay 2");
  BOOST_TEST(counts.total() == 3u);
}

}  // namespace
}  // namespace mix::record
