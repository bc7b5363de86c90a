// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lab::scenario {
namespace {

constexpr Key kScenario[] = {
    {"name", Kind::word, nullptr, "names the recording", nullptr, nullptr, "*"},
    {"about", Kind::text, "\"\"", "the question this scenario asks"},
    {"duration", Kind::duration, nullptr, "virtual time the run lasts", nullptr, nullptr, "*"},
    {"seed", Kind::integer, "1", "everything left to chance follows from it",
     "0|9223372036854775807"},
    {"epoch", Kind::epoch, "\"2026-01-01T00:00:00Z\"", "what the wall clocks show at the start"},
    {"schema", Kind::integer, "1", "version of this language", "1|1"},
};
constexpr Key kMixnet[] = {
    {"layers", Kind::integer, "3", "mix layers", "1|4"},
    {"width", Kind::integer, "1", "mixes in each layer", "1|1000"},
    {"providers", Kind::integer, "1", "providers", "0|100"},
    {"clients", Kind::integer, "1", "clients", "0|1000"},
    {"directory", Kind::boolean, "true", "whether a directory is started"},
    {"loop_rate", Kind::rate, "\"2 / s\"", "loop packets of each client"},
    {"send_rate", Kind::rate, "\"2 / s\"", "packets of each client's real stream, filler included"},
    {"mean_delay", Kind::duration, "\"100 ms\"", "mean of the delay asked of each mix"},
    {"poll_interval", Kind::duration, "\"500 ms\"", "between two pulls of a client"},
    {"stagger", Kind::duration, "\"1 ms\"", "between the starts of two programs"},
    {"instead", Kind::commands, nullptr,
     "programs that run in the place of these: name = words that stand before the first flag"},
};
constexpr Key kHost[] = {
    {"address", Kind::address, nullptr, "numeric IPv4 address; the lab gives one otherwise"},
    {"clock_offset", Kind::signed_duration, "\"0 s\"", "how far its wall clock is ahead"},
    {"clock_drift_ppm", Kind::integer, "0", "how much faster its clocks run", "-100000|100000"},
    {"cpu_cost_per_activation", Kind::duration, "\"0 s\"", "what it sends leaves that much later"},
};
constexpr Key kProgram[] = {
    {"host", Kind::host_name, nullptr, "where it runs; a new name makes a host", nullptr, nullptr,
     "*"},
    {"name", Kind::word, nullptr, "its name in the recording", nullptr, nullptr, "*"},
    {"command", Kind::command, nullptr,
     "program and arguments; \"{record}\" stands for a descriptor that takes hop records", nullptr,
     nullptr, "*"},
    {"start", Kind::duration, "\"0 s\"", "when it starts"},
    {"stop", Kind::duration, nullptr, "when it is sent SIGTERM"},
    {"after", Kind::program_name, nullptr, "starts once that program has exited with 0"},
    {"files", Kind::files, nullptr, "what its folder holds: path = source beside the scenario"},
    {"expect_exit", Kind::integer, nullptr, "the exit status it must end with", "0|255"},
};
#define LINK_KEYS(LATENCY, QUEUE, NONE, RATIO, ONLY)                                                 \
  {"latency", Kind::latency, LATENCY, "time from one end to the other", nullptr, ONLY},              \
      {"loss",  Kind::loss, RATIO, "share of segments and datagrams lost, or their bursts",          \
       nullptr, ONLY},                                                                               \
      {"bandwidth", Kind::bandwidth, nullptr, "unlimited without it", nullptr, ONLY},                \
      {"queue", Kind::size, QUEUE, "what may wait for the bandwidth; the rest is lost",              \
       nullptr, ONLY},                                                                               \
      {"duplicate", Kind::ratio, RATIO, "share of datagrams (not of TCP) that come twice",           \
       nullptr,     ONLY},                                                                           \
      {"corrupt", Kind::ratio, RATIO, "share of datagrams (not of TCP) with a flipped bit",          \
       nullptr,   ONLY},                                                                             \
      {"reorder", Kind::reorder, nullptr, "share of datagrams (not of TCP) that come so much later", \
       nullptr,   ONLY},                                                                             \
  {                                                                                                  \
    "fragment", Kind::choice, NONE, "whether reads are cut at seeded points", "none|seeded", ONLY    \
  }
constexpr Key kLink[] = {LINK_KEYS("\"1 ms\"", "\"64 KiB\"", "\"none\"", "\"0/1\"", nullptr)};
constexpr Key kConnect[] = {
    {"from", Kind::selector, nullptr, "hosts at one end", nullptr, nullptr, "*"},
    {"to", Kind::selector, nullptr, "hosts at the other end", nullptr, nullptr, "*"},
    {"link", Kind::link_name, nullptr, "the [link.X] between them; the last match counts", nullptr,
     nullptr, "*"},
    {"directed", Kind::boolean, "false", "only what goes from `from` to `to`"},
};
constexpr Key kTraffic[] = {
    {"from", Kind::selector, nullptr, "clients that send", nullptr, nullptr, "*"},
    {"to", Kind::selector, nullptr, "clients that receive", nullptr, nullptr, "*"},
    {"process", Kind::choice, "\"poisson\"", "gaps between messages", "poisson|constant"},
    {"rate", Kind::rate, nullptr, "messages of each pair of sender and receiver", nullptr, nullptr,
     "*"},
    {"size", Kind::integer, "200", "bytes of a message", "24|975"},
    {"count", Kind::integer, nullptr, "at most so many messages of a pair", "1|1000000"},
    {"window", Kind::window, nullptr,
     "when they are sent; from 5 s to 5 s before the end without it"},
};
constexpr Key kAt[] = {
    {"t", Kind::duration, nullptr, "when", nullptr, nullptr, "*"},
    {"do", Kind::choice, nullptr, "what happens",
     "crash|restart|stop|pause|resume|partition|heal|set-link|step-clock", nullptr, "*"},
    {"on", Kind::selector, nullptr, "hosts or programs; of set-link a link(...) or a link's name",
     nullptr, "crash|restart|stop|pause|resume|set-link|step-clock",
     "crash|restart|stop|pause|resume|set-link|step-clock"},
    {"between", Kind::words, nullptr, "two selectors", nullptr, "partition|heal", "partition|heal"},
    {"directed", Kind::boolean, "false", "cuts only the way from the first to the second", nullptr,
     "partition|heal"},
    {"for", Kind::duration, nullptr,
     "then it ends: restart after crash or stop, resume after pause, heal, the old link", nullptr,
     "crash|stop|pause|partition|set-link"},
    {"by", Kind::signed_duration, nullptr, "how far the wall clock jumps", nullptr, "step-clock",
     "step-clock"},
    LINK_KEYS(nullptr, nullptr, nullptr, nullptr, "set-link"),
};
constexpr Key kExpect[] = {
    {"that", Kind::choice, nullptr, "the promise",
     "layer-order|loop-returns|real-delivered|conservation|no-drop|constant-size|delay-law|exit",
     nullptr, "*"},
    {"mode", Kind::choice, "\"finally\"",
     "always: fails at the first violation; sometimes: held at least once; never: must not hold",
     "always|sometimes|eventually|finally|never"},
    {"window", Kind::window, nullptr, "only what was created then", nullptr,
     "layer-order|loop-returns|real-delivered|no-drop|constant-size|delay-law"},
    {"ratio", Kind::ratio, "\"1/1\"", "share that must arrive", nullptr,
     "loop-returns|real-delivered"},
    {"within", Kind::duration, nullptr,
     "in that time; leaves out what was created later than that before the end; of delay-law how "
     "late a mix may send, never early",
     nullptr, "loop-returns|real-delivered|delay-law", "loop-returns|real-delivered"},
    {"class", Kind::choice, "\"loop\"", "loop packets only, or fillers too", "loop|any",
     "loop-returns"},
    {"exactly_once", Kind::boolean, "true", "no message may come twice", nullptr, "real-delivered"},
    {"except", Kind::words, nullptr, "reasons of drops that are allowed", nullptr, "no-drop"},
    {"on", Kind::selector, nullptr, "hosts or programs; of constant-size a link(...)", nullptr,
     "constant-size|exit", "constant-size|exit"},
    {"code", Kind::integer, "0", "exit status", "0|255", "exit"},
};
constexpr Key kRecord[] = {
    {"payload", Kind::choice, "\"digest\"", "whether segments are kept whole", "full|digest"},
    {"checkpoint_every", Kind::integer, "1000", "events between two checkpoints of the chain",
     "1|1000000000"},
};

constexpr std::array<Table, 10> kTables{{
    {"scenario", Shape::single, nullptr, "What is asked, and for how long.", kScenario},
    {"mixnet", Shape::single, nullptr,
     "Expands into hosts and programs: directory, mix-0 .., provider-0 .., client-0 ..", kMixnet},
    {"host", Shape::named, nullptr, "A host's clock and address.", kHost},
    {"program", Shape::list, nullptr, "Any other program of a host.", kProgram},
    {"link", Shape::named, nullptr, "The law of a wire; [link.default] holds where no other does.",
     kLink},
    {"connect", Shape::list, nullptr, "Which wires follow which law.", kConnect},
    {"traffic", Shape::list, nullptr, "Real messages, through the clients' own websockets.",
     kTraffic},
    {"at", Shape::list, "do", "Faults, planned to the nanosecond.", kAt},
    {"expect", Shape::list, "that", "What must hold.", kExpect},
    {"record", Shape::single, nullptr, "What the recording keeps.", kRecord},
}};

/// Letters to put in, leave out, change or swap with the next (Damerau): "rnu" is one from "run".
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> earlier, above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    earlier = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], earlier[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string with_or(const char* list) {
  const auto words = split(list);
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

}  // namespace

const Key* Table::find(std::string_view key) const {
  const auto found = std::ranges::find_if(keys, [&](const Key& k) { return k.name == key; });
  return found == keys.end() ? nullptr : &*found;
}

std::span<const Table> tables() {
  return kTables;
}

const Table* find_table(std::string_view name) {
  const auto found = std::ranges::find_if(kTables, [&](const Table& t) { return t.name == name; });
  return found == kTables.end() ? nullptr : &*found;
}

std::string heading(const Table& table, std::string_view name) {
  const std::string base = table.name;
  if (table.shape == Shape::list) return "[[" + base + "]]";
  return table.shape == Shape::single ? "[" + base + "]"
                                      : "[" + base + "." + std::string(name) + "]";
}

std::vector<std::string> split(const char* list) {
  std::vector<std::string> out;
  std::string_view rest = list == nullptr ? "" : list;
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    out.emplace_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? "" : rest.substr(bar + 1);
  }
  return out;
}

