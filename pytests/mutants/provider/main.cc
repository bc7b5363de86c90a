// SPDX-License-Identifier: Apache-2.0
// mutant-provider: `--break NAME`, and then nym-sfw-provider's command line.
#include "pytests/mutants/provider/exchanged.h"

/// The main() of src/provider/main.cc, under the name that ../CMakeLists.txt gives it.
int original_main(int argc, char** argv);

int main(int argc, char** argv) {
  const auto place = mutants::asked_to_break(
      argc, argv, {"mutant-provider", "nym-sfw-provider", "A provider"}, mutants::kPromises);
  if (!place) return 2;
  mutants::set_broken(static_cast<mutants::Promise>(*place));
  argv[2] = argv[0];
  return original_main(argc - 2, argv + 2);
}
