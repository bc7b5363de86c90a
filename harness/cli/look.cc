// SPDX-License-Identifier: Apache-2.0
// The commands that run nothing.
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/judge/query.h"
#include "harness/report/summary.h"
#include "harness/report/way.h"
#include "harness/scenario/parse.h"

namespace lab::cli {
namespace {

namespace json = boost::json;

}  // namespace

std::string bin_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

int check(const std::string& scenario, const std::vector<std::string>& settings, bool reference,
          bool canonical) {
  if (reference) {
    std::cout << scenario::reference();
    return kHolds;
  }
  const auto plan = read_plan(scenario, settings);
  if (!plan) return kUsage;
  if (canonical) {
    std::cout << plan->canonical;
    return kHolds;
  }
  (void)all_there(*plan);  // said, but no mistake of the file's: they may be there where it is run
  std::cout << explain(*plan);
  return kHolds;
}

int show(const std::string& file, bool as_json) {
  auto looked = look_at(file);
  if (!looked) return kUsage;
  try {
    json::object summary = report::summary(looked->db);
    summary["doubt"] = looked->doubt.empty() ? json::value(nullptr) : json::value(looked->doubt);
    std::cout << (as_json ? json::serialize(summary) + "\n" : report::to_text(summary));
    return kHolds;
  } catch (const judge::QueryFailed& failed) {
    std::cerr << "mixlab: " << file << " is not a recording: " << failed.text << "\n";
    return kUsage;
  }
}

int trace(const std::string& file, std::int64_t packet) {
  auto looked = look_at(file);
  if (!looked) return kUsage;
  try {
    const auto text = report::trace(looked->db, packet);
    if (!text) {
      std::cerr << "mixlab: " << file << " has no packet " << packet << " (sqlite3 "
                << shell_word(file) << " 'select id, class from packet')\n";
      return kUsage;
    }
    std::cout << *text;
    return kHolds;
  } catch (const judge::QueryFailed& failed) {
    std::cerr << "mixlab: " << file << " is not a recording: " << failed.text << "\n";
    return kUsage;
  }
}

}  // namespace lab::cli
