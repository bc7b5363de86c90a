// SPDX-License-Identifier: Apache-2.0
#include "src/directory/watchers.h"

#include <utility>

#include "src/wire/limits.h"

namespace mix::directory {

bool Watchers::full() const {
  return x_all.size() >= wire::kMaxWatchers;
}

runtime::Task<> Watchers::serve(runtime::WebSocket socket, Kind kind,
                                std::vector<std::string> first) {
  // Asked again: many handshakes may have been under way when each was admitted.
  if (full()) {
    co_await socket.close(runtime::WebSocket::CloseCode::policy, "too many watchers");
    co_return;
  }
  const bool is_local = runtime::is_loopback(socket.remote());
  const auto watcher = std::make_shared<Watcher>(std::move(socket), kind, is_local);
  const auto place = x_all.insert(x_all.end(), watcher);
  for (std::string& text : first)
    watcher->socket.send(std::move(text));
  // What a watcher says is read, which keeps the connection alive, and told to nobody.
  while (co_await watcher->socket.read()) {
  }
  x_all.erase(place);
}

void Watchers::tell_reports(const std::string& text) {
  std::shared_ptr<const std::string> shared;
  for (const auto& watcher : x_all) {
    if (watcher->kind != Kind::reports) continue;
    if (!shared) shared = std::make_shared<const std::string>(text);
    watcher->socket.send(shared);
  }
}

void Watchers::tell_live(Audience audience, const std::function<std::string()>& make) {
  std::shared_ptr<const std::string> shared;
  for (const auto& watcher : x_all) {
    if (watcher->kind != Kind::live) continue;
    if (audience == Audience::this_machine && !watcher->is_local) continue;
    if (!shared) shared = std::make_shared<const std::string>(make());
    watcher->socket.send(shared);
  }
}

}  // namespace mix::directory
