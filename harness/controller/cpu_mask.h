// SPDX-License-Identifier: Apache-2.0
// Hiding the CPU: RDTSC and CPUID fault from the loader's first instruction on. The shim answers
// them once it is there; before that (the loader chooses its string routines and reads its start
// time) the controller does, at the exec stop. Answers come from one table, never from the live
// CPU, so that a recording names them and another machine gives the same.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/protocol/contract.h"

namespace lab::controller {

/// The table: a plain x86-64-v2 CPU with AES and PCLMUL, no AVX, no RDRAND, no TSX.
void fill_cpuid_table(lab_control& control);
/// Arms both faults in the stopped process and answers until the shim attaches (SIGSYS never seen:
/// it leaves at the shim's first call). Empty on success; clears the flags where the machine
/// cannot.
std::string mask_cpu(pid_t pid, lab_control& control);
/// Can this machine make CPUID fault?
bool cpuid_can_fault();

}  // namespace lab::controller
