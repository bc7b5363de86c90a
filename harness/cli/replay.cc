// SPDX-License-Identifier: Apache-2.0
// `mixlab replay FILE`: the recorded scenario and seed once more, in other surroundings, and every
// event compared with the recording's. The recording alone is enough; it is only read.
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/cli/second_look.h"
#include "harness/judge/query.h"
#include "harness/replay/difference.h"

namespace lab::cli {
namespace {

namespace json = boost::json;
using mix::sqlite::Database;

struct Recorded {
  std::string scenario, chain, manifest;
  std::int64_t seed = 0, events = 0;
};

Recorded read(Database& db) {
  judge::Query run(db,
                   "SELECT scenario, coalesce(chain, ''), seed, coalesce(manifest, '{}') FROM run");
  if (!run.next()) throw judge::QueryFailed{"it has no run"};
  Recorded out{run.text(0), run.text(1), run.text(3), run.integer(2), 0};
  if (out.chain.empty()) return out;
  judge::Query last(db, "SELECT count(*) FROM event");
  last.next();
  out.events = last.integer(0);
  return out;
}

/// The first event that two recordings of one chain do not tell alike: one file was changed.
std::optional<std::int64_t> changed_event(Database& a, Database& b) {
  const std::string all =
      "SELECT seq, time_ns, coalesce(node, 0), kind, coalesce(detail, '') FROM event ORDER BY seq";
  judge::Query left(a, all), right(b, all);
  for (std::int64_t seq = 0;; ++seq) {
    const bool more = left.next();
    if (more != right.next()) return seq;
    if (!more) return std::nullopt;
    for (const int column : {0, 1, 2})
      if (left.integer(column) != right.integer(column)) return seq;
    for (const int column : {3, 4})
      if (left.text(column) != right.text(column)) return seq;
  }
}

/// Name without folder, to digest: a recording may have moved, and so may the programs.
std::map<std::string, std::string> binaries(const std::string& manifest) {
  std::map<std::string, std::string> out;
  boost::system::error_code error;
  const json::value parsed = json::parse(manifest, error);
  if (error || !parsed.is_object()) return out;
  if (const json::value* list = parsed.as_object().if_contains("binaries");
      list && list->is_object())
    for (const auto& [path, digest] : list->as_object())
      if (digest.is_string())
        out[std::filesystem::path(std::string(path)).filename().string()] = digest.as_string();
  return out;
}

/// Says which programs and libraries are others than the recorded ones.
void compare_manifests(const std::string& then, const std::string& now) {
  const auto before = binaries(then), after = binaries(now);
  for (const auto& [name, digest] : before)
    if (const auto found = after.find(name); found == after.end())
      std::cout << "note  " << name << " was used by the recorded run and is not now\n";
    else if (found->second != digest)
      std::cout << "note  " << name << " is another build than the recorded one\n";
  for (const auto& [name, digest] : after)
    if (!before.contains(name))
      std::cout << "note  " << name << " was not used by the recorded run\n";
}

int refuse(int status, const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return status;
}

}  // namespace

int replay(const std::string& file) {
  if (file.ends_with(".incomplete"))
    return refuse(kUsage,
                  file + " is the recording of a run that did not end; it cannot be replayed");
  auto db = Database::open(file, Database::Mode::read_only);
  if (!db) return refuse(kUsage, file + ": " + db.error().text);
  try {
    const Recorded recorded = read(*db);
    if (recorded.chain.empty())
      return refuse(kUsage,
                    file + " has no chain: it is a devnet's, and real time cannot be had again");
    const WorkFolder work;
    RunFlags flags;
    flags.scenario = work.path() + "/recorded.toml";
    std::ofstream(flags.scenario) << recorded.scenario;
    SecondLook again(flags, static_cast<std::uint64_t>(recorded.seed), work.path());
    std::string problem;
    const auto look = again.result(problem);
    if (!look) return refuse(kLab, "the run could not be had again: " + problem);
    auto other = Database::open(look->recording, Database::Mode::read_only);
    if (!other) return refuse(kLab, look->recording + ": " + other.error().text);
    compare_manifests(recorded.manifest, read(*other).manifest);
    const auto found = replay::first_difference(*db, *other);
    if (!found) return refuse(kUsage, file + ": " + found.error());
    if (*found) {
      std::cout << replay::to_text(**found, "recorded", "seen now");
      return kFailed;
    }
    if (look->chain != recorded.chain)
      return refuse(kUsage, file + ": its checkpoints are those of chain " + look->chain +
                                ", but it says " + recorded.chain + "; the file was changed");
    if (const auto seq = changed_event(*db, *other))
      return refuse(kUsage, file + ": event " + std::to_string(*seq) +
                                " is not what its chain was made of; the file was changed");
    std::cout << "identical: " << recorded.events << " events, chain " << recorded.chain << "\n";
    return kHolds;
  } catch (const judge::QueryFailed& failed) {
    return refuse(kUsage, file + " is not a recording of the lab: " + failed.text);
  }
}

}  // namespace lab::cli
