// SPDX-License-Identifier: Apache-2.0
// mutant-provider: `--break NAME`, and then nym-sfw-provider's command line.
#include <iostream>

#include "pytests/mutants/provider/exchanged.h"

/// The main() of src/provider/main.cc, under the name that ../CMakeLists.txt gives it.
int original_main(int argc, char** argv);

int main(int argc, char** argv) {
  const auto promise = argc > 2 && std::string_view(argv[1]) == "--break"
                           ? mutants::promise_named(argv[2])
                           : std::nullopt;
  if (!promise) {
    std::cerr
        << "usage: mutant-provider --break NAME (the command line of nym-sfw-provider)\n\n"
           "A provider that keeps every promise but one, so that the check of that promise can "
           "be seen to fail. For tests only. NAME is one of:\n";
    for (const auto& [name, what] : mutants::kPromises)
      std::cerr << "  " << name << std::string(20 - name.size(), ' ') << what << "\n";
    return 2;
  }
  mutants::set_broken(*promise);
  argv[2] = argv[0];
  return original_main(argc - 2, argv + 2);
}
