// SPDX-License-Identifier: Apache-2.0
#include "pytests/mutants/promise/promise.h"

#include <iostream>

namespace mutants {

std::optional<std::size_t> place_of(std::span<const PromiseText> promises, std::string_view name) {
  for (std::size_t i = 0; i < promises.size(); ++i)
    if (promises[i].name == name) return i;
  return std::nullopt;
}

std::string lines_of(std::span<const PromiseText> promises) {
  std::string out;
  for (const auto& [name, what] : promises)
    out.append("  ").append(name).append(20 - name.size(), ' ').append(what).append("\n");
  return out;
}

std::optional<std::size_t> asked_to_break(int argc, char** argv, const Words& words,
                                          std::span<const PromiseText> promises) {
  if (argc > 2 && std::string_view(argv[1]) == "--break")
    if (const auto place = place_of(promises, argv[2])) return place;
  std::cerr
      << "usage: " << words.mutant << " --break NAME (the command line of " << words.original
      << ")\n\n"
      << words.kind
      << " that keeps every promise but one, so that the check of that promise can be seen to "
         "fail. For tests only. NAME is one of:\n"
      << lines_of(promises);
  return std::nullopt;
}

}  // namespace mutants
