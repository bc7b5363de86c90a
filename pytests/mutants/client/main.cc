// SPDX-License-Identifier: Apache-2.0
// mutant-client: `--break NAME`, and then nym-client's command line.
#include <iostream>

#include "pytests/mutants/client/exchanged.h"

/// The main() of src/client/main.cc, under the name that ../CMakeLists.txt gives it.
int original_main(int argc, char** argv);

int main(int argc, char** argv) {
  const auto promise = argc > 2 && std::string_view(argv[1]) == "--break"
                           ? mutants::promise_named(argv[2])
                           : std::nullopt;
  if (!promise) {
    std::cerr << "usage: mutant-client --break NAME (the command line of nym-client)\n\n"
                 "A client that keeps every promise but one, so that the check of that promise can "
                 "be seen to fail. For tests only. NAME is one of:\n";
    for (const auto& [name, what] : mutants::kPromises)
      std::cerr << "  " << name << std::string(20 - name.size(), ' ') << what << "\n";
    return 2;
  }
  mutants::set_broken(*promise);
  argv[2] = argv[0];
  return original_main(argc - 2, argv + 2);
}
