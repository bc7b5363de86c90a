// SPDX-License-Identifier: Apache-2.0
// mutant-client: `--break NAME`, and then nym-client's command line.
#include "pytests/mutants/client/exchanged.h"

/// The main() of src/client/main.cc, under the name that ../CMakeLists.txt gives it.
int original_main(int argc, char** argv);

int main(int argc, char** argv) {
  const auto place = mutants::asked_to_break(
      argc, argv, {"mutant-client", "nym-client", "A client"}, mutants::kPromises);
  if (!place) return 2;
  mutants::set_broken(static_cast<mutants::Promise>(*place));
  argv[2] = argv[0];
  return original_main(argc - 2, argv + 2);
}
