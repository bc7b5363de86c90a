// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/second_look.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <vector>

namespace lab::cli {
namespace {

/// In the child: other surroundings, then ourselves again.
[[noreturn]] void become(const std::vector<std::string>& words, const std::string& folder,
                         int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  for (int i = 0; i < 7; ++i) [[maybe_unused]]
    const int extra = ::open("/dev/null", O_RDONLY);
  ::setenv("MIXLAB_SECOND_LOOK", std::string(3001, 'x').c_str(), 1);
  ::dup2(output, STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  if (::chdir(folder.c_str()) == 0) ::execv("/proc/self/exe", argv.data());
  ::_exit(kLab);
}

}  // namespace

SecondLook::SecondLook(const RunFlags& flags, std::uint64_t seed, const std::string& folder)
    : x_recording(folder + "/second.sqlite") {
  std::vector<std::string> words{"mixlab",
                                 "run",
                                 std::filesystem::absolute(flags.scenario).string(),
                                 "--seed",
                                 std::to_string(seed),
                                 "--out",
                                 x_recording,
                                 "--json",
                                 "--second-look",
                                 "--trap",
                                 flags.trap,
                                 "--cpu",
                                 flags.cpu};
  for (const std::string& setting : flags.settings) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  if (flags.keep_memory) words.emplace_back("--memory");
  if (flags.no_interpose) words.emplace_back("--no-interpose");
  if (flags.no_look_ahead) words.emplace_back("--no-look-ahead");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  x_child = ::fork();
  if (x_child == 0) become(words, folder, ends[1]);
  ::close(ends[1]);
  x_output = ends[0];
}

SecondLook::~SecondLook() {
  if (x_output >= 0) ::close(x_output);
  if (x_child <= 0) return;
  ::kill(x_child, SIGTERM);
  ::waitpid(x_child, nullptr, 0);
}

std::optional<Look> SecondLook::result(std::string& problem) {
  if (x_child <= 0) {
    problem = "it could not be started";
    return std::nullopt;
  }
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(x_output, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  int status = 0;
  ::waitpid(x_child, &status, 0);
  x_child = -1;
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(text, error);
  if (error || !parsed.is_object() || !parsed.as_object().contains("chain")) {
    problem =
        "it ended with status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    return std::nullopt;
  }
  const auto word = [&](const char* key) {
    const boost::json::value* value = parsed.as_object().if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  if (word("chain").empty()) {
    problem = word("problem");
    return std::nullopt;
  }
  return Look{word("chain"), word("memory"), x_recording};
}

}  // namespace lab::cli
