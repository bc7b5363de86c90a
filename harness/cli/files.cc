// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "harness/scenario/parse.h"

namespace lab::cli {

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