bool among(const char* list, std::string_view word) {
  const auto words = split(list);
  return std::ranges::find(words, word) != words.end();
}

std::string describe(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "a text";
    case Kind::word:
      return "a name of letters, digits, '-', '_' and '.'";
    case Kind::address:
      return "a numeric IPv4 address";
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "a whole number";
    case Kind::duration:
      return "a duration (\"20 ms\")";
    case Kind::signed_duration:
      return "a duration, may be negative (\"-3 s\")";
    case Kind::ratio:
      return "a ratio (\"2/1000\" or 0.002)";
    case Kind::rate:
      return "a rate (\"2 / s\")";
    case Kind::size:
      return "a size (\"64 KiB\")";
    case Kind::bandwidth:
      return "a bandwidth (\"10 Mbit/s\")";
    case Kind::epoch:
      return "a moment in UTC (\"2026-01-01T00:00:00Z\")";
    case Kind::selector:
      return "a selector (\"mix@layer2\")";
    case Kind::host_name:
      return "the name of a host";
    case Kind::program_name:
      return "the name of a program";
    case Kind::link_name:
      return "the X of a [link.X]";
    case Kind::command:
      return "an array of texts";
    case Kind::files:
      return "a table of texts";
    case Kind::commands:
      return "a table of arrays of texts ({ client-0 = [\"nym-client\", \"websocket\"] })";
    case Kind::latency:
      return "a duration, or {dist = \"uniform\", min, max}, {dist = \"normal\", mean, sd, min} or "
             "{dist = \"exponential\", mean, min}";
    case Kind::loss:
      return "a ratio, or {good_to_bad, bad_to_good, loss_good, loss_bad}";
    case Kind::reorder:
      return "{ratio, delay}";
    case Kind::window:
      return "two durations ([\"10 s\", \"40 s\"])";
    case Kind::choice:
      return "one of some words";
    case Kind::words:
      return "an array of texts";
  }
  return "?";
}

