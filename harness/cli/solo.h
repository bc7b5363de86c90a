// SPDX-License-Identifier: Apache-2.0
// `mixlab replay FILE --node NAME`: one program of a recorded run, alone, compared with what it
// did.
#pragma once

#include <string>

namespace lab::cli {

struct SoloFlags {
  std::string file, node;
  bool gdb = false;
  bool anyway = false;  // a changed file
  int life = 0;         // from 1; 0: all, with gdb the first
  std::string until;    // a time ("12.5 s"), or an event's number; empty: to the end
};
int solo(const SoloFlags& flags);

}  // namespace lab::cli
