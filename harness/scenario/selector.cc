// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/selector.h"

#include <algorithm>
#include <charconv>

#include "harness/scenario/keys.h"

namespace lab::scenario {
namespace {

using Wrong = std::unexpected<std::string>;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || end.ec != std::errc{} || end.ptr != text.data() + text.size())
    return std::nullopt;
  return out;
}

std::optional<Role> role_of(std::string_view word) {
  for (Role role : {Role::directory, Role::mix, Role::provider, Role::client})
    if (word == to_text(role)) return role;
  return std::nullopt;
}

/// Splits at commas outside parentheses.
std::vector<std::string_view> items(std::string_view list) {
  std::vector<std::string_view> out;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == '(') ++depth;
    if (i < list.size() && list[i] == ')') --depth;
    if (i < list.size() && (list[i] != ',' || depth > 0)) continue;
    out.push_back(trimmed(list.substr(begin, i - begin)));
    begin = i + 1;
  }
  return out;
}

std::vector<HostId> with_role(const Plan& plan, Role role,
                              std::optional<std::uint64_t> layer = {}) {
  std::vector<HostId> out;
  for (std::size_t i = 0; i < plan.hosts.size(); ++i)
    if (plan.hosts[i].role == role &&
        (!layer || static_cast<std::uint64_t>(plan.hosts[i].layer) == *layer))
      out.push_back(HostId(i));
  return out;
}

Wrong nothing(const Plan& plan, std::string_view word) {
  std::vector<std::string> names{"directory", "mix", "provider", "client"};
  for (const Host& host : plan.hosts)
    names.push_back(host.name);
  for (const Program& program : plan.programs)
    names.push_back(program.name);
  return Wrong("'" + std::string(word) + "' names no host or program" + suggestion(word, names));
}

Read<Selection> one(const Plan& plan, std::string_view word, Stream& chance);

Read<Selection> any(const Plan& plan, std::string_view inside, Stream& chance) {
  const auto parts = items(inside);
  const auto count = parts.size() == 2 ? number(parts[1]) : std::optional<std::uint64_t>(1);
  if (parts.size() > 2 || !count || *count == 0)
    return Wrong("write any(selector) or any(selector, how many)");
  auto from = one(plan, parts[0], chance);
  if (!from) return from;
  if (*count > from->hosts.size())
    return Wrong("any(" + std::string(inside) + ") has only " + std::to_string(from->hosts.size()) +
                 " to choose from");
  Selection out;
  out.random = true;
  for (std::uint64_t i = 0; i < *count; ++i) {  // a partial shuffle
    const std::uint64_t pick = i + chance.below(from->hosts.size() - i);
    std::swap(from->hosts[i], from->hosts[pick]);
  }
  out.hosts.assign(from->hosts.begin(), from->hosts.begin() + static_cast<std::ptrdiff_t>(*count));
  std::ranges::sort(out.hosts);
  for (HostId host : out.hosts)
    out.text += (out.text.empty() ? "" : ", ") + plan.hosts[index(host)].name;
  return out;
}

Read<Selection> indexed(const Plan& plan, std::string_view word, std::size_t bracket) {
  const auto role = role_of(word.substr(0, bracket));
  const auto place = word.ends_with(']')
                         ? number(word.substr(bracket + 1, word.size() - bracket - 2))
                         : std::nullopt;
  if (!role || !place) return nothing(plan, word);
  const auto hosts = with_role(plan, *role);
  if (*place >= hosts.size())
    return Wrong("there is no " + std::string(word) + ", only " + std::to_string(hosts.size()) +
                 " of them");
  return Selection{{hosts[*place]}, {}, std::string(word), false};
}

Read<Selection> of_layer(const Plan& plan, std::string_view word, std::size_t at) {
  const auto role = role_of(word.substr(0, at));
  const std::string_view tail = word.substr(at + 1);
  const auto layer = tail.starts_with("layer") ? number(tail.substr(5)) : std::nullopt;
  if (!role || !layer) return nothing(plan, word);
  Selection out{with_role(plan, *role, *layer), {}, std::string(word), false};
  if (*role != Role::mix || out.hosts.empty())
    return Wrong("there is no layer " + std::to_string(*layer) + " of " +
                 std::string(word.substr(0, at)) + ": mixes have layers 1 to " +
                 std::to_string(plan.layers));
  return out;
}

Read<Selection> one(const Plan& plan, std::string_view word, Stream& chance) {
  if (word.starts_with("any(") && word.ends_with(')'))
    return any(plan, word.substr(4, word.size() - 5), chance);
  if (is_wires(word)) return Wrong("'" + std::string(word) + "' names wires, not hosts");
  Selection out;
  out.text = word;
  for (std::size_t i = 0; i < plan.hosts.size(); ++i)
    if (word == "*" || plan.hosts[i].name == word) out.hosts.push_back(HostId(i));
  if (!out.hosts.empty()) return out;
  for (std::size_t i = 0; i < plan.programs.size(); ++i)
    if (plan.programs[i].name == word) out.programs.push_back(NodeId(i));
  if (!out.programs.empty()) return out;
  if (const auto role = role_of(word)) {
    out.hosts = with_role(plan, *role);
    if (out.hosts.empty()) return Wrong("the scenario has no " + std::string(word));
    return out;
  }
  if (const std::size_t bracket = word.find('['); bracket != std::string_view::npos)
    return indexed(plan, word, bracket);
  if (const std::size_t at = word.find('@'); at != std::string_view::npos)
    return of_layer(plan, word, at);
  return nothing(plan, word);
}

template <class Id>
void unite(std::vector<Id>& to, const std::vector<Id>& more) {
  to.insert(to.end(), more.begin(), more.end());
  std::ranges::sort(to);
  to.erase(std::ranges::unique(to).begin(), to.end());
}

}  // namespace

Read<Selection> select(const Plan& plan, std::string_view selector, Stream& chance) {
  Selection out;
  for (std::string_view item : items(selector)) {
    if (item.empty()) return Wrong("a selector is missing in '" + std::string(selector) + "'");
    const auto part = one(plan, item, chance);
    if (!part) return part;
    unite(out.hosts, part->hosts);
    unite(out.programs, part->programs);
    out.text += (out.text.empty() ? "" : ", ") + part->text;
    out.random |= part->random;
  }
  return out;
}

bool is_wires(std::string_view selector) {
  return trimmed(selector).starts_with("link(");
}

Read<Wires> select_wires(const Plan& plan, std::string_view selector, Stream& chance) {
  const std::string_view text = trimmed(selector);
  const std::size_t arrow = text.find("->");
  if (!is_wires(text) || !text.ends_with(')') || arrow == std::string_view::npos)
    return Wrong("write link(from -> to), as in link(mix@layer1 -> mix@layer2)");
  auto from = select(plan, text.substr(5, arrow - 5), chance);
  if (!from) return Wrong(from.error());
  auto to = select(plan, text.substr(arrow + 2, text.size() - arrow - 3), chance);
  if (!to) return Wrong(to.error());
  return Wires{std::move(*from), std::move(*to)};
}

}  // namespace lab::scenario
