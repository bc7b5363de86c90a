// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "harness/cli/commands.h"
#include "harness/recorder/seal.h"
#include "harness/replay/recording.h"
#include "harness/runner/folders.h"
#include "harness/scenario/parse.h"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
using mix::sqlite::Database;

std::string called_as = "mixlab";

/// Whether a recording of this name may be replaced by that of the same run.
bool is_this_run(const std::string& file, const std::string& canonical, const std::string& chain,
                 const std::string& manifest) {
  auto db = Database::open(file, Database::Mode::read_only);
  if (!db || !recorder::check_seal(file)) return false;  // somebody's changes, or no recording
  const auto is = [&](const char* query, const std::string& value) {
    const auto found = db->text(query);
    return found && *found == value;
  };
  std::error_code error;
  return is("SELECT scenario FROM run", canonical) && is("SELECT chain FROM run", chain) &&
         (!fs::exists(file + ".pack", error) || is("SELECT manifest FROM run", manifest));
}

}  // namespace

std::optional<scenario::Plan> read_plan(const std::string& file,
                                        const std::vector<std::string>& settings) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || std::filesystem::is_directory(file)) {
    std::cerr << "mixlab: " << file << ": cannot be read\n";
    return std::nullopt;
  }
  auto plan = scenario::parse(file, text.str(), settings);
  if (plan) return std::move(*plan);
  for (const scenario::Problem& problem : plan.error())
    std::cerr << to_text(problem) << "\n";
  return std::nullopt;
}

bool all_there(const scenario::Plan& plan) {
  const auto missing = runner::missing(plan, bin_folder());
  for (const std::string& line : missing)
    std::cerr << line << "\n";
  return missing.empty();
}

std::optional<Looked> look_at(const std::string& file) {
  const auto doubt = replay::doubt_about(file);
  if (!doubt) {
    std::cerr << "mixlab: " << doubt.error() << "\n";
    return std::nullopt;
  }
  auto db = Database::open(file, Database::Mode::read_only);
  if (!db) {
    std::cerr << "mixlab: " << file << ": " << db.error().text << "\n";
    return std::nullopt;
  }
  if (!doubt->empty()) std::cerr << "mixlab: warning: " << *doubt << "\n";
  return Looked{std::move(*db), *doubt};
}

std::string free_name(const std::string& stem, const std::string& canonical,
                      const std::string& chain, const std::string& manifest) {
  for (int number = 1;; ++number) {
    const std::string name = stem + (number == 1 ? "" : "-" + std::to_string(number)) + ".sqlite";
    std::error_code error;
    if (!fs::exists(name, error) || is_this_run(name, canonical, chain, manifest)) return name;
  }
}

std::string called() {
  return shell_word(called_as);
}

void remember_call(const char* name) {
  if (name != nullptr && *name != '\0') called_as = name;
}

WorkFolder::WorkFolder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "mixlab-XXXXXX").string();
  if (::mkdtemp(name.data()) != nullptr) x_path = name;
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!x_path.empty()) std::filesystem::remove_all(x_path, ignored);
}

std::string shell_word(const std::string& text) {
  if (!text.empty() &&
      text.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+[]") ==
          std::string::npos &&
      text.find_first_of("[]") == std::string::npos)
    return text;
  std::string out = "'";
  for (char c : text)
    out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace lab::cli
