// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over files, in presets without libFuzzer: fuzz_<thing> FILE_OR_FOLDER...
// Says which file it is at when the target crashes.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string current;

extern "C" void say_where(int number) {
  const auto say = [](const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); };
  say("the target crashed on ");
  say(current.c_str());
  say("\n");
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run(const std::filesystem::path& path) {
  current = path.string();
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // A copy of the exact size, so that a sanitizer sees a read beyond its end.
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(number, say_where);
  std::vector<fs::path> inputs;
  for (int i = 1; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      inputs.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argv[i]))
      if (entry.is_regular_file()) inputs.push_back(entry.path());
  }
  std::ranges::sort(inputs);
  if (inputs.empty()) {
    std::fprintf(stderr, "usage: %s FILE_OR_FOLDER...\nThere is no input to run.\n", argv[0]);
    return 2;
  }
  run("/dev/null");  // the empty input comes first, as with libFuzzer
  for (const fs::path& path : inputs)
    run(path);
  std::printf("%zu inputs\n", inputs.size() + 1);
}
