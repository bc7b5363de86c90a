// SPDX-License-Identifier: Apache-2.0
#include "harness/model/event.h"

#include <boost/test/unit_test.hpp>

using namespace lab;

namespace {
EventBuilder& sample(EventBuilder& event) {
  return event.begin(at_ns(1500), NodeId{2}, "activation")
      .number("calls", 7)
      .integer("offset", -5)
      .bytes("inbox", mix::Bytes{0xab, 0x01})
      .text("line", "say \"hi\"\n");
}
}  // namespace

BOOST_AUTO_TEST_CASE(an_event_is_read_back_as_it_was_built) {
  EventBuilder builder;
  const auto event = read_event(sample(builder).finish(9));
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->sequence == 9u);
  BOOST_TEST(ns(event->time) == 1500);
  BOOST_TEST(index(event->node) == 2u);
  BOOST_TEST(event->kind == "activation");
  BOOST_TEST(detail_json(*event) == R"({"calls": 7, "offset": -5, "inbox": "ab01", )"
                                    R"("line": "say \"hi\"\u000a"})");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_one_whole_event_are_refused) {
  EventBuilder builder;
  const mix::BytesView view = sample(builder).finish(0);
  const mix::Bytes whole(view.begin(), view.end());
  for (std::size_t n = 0; n < whole.size(); ++n)
    BOOST_TEST(!read_event(mix::BytesView(whole).first(n)).has_value(), n);
  mix::Bytes more = whole;
  more.push_back(0);
  BOOST_TEST(!read_event(more).has_value());
}

BOOST_AUTO_TEST_CASE(a_chain_changes_with_every_field_and_with_the_order) {
  const auto chain_of = [](auto... steps) {
    Chain chain;
    EventBuilder builder;
    (chain.add(steps(builder)), ...);
    return chain.hex();
  };
  const auto base = [](EventBuilder& e) -> EventBuilder& {
    return e.begin(at_ns(1), NodeId{1}, "k").number("x", 1);
  };
  const auto other = [](EventBuilder& e) -> EventBuilder& {
    return e.begin(at_ns(2), NodeId{1}, "k").number("x", 1);
  };
  BOOST_TEST(chain_of(base, other) == chain_of(base, other));
  BOOST_TEST(chain_of(base, other) != chain_of(other, base));
  BOOST_TEST(chain_of(base) != chain_of(other));
  BOOST_TEST(chain_of(base) != chain_of([](EventBuilder& e) -> EventBuilder& {
               return e.begin(at_ns(1), NodeId{2}, "k").number("x", 1);
             }));
  BOOST_TEST(chain_of(base) != chain_of([](EventBuilder& e) -> EventBuilder& {
               return e.begin(at_ns(1), NodeId{1}, "k").number("y", 1);
             }));
  BOOST_TEST(chain_of(base) != chain_of([](EventBuilder& e) -> EventBuilder& {
               return e.begin(at_ns(1), NodeId{1}, "k").integer("x", 1);
             }));
}
