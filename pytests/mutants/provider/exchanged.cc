// SPDX-License-Identifier: Apache-2.0
// nym-sfw-provider with some of its functions exchanged by the linker: ../client/exchanged.cc says
// how. Threads: the mailboxes' functions run on the storage thread, the others on the loop's.
#include "pytests/mutants/provider/exchanged.h"

#include <set>

#include "src/prelude/cursor.h"
#include "src/provider/desk.h"
#include "src/store/mailbox.h"
#include "src/store/tags.h"
#include "src/wire/request.h"

using namespace mix;

namespace mutants {
namespace {

Promise broken = Promise::none;

bool breaks(Promise promise) {
  return broken == promise;
}

}  // namespace

void set_broken(Promise promise) {
  broken = promise;
}

Bytes real_encode_pull_reply(std::span<const BytesView>) __asm__(
    "__real__ZN3mix4wire17encode_pull_replyESt4spanIKS1_"
    "IKhLm18446744073709551615EELm184467440737095"
    "51615EE");
Bytes encode_pull_reply(std::span<const BytesView> messages) __asm__(
    "__wrap__ZN3mix4wire17encode_pull_replyESt4spanIKS1_"
    "IKhLm18446744073709551615EELm184467440737095"
    "51615EE");
Bytes encode_pull_reply(std::span<const BytesView> messages) {
  if (!breaks(Promise::bare_replies)) return real_encode_pull_reply(messages);
  Bytes out;
  Writer writer(out);
  writer.u16(static_cast<std::uint16_t>(messages.size()));
  for (const BytesView message : messages)
    writer.u16(static_cast<std::uint16_t>(message.size()));
  for (const BytesView message : messages)
    writer.bytes(message);
  return out;
}

using UseTag = std::function<void(const sphinx::Tag&)>;

sqlite::Result<void> real_each(store::Tags*, const UseTag&) __asm__(
    "__real__ZN3mix5store4Tags4eachERKSt8functionIFvRKSt5arrayIhLm16EEEE");
sqlite::Result<void> each(store::Tags* self, const UseTag& use) __asm__(
    "__wrap__ZN3mix5store4Tags4eachERKSt8functionIFvRKSt5arrayIhLm16EEEE");
sqlite::Result<void> each(store::Tags* self, const UseTag& use) {
  return real_each(self, breaks(Promise::forgets_tags) ? [](const sphinx::Tag&) {} : use);
}

using Mails = sqlite::Result<std::vector<store::Mail>>;

sqlite::Result<void> real_settle(store::Mailboxes*, std::span<const std::int64_t>, bool) __asm__(
    "__real__ZN3mix5store9Mailboxes6settleESt4spanIKlLm18446744073709551615EEb");
sqlite::Result<void>
settle(store::Mailboxes* self, std::span<const std::int64_t> ids, bool arrived) __asm__(
    "__wrap__ZN3mix5store9Mailboxes6settleESt4spanIKlLm18446744073709551615EEb");
sqlite::Result<void> settle(store::Mailboxes* self, std::span<const std::int64_t> ids,
                            bool arrived) {
  static std::set<std::int64_t> once;  // what arrived before
  if (!arrived || !breaks(Promise::hands_out_twice)) return real_settle(self, ids, arrived);
  for (const std::int64_t& id : ids)
    if (auto done = real_settle(self, std::span(&id, 1), !once.insert(id).second); !done)
      return done;
  return {};
}

void real_removed(provider::Desk*, const wire::ClientAddress&,
                  std::size_t) __asm__("__real__ZN3mix8provider4Desk7removedERKSt5arrayIhLm32EEm");
void removed(provider::Desk* self, const wire::ClientAddress& from, std::size_t messages) __asm__(
    "__wrap__ZN3mix8provider4Desk7removedERKSt5arrayIhLm32EEm");
void removed(provider::Desk* self, const wire::ClientAddress& from, std::size_t messages) {
  // The desk counts, and would notice that more is taken than there was.
  if (!breaks(Promise::hands_out_twice)) real_removed(self, from, messages);
}

Mails real_offer(store::Mailboxes*, std::int64_t,
                 std::size_t) __asm__("__real__ZN3mix5store9Mailboxes5offerElm");
Mails offer(store::Mailboxes* self, std::int64_t account,
            std::size_t limit) __asm__("__wrap__ZN3mix5store9Mailboxes5offerElm");
Mails offer(store::Mailboxes* self, std::int64_t account, std::size_t limit) {
  Mails mail = real_offer(self, account, limit);
  if (!breaks(Promise::deletes_early) || !mail) return mail;
  for (const store::Mail& one : *mail)
    if (auto done = real_settle(self, std::span(&one.id, 1), true); !done)
      return std::unexpected(done.error());
  return mail;
}

}  // namespace mutants
