// SPDX-License-Identifier: Apache-2.0
#include "src/provider/replies.h"

#include <algorithm>

#include "src/wire/limits.h"

namespace mix::provider {

Replies::Out Replies::begin(const wire::ClientAddress& mailbox, std::vector<std::int64_t> mail,
                            Instant now, std::function<void()> break_off) {
  x_out[crypto::PublicKey(mailbox)].push_back(
      {++x_last, std::move(mail), now, std::move(break_off)});
  return {mailbox, x_last};
}

std::optional<std::vector<std::int64_t>> Replies::end(const Out& out) {
  const auto found = x_out.find(crypto::PublicKey(out.mailbox));
  if (found == x_out.end()) return std::nullopt;
  const auto reply = std::ranges::find(found->second, out.number, &Reply::number);
  if (reply == found->second.end()) return std::nullopt;
  std::optional mail = std::move(reply->mail);
  found->second.erase(reply);
  if (found->second.empty()) x_out.erase(found);
  return mail;
}

Replies::TakenBack Replies::take_back(const wire::ClientAddress& mailbox, Instant now) {
  TakenBack back;
  const auto found = x_out.find(crypto::PublicKey(mailbox));
  if (found == x_out.end()) return back;
  std::list<Reply>& replies = found->second;
  while (!replies.empty() && now - replies.front().since >= wire::kStalledReply) {
    const Reply& stalled = replies.front();
    back.mail.insert(back.mail.end(), stalled.mail.begin(), stalled.mail.end());
    ++back.replies;
    stalled.break_off();
    replies.pop_front();
  }
  if (replies.empty()) x_out.erase(found);
  return back;
}

}  // namespace mix::provider
