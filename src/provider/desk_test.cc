// SPDX-License-Identifier: Apache-2.0
#include "src/provider/desk.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "src/crypto/cipher.h"
#include "src/provider/test_mail.h"

namespace mix::provider {
namespace {

using record::DropReason;

constexpr std::size_t kTagMemory = 64 * 1024;

Desk desk_of(const TestMail& mail, Limits limits = {}) {
  return Desk(mail.keys(), {}, {}, kTagMemory, limits);
}
std::string verdict(Desk& desk, const sphinx::Packet& packet, std::size_t queued = 0) {
  const auto taken = desk.take(packet, queued);
  return taken ? "taken" : std::string(record::name_of(taken.error().reason));
}
constexpr Instant kStart{1h};

Answer register_at(Desk& desk, const ClientAddress& address, Instant now = kStart) {
  return desk.answer(encode(wire::RegisterRequest{address}), now);
}
wire::AuthToken token(Desk& desk, const ClientAddress& address) {
  return std::get<GiveToken>(register_at(desk, address)).token;
}
bool may_pull(Desk& desk, const ClientAddress& address, const wire::AuthToken& with,
              Instant now = kStart) {
  return std::holds_alternative<GiveMail>(
      desk.answer(encode(wire::PullRequest{address, with}), now));
}

BOOST_AUTO_TEST_CASE(a_message_is_taken_for_its_recipient_once) {
  const TestMail mail;
  Desk desk = desk_of(mail);
  desk.registered(client(1));
  const auto packet = mail.packet(1, client(1), "hello");
  const auto taken = desk.take(packet, 0);
  BOOST_REQUIRE(taken);
  BOOST_TEST((taken->to == client(1)));
  BOOST_TEST(as_text(taken->message) == "hello");
  BOOST_TEST(desk.waiting(client(1)) == 1u);
  BOOST_TEST(verdict(desk, packet) == "replay");
  BOOST_TEST(desk.waiting(client(1)) == 1u);
}

BOOST_AUTO_TEST_CASE(a_packet_taken_before_a_restart_is_refused_after_it) {
  const TestMail mail;
  const auto packet = mail.packet(1, client(1), "hello");
  Desk before = desk_of(mail);
  before.registered(client(1));
  const auto tag = before.take(packet, 0)->tag;
  const std::vector<store::Account> accounts{{client(1), 1}};
  Desk after(mail.keys(), accounts, std::vector{tag}, kTagMemory, {});
  BOOST_TEST(verdict(after, packet) == "replay");
  BOOST_TEST(after.waiting(client(1)) == 1u);
}

BOOST_AUTO_TEST_CASE(every_refusal_has_its_reason) {
  const TestMail mail, other(2);
  Desk desk = desk_of(mail, {.mailbox = 1, .queue = 5});
  desk.registered(client(1));
  BOOST_TEST(verdict(desk, other.packet(1, client(1), "")) == "mac");
  BOOST_TEST(verdict(desk, mail.packet(2, client(9), "")) == "unknown_recipient");
  BOOST_TEST(verdict(desk, mail.forward(3)) == "forward_at_provider");
  auto changed = mail.packet(4, client(1), "hello");
  changed[sphinx::kPayloadAt + 100] ^= 1;
  BOOST_TEST(verdict(desk, changed) == "payload_integrity");
  sphinx::Packet zero{};
  BOOST_TEST(verdict(desk, zero) == "zero_shared_secret");
  BOOST_TEST(verdict(desk, mail.packet(5, client(1), ""), 5) == "pending_full");
  BOOST_TEST(verdict(desk, mail.packet(5, client(1), ""), 4) == "taken");
  BOOST_TEST(verdict(desk, mail.packet(6, client(1), "")) == "mailbox_full");
  desk.removed(client(1), 1);
  BOOST_TEST(verdict(desk, mail.packet(7, client(1), "")) == "taken");
}

BOOST_AUTO_TEST_CASE(all_mailboxes_together_are_bounded_too) {
  const TestMail mail;
  const std::vector<store::Account> accounts{{client(1), 1}, {client(2), 0}};
  Desk desk(mail.keys(), accounts, {}, kTagMemory, {.messages = 2});
  BOOST_TEST(verdict(desk, mail.packet(1, client(2), "")) == "taken");
  BOOST_TEST(verdict(desk, mail.packet(2, client(2), "")) == "mailbox_full");
  desk.removed(client(1), 1);
  BOOST_TEST(verdict(desk, mail.packet(3, client(2), "")) == "taken");
}

BOOST_AUTO_TEST_CASE(a_tag_is_kept_exactly_when_the_mac_held) {
  const TestMail mail, other(2);
  Desk desk = desk_of(mail);
  desk.registered(client(1));
  BOOST_TEST(!desk.take(other.packet(1, client(1), ""), 0).error().tag);
  const auto lost = mail.packet(2, client(9), "");
  BOOST_TEST(desk.take(lost, 0).error().tag.has_value());
  BOOST_TEST(verdict(desk, lost) == "replay");
  BOOST_TEST(!desk.take(lost, 0).error().tag);  // it is known already
  auto changed = mail.packet(3, client(1), "");
  changed[sphinx::kPayloadAt] ^= 1;
  BOOST_TEST(desk.take(changed, 0).error().tag.has_value());
  BOOST_TEST(verdict(desk, mail.packet(3, client(1), "")) == "replay");
}

BOOST_AUTO_TEST_CASE(registering_twice_gives_the_same_token_and_one_account) {
  const TestMail mail;
  Desk desk = desk_of(mail);
  const auto first = std::get<GiveToken>(register_at(desk, client(1)));
  BOOST_TEST(first.is_new);
  BOOST_TEST(desk.clients().empty());  // not before it is kept
  desk.registered(client(1));
  desk.registered(client(1));
  const auto second = std::get<GiveToken>(register_at(desk, client(1)));
  BOOST_TEST(!second.is_new);
  BOOST_TEST((first.token == second.token));
  BOOST_TEST(desk.clients().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_token_opens_its_own_mailbox_only) {
  const TestMail mail;
  Desk desk = desk_of(mail);
  const auto one = token(desk, client(1)), two = token(desk, client(2));
  BOOST_TEST(!may_pull(desk, client(1), one));  // a good token, but no account (yet)
  desk.registered(client(1));
  desk.registered(client(2));
  BOOST_TEST(may_pull(desk, client(1), one));
  BOOST_TEST(may_pull(desk, client(2), two));
  BOOST_TEST(!may_pull(desk, client(1), two));
  BOOST_TEST(!may_pull(desk, client(2), one));
  for (std::size_t byte : {0u, 31u}) {
    auto near = one;
    near[byte] ^= 1;
    BOOST_TEST(!may_pull(desk, client(1), near));
  }
}

BOOST_AUTO_TEST_CASE(the_token_is_the_known_answer) {
  const auto secret = *from_hex("9b1da4ab4ed3139d897fc6e55837ab3635045a25ebcfeec720ef4194470bcc00");
  const auto address =
      *from_hex("f76767a0baea09e3293f1c09e15ee01c2f04fc564d6d43792baf2b7538fafb4b");
  store::Keys keys = TestMail().keys();
  std::ranges::copy(secret, keys.token.mutable_bytes().begin());
  Desk desk(keys, {}, {}, kTagMemory, {});
  ClientAddress who;
  std::ranges::copy(address, who.begin());
  BOOST_TEST(to_hex(token(desk, who)) ==
             "9bbb34d3a686934bf0a5e4b49bffe1f7a1cb313235541bd63487bf73c0c217a2");
}

BOOST_AUTO_TEST_CASE(accounts_are_bounded_and_listed_in_order_of_registration) {
  const TestMail mail;
  Desk desk = desk_of(mail, {.accounts = 3});
  for (std::uint8_t n : {9, 3, 5}) {
    BOOST_TEST(std::holds_alternative<GiveToken>(register_at(desk, client(n))));
    desk.registered(client(n));
  }
  BOOST_TEST((desk.clients() == std::vector{client(9), client(3), client(5)}));
  BOOST_TEST(std::holds_alternative<Refuse>(register_at(desk, client(1))));
  BOOST_TEST(std::holds_alternative<GiveToken>(register_at(desk, client(3))));
}

BOOST_AUTO_TEST_CASE(when_accounts_are_full_an_unused_one_without_mail_makes_room) {
  const TestMail mail;
  Desk desk = desk_of(mail, {.accounts = 2, .account_age = 1h});
  for (std::uint8_t n : {1, 2}) {
    const auto with = token(desk, client(n));
    desk.registered(client(n));
    BOOST_TEST(may_pull(desk, client(n), with));
  }
  BOOST_TEST(verdict(desk, mail.packet(1, client(1), "")) == "taken");
  BOOST_TEST(std::holds_alternative<Refuse>(register_at(desk, client(3), kStart + 59min)));
  BOOST_TEST(std::holds_alternative<GiveToken>(register_at(desk, client(3), kStart + 1h)));
  BOOST_TEST((desk.make_room() == client(2)));  // the other has mail
  desk.registered(client(3));
  BOOST_TEST((desk.clients() == std::vector{client(1), client(3)}));
  BOOST_TEST(verdict(desk, mail.packet(2, client(2), "")) == "unknown_recipient");
  BOOST_TEST(std::holds_alternative<Refuse>(register_at(desk, client(2), kStart + 61min)));
  desk.removed(client(1), 1);
  BOOST_TEST(std::holds_alternative<GiveToken>(register_at(desk, client(2), kStart + 62min)));
}

BOOST_AUTO_TEST_CASE(one_account_may_hold_less_when_all_together_hold_much) {
  const TestMail mail;
  const std::vector<store::Account> accounts{{client(1), 20}, {client(2), 14}, {client(3), 0}};
  // Two are reserved for each of four; 30 of the other 32 are taken.
  Desk desk(mail.keys(), accounts, {}, kTagMemory, {.accounts = 4, .mailbox = 20, .messages = 40});
  BOOST_TEST(verdict(desk, mail.packet(1, client(2), "")) == "mailbox_full");
  BOOST_TEST(desk.mailbox_limit() < 20u);
  std::size_t taken = 0;
  while (taken < 20 && verdict(desk, mail.packet(10 + taken, client(3), "")) == "taken")
    ++taken;
  BOOST_TEST(taken == 4u);  // its own two, and the last two of the others
  desk.removed(client(1), 20);
  BOOST_TEST(verdict(desk, mail.packet(2, client(2), "")) == "taken");
}

RC_BOOST_PROP(any_bytes_are_answered, (const Bytes& bytes)) {
  static const TestMail mail;
  static Desk desk = desk_of(mail);
  if (bytes.size() != 34) RC_ASSERT(std::holds_alternative<Refuse>(desk.answer(bytes, kStart)));
}

RC_BOOST_PROP(received_is_taken_and_dropped_and_the_mailbox_counts_what_is_in_it, ()) {
  static const TestMail mail;
  const std::size_t room = *rc::gen::inRange<std::size_t>(1, 5);
  Desk desk = desk_of(mail, {.mailbox = room});
  desk.registered(client(1));
  desk.registered(client(2));
  std::map<std::uint8_t, std::size_t> waiting;
  record::DropCounts dropped;
  const int packets = 12;
  std::size_t taken = 0;
  for (int i = 0; i < packets; ++i) {
    const auto number = *rc::gen::inRange<std::uint64_t>(0, 8);  // some come again
    const auto who = *rc::gen::element<std::uint8_t>(1, 2, 3);
    const auto result = desk.take(mail.packet(number, client(who), "x"), 0);
    if (result) {
      ++taken;
      ++waiting[who];
    } else {
      dropped.add(result.error().reason);
    }
    RC_ASSERT(desk.waiting(client(who)) == waiting[who]);
    RC_ASSERT(waiting[who] <= room);
    if (waiting[who] > 0 && *rc::gen::inRange(0, 3) == 0) {
      desk.removed(client(who), 1);
      --waiting[who];
    }
  }
  RC_ASSERT(taken + dropped.total() == static_cast<std::size_t>(packets));
}

}  // namespace
}  // namespace mix::provider
