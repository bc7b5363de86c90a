// SPDX-License-Identifier: Apache-2.0
#include "src/presence/name_book.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <utility>

#include "src/prelude/check.h"
#include "src/runtime/resolve.h"
#include "src/wire/limits.h"

namespace mix::presence {
namespace {

constexpr std::size_t kHalf = wire::kMaxNamesAsked / 2;

Duration pause_after(unsigned failures) {
  Duration pause = wire::kNameRetry;
  for (unsigned i = 1; i < failures && pause < wire::kNameRetryMost; ++i)
    pause *= 2;
  return std::min(pause, wire::kNameRetryMost);
}

}  // namespace

std::string domain_of(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::size_t dot = host.rfind('.');
  if (dot != std::string_view::npos && dot > 0) dot = host.rfind('.', dot - 1);
  std::string out(dot == std::string_view::npos ? host : host.substr(dot + 1));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void NameBook::list(const std::vector<std::string>& names, Instant now) {
  for (auto& [name, known] : x_known)
    known.listed = false;
  for (const std::string& name : std::views::take(names, wire::kMaxNamesListed)) {
    const auto [at, is_new] = x_known.try_emplace(name);
    at->second.listed = true;
    at->second.fresh = false;
    if (!is_new) continue;
    const auto split = runtime::split_host_port(name);
    CHECK(split.has_value(), name);
    at->second.domain = domain_of(split->host);
  }
  forget(now);
  put_in_order();
}

/// What is not listed any more, but for names that failed lately.
void NameBook::forget(Instant now) {
  std::vector<std::pair<Instant, std::string>> gone;
  std::erase_if(x_known, [&](const auto& one) {
    const Known& known = one.second;
    if (known.listed || known.asking) return false;
    if (known.failures == 0 || now - known.asked > wire::kNameMemory) return true;
    gone.emplace_back(known.asked, one.first);
    return false;
  });
  if (gone.size() <= wire::kMaxNamesRemembered) return;
  std::ranges::sort(gone);
  gone.resize(gone.size() - wire::kMaxNamesRemembered);
  for (const auto& [asked, name] : gone)
    x_known.erase(name);
}

void NameBook::put_in_order() {
  x_turns.clear();
  for (auto at = x_known.begin(); at != x_known.end(); ++at)
    if (at->second.listed) x_turns.push_back(at);
  const auto before = [](const auto& a, const auto& b) {
    return std::tie(a->second.failures, a->second.asked) <
           std::tie(b->second.failures, b->second.asked);
  };
  std::ranges::stable_sort(x_turns, before);
  // The first of each domain, then the second of each, and so on.
  std::map<std::pair<std::string_view, bool>, std::size_t> seen;
  std::vector<std::tuple<unsigned, std::size_t, Book::iterator>> turns;
  for (const auto& at : x_turns) {
    const Known& known = at->second;
    turns.emplace_back(known.failures, ++seen[{known.domain, known.failures > 0}], at);
  }
  std::ranges::stable_sort(turns, [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  std::ranges::transform(turns, x_turns.begin(),
                         [](const auto& turn) { return std::get<2>(turn); });
}

bool NameBook::may_be_asked(const Known& known, Instant now) const {
  if (known.asking || known.fresh || now < known.again) return false;
  const auto open = [&](auto what) {
    return static_cast<std::size_t>(
        std::ranges::count_if(x_open, [&](const auto& at) { return what(at->second); }));
  };
  if (known.failures > 0 && open([](const Known& one) { return one.failures > 0; }) >= kHalf)
    return false;
  return open([&](const Known& one) { return one.domain == known.domain; }) < kHalf;
}

std::optional<std::string> NameBook::next(Instant now) {
  const auto prompt =
      std::ranges::count_if(x_open, [&](const auto& at) { return !overdue(at->second, now); });
  if (static_cast<std::size_t>(prompt) >= wire::kMaxNamesAsked ||
      x_open.size() >= wire::kMaxNamesAsked + wire::kMaxNamesOverdue)
    return std::nullopt;
  const auto turn =
      std::ranges::find_if(x_turns, [&](const auto& at) { return may_be_asked(at->second, now); });
  if (turn == x_turns.end()) return std::nullopt;
  Known& known = (*turn)->second;
  known.asking = true;
  known.asked = now;
  x_open.push_back(*turn);
  return (*turn)->first;
}

void NameBook::answered(const std::string& name, Addresses addresses, Instant now) {
  const auto found = x_known.find(name);
  CHECK(found != x_known.end() && found->second.asking, name);
  std::erase(x_open, found);
  Known& known = found->second;
  known.asking = false;
  known.fresh = true;
  known.failures = addresses.empty() ? known.failures + 1 : 0;
  known.again = addresses.empty() ? now + pause_after(known.failures) : Instant::min();
  if (addresses.size() > wire::kMaxAddressesPerName) addresses.resize(wire::kMaxAddressesPerName);
  known.addresses = std::move(addresses);
}

bool NameBook::settled(Instant now) const {
  return std::ranges::none_of(x_turns, [&](const auto& at) {
    const Known& known = at->second;
    if (known.fresh || known.failures > 1 || now < known.again) return false;
    return !known.asking || !overdue(known, now);
  });
}

bool NameBook::complete() const {
  return std::ranges::all_of(
      x_turns, [](const auto& at) { return at->second.fresh && !at->second.addresses.empty(); });
}

const Addresses& NameBook::addresses_of(const std::string& name) const {
  static const Addresses none;
  const auto found = x_known.find(name);
  return found == x_known.end() ? none : found->second.addresses;
}

}  // namespace mix::presence
