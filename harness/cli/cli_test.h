// SPDX-License-Identifier: Apache-2.0
// `mixlab` in a folder of its own, called as a user calls it: what the tests of the commands share.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace lab::cli_test {

namespace fs = std::filesystem;

struct Said {
  int status = 0;
  std::string out;  // both streams
};

struct Place {
  Place() {
    path = fs::temp_directory_path() / ("mixlab-cli-" + std::to_string(::getpid()));
    fs::create_directories(path);
  }
  ~Place() { fs::remove_all(path); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  static std::string program() {
    return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "mixlab";
  }
  /// Runs `mixlab <words>` there.
  Said mixlab(const std::string& words) const { return sh(program() + " " + words); }
  /// Has a shell run a command there.
  Said sh(const std::string& line) const {
    const std::string command = "cd " + path.string() + " && " + line + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    BOOST_REQUIRE(pipe != nullptr);
    Said said;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe))
      said.out.append(buffer, n);
    const int status = ::pclose(pipe);
    said.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    return said;
  }
  fs::path path;
};

inline std::string scenario(const std::string& command, const std::string& rest = "") {
  return "[scenario]\nname = \"small\"\nduration = \"3 s\"\n[[program]]\nhost = \"box\"\nname = "
         "\"it\"\ncommand = " +
         command + "\n" + rest;
}
inline std::size_t times(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++out;
  return out;
}
inline bool has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(text);
  return false;
}

}  // namespace lab::cli_test
