// SPDX-License-Identifier: Apache-2.0
#include "src/provider/clients.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>

#include "src/provider/test_mail.h"
#include "src/wire/limits.h"

namespace mix::provider {
namespace {

constexpr Instant kStart{1000h};
constexpr Duration kAge = 10h;

/// Fills up to `most`; all of them registered and pulled at kStart.
Clients in_use(std::uint8_t most) {
  Clients clients(most, kAge);
  for (std::uint8_t n = 1; n <= most; ++n) {
    clients.add(client(n), kStart);
    clients.pulled(client(n), kStart);
  }
  return clients;
}

BOOST_AUTO_TEST_CASE(accounts_are_listed_in_order_of_registration) {
  Clients clients(10, kAge);
  for (std::uint8_t n : {9, 3, 5, 3})
    clients.add(client(n), kStart);
  BOOST_TEST((clients.in_order() == std::vector{client(9), client(3), client(5)}));
  clients.remove(client(3));
  BOOST_TEST((clients.in_order() == std::vector{client(9), client(5)}));
  BOOST_TEST(!clients.contains(client(3)));
}

BOOST_AUTO_TEST_CASE(the_longest_unused_makes_room_and_nobody_before_his_time) {
  Clients clients = in_use(3);
  clients.pulled(client(1), kStart + 2h);
  clients.pulled(client(3), kStart + 1h);
  BOOST_TEST(!clients.spare(kStart + kAge - 1ns));
  BOOST_TEST((clients.spare(kStart + kAge + 3h) == client(2)));
  clients.remove(client(2));
  BOOST_TEST((clients.spare(kStart + kAge + 3h) == client(3)));
  clients.add(client(3), kStart + kAge + 3h);  // registering is a use
  BOOST_TEST((clients.spare(kStart + kAge + 3h) == client(1)));
}

BOOST_AUTO_TEST_CASE(who_never_pulled_goes_sooner_and_before_others) {
  Clients clients = in_use(2);
  clients.add(client(7), kStart + kAge);
  clients.add(client(8), kStart + kAge + 1s);
  const Instant later = kStart + kAge + 1s + wire::kUnpulledAccountAge;
  BOOST_TEST((clients.spare(later) == client(7)));
  clients.pulled(client(7), later);
  BOOST_TEST((clients.spare(later) == client(8)));
  clients.remove(client(8));
  BOOST_TEST((clients.spare(later) == client(1)));  // of those used at the same time, the first
}

BOOST_AUTO_TEST_CASE(who_has_mail_never_makes_room) {
  Clients clients = in_use(2);
  *clients.waiting(client(1)) = 1;
  BOOST_TEST((clients.spare(kStart + 100 * kAge) == client(2)));
  *clients.waiting(client(2)) = 1;  // since it was found
  BOOST_TEST(!clients.spare(kStart + 100 * kAge));
}

BOOST_AUTO_TEST_CASE(those_read_back_count_as_used_when_the_first_request_came) {
  Clients clients(2, kAge);
  clients.read_back(client(1), 0);
  clients.read_back(client(2), 3);
  BOOST_TEST(*clients.waiting(client(2)) == 3u);
  BOOST_TEST(!clients.spare(kStart));
  BOOST_TEST(!clients.spare(kStart + wire::kUnpulledAccountAge));
  BOOST_TEST((clients.spare(kStart + kAge) == client(1)));
}

BOOST_AUTO_TEST_CASE(a_flood_of_newcomers_costs_one_look_in_a_while) {
  Clients clients = in_use(2);
  const Instant due = kStart + kAge;
  BOOST_TEST(!clients.spare(due - 1ns));
  BOOST_TEST(!clients.spare(due - 1ns + wire::kSpareLookGap - 1ns));
  BOOST_TEST(clients.spare(due - 1ns + wire::kSpareLookGap).has_value());
}

BOOST_AUTO_TEST_CASE(without_an_age_only_who_never_pulled_makes_room) {
  Clients clients(2, Duration::max());
  clients.add(client(1), kStart);
  clients.add(client(2), kStart);
  clients.pulled(client(1), kStart - 10s);  // the request began before that
  BOOST_TEST(!clients.spare(kStart - 20s));
  BOOST_TEST((clients.spare(kStart + 1'000'000h) == client(2)));
  clients.remove(client(2));
  BOOST_TEST(!clients.spare(kStart + 1'000'000h));
}

/// A stranger registers and pulls as he likes, a day long; somebody who pulls every ten seconds, as
/// an original does in an outage, stays.
RC_BOOST_PROP(nobody_who_runs_is_pushed_out, ()) {
  constexpr std::size_t kMost = 4;
  Clients clients(kMost, 1h);
  clients.add(client(1), kStart);
  std::uint8_t next = 2;
  Instant now = kStart;
  const auto jumps = *rc::gen::container<std::vector<int>>(rc::gen::element(0, 0, 0, 0, 1, 15, 70));
  for (const int minutes : jumps) {
    for (const Instant then = now + minutes * 1min; now < then; now += 10s)
      clients.pulled(client(1), now);
    clients.pulled(client(1), now);
    if (clients.full(0)) {
      const auto spare = clients.spare(now);
      RC_ASSERT(spare != client(1));
      if (!spare) continue;
      clients.remove(*spare);
    }
    clients.add(client(next), now);
    if (*rc::gen::arbitrary<bool>()) clients.pulled(client(next), now);
    if (next++ == 250) break;
    RC_ASSERT(clients.in_order().size() <= kMost);
    RC_ASSERT(clients.contains(client(1)));
  }
}

}  // namespace
}  // namespace mix::provider
