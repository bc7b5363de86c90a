// SPDX-License-Identifier: Apache-2.0
#include "src/directory/watchers.h"

#include <utility>

#include "src/directory/feed.h"

namespace mix::directory {
namespace {

/// From one opening told to a watcher to the next.
constexpr Duration kOpeningGap = 1s;

}  // namespace

bool Watchers::full() const {
  return x_all.size() >= wire::kMaxWatchers;
}

runtime::Task<> Watchers::serve(runtime::WebSocket socket, Kind kind, bool is_local) {
  // Asked again: many handshakes may have been under way when each was admitted.
  if (full()) {
    co_await socket.close(runtime::WebSocket::CloseCode::policy, "too many watchers");
    co_return;
  }
  std::vector<std::string> first;
  if (kind == Kind::live) first = x_opening(is_local);
  const auto watcher = std::make_shared<Watcher>(std::move(socket), kind, is_local, x_loop.now());
  const auto place = x_all.insert(x_all.end(), watcher);
  for (std::string& text : first)
    watcher->socket.send(std::move(text));
  // What a watcher says is read, which keeps the connection alive, and told to nobody.
  while (co_await watcher->socket.read()) {
  }
  x_all.erase(place);
}

void Watchers::tell(const Held& watcher, const Text& text) {
  if (watcher->missed == 0 && watcher->socket.offer(text)) return;
  if (!watcher->socket.is_open()) return;
  if (++watcher->missed == 1) x_loop.spawn(catch_up(watcher));
}

runtime::Task<> Watchers::catch_up(Held watcher) {
  co_await watcher->socket.drained();
  // The opening costs the more the more nodes there are, and reading fast must not bring it often.
  co_await x_loop.sleep_until(watcher->opened + kOpeningGap);
  if (!watcher->socket.is_open()) co_return;
  std::vector<std::string> again;
  if (watcher->kind == Kind::live) {
    again = x_opening(watcher->is_local);
    again.insert(again.begin(), feed::missed(watcher->missed, x_loop.wall_now()));
  }
  watcher->opened = x_loop.now();
  watcher->missed = 0;
  for (std::string& text : again)
    watcher->socket.send(std::move(text));
}

void Watchers::tell_reports(const std::string& text) {
  Text shared;
  for (const Held& watcher : x_all) {
    if (watcher->kind != Kind::reports) continue;
    if (!shared) shared = std::make_shared<const std::string>(text);
    tell(watcher, shared);
  }
}

void Watchers::tell_live(Audience audience, Telling telling,
                         const std::function<std::string()>& make) {
  Text shared;
  for (const Held& watcher : x_all) {
    if (watcher->kind != Kind::live) continue;
    if (audience == Audience::this_machine && !watcher->is_local) continue;
    if (!shared) {
      if (!keeps_pace(telling)) return;
      shared = std::make_shared<const std::string>(make());
    }
    tell(watcher, shared);
  }
}

bool Watchers::keeps_pace(Telling telling) {
  if (telling == Telling::each || x_refusals.tell(x_loop.now())) return true;
  if (x_refusals.left_out() == 1) x_loop.call_at(x_refusals.end(), [this] { tell_more(); });
  return false;
}

void Watchers::tell_more() {
  const std::uint64_t many = x_refusals.take_left_out();
  tell_live(Audience::everyone, Telling::each,
            [&] { return feed::more("refused", many, x_loop.wall_now()); });
}

}  // namespace mix::directory