std::string describe(const Key& key) {
  return key.kind == Kind::choice ? with_or(key.choices) : describe(key.kind);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  std::size_t least = word.size() <= 3 ? 2 : 3;  // a farther word is no help
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? "" : "; did you mean '" + *best + "'?";
}

std::string reference() {
  std::string out = "# Scenario keys\n";
  for (const Table& table : kTables) {
    out += "\n## " + heading(table) + "\n" + table.about + "\n\n";
    for (const Key& key : table.keys) {
      out += "* `" + std::string(key.name) + "`: " + key.about + ". ";
      out += key.kind == Kind::choice ? "One of " + with_or(key.choices)
             : key.kind == Kind::integer && key.choices != nullptr
                 ? "A whole number from " + split(key.choices)[0] + " to " + split(key.choices)[1]
                 : "Takes " + describe(key.kind);
      if (key.preset != nullptr) out += "; default `" + std::string(key.preset) + "`";
      if (key.only != nullptr)
        out += "; with `" + std::string(table.selector) + "` " + with_or(key.only) + " only";
      if (key.needed != nullptr) out += "; required";
      if (key.needed != nullptr && std::string_view(key.needed) != "*")
        out += " with " + with_or(key.needed);
      out += ".\n";
    }
  }
  out +=
      "\n## Selectors\n"
      "`mix` all mixes, `mix[2]` or `mix-2` one, `mix@layer2` a layer, `any(mix)` and `any(mix, "
      "2)` a "
      "seeded choice, `*` everything, `link(mix@layer1 -> mix@layer2)` wires; several with commas. "
      "Roles: directory, mix, provider, client. Where programs are meant, `client-0.talk` names "
      "one.\n";
  return out;
}

}  // namespace lab::scenario
