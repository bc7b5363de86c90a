// SPDX-License-Identifier: Apache-2.0
// Hiding the CPU: RDTSC and CPUID fault from the loader's first instruction on. The shim answers
// them once it is there; before that (the loader chooses its string routines and reads its start
// time) the controller does, at the exec stop. Answers come from a table, never from the live CPU.
//
// The table is an x86-64-v3 CPU with AES, PCLMUL and SHA (v2 where the machine has no AVX2), one
// core, fixed caches; no AVX-512, RDRAND, RDSEED, RDPID, TSX. One size stays the machine's: that of
// the XSAVE area, which the loader must know to be safe.
//
// Arming faults in nodes alone would make each switch between them and the controller write a
// machine register (an exit of the virtual machine: 14 us for CPUID's on Intel, 5 us for RDTSC's on
// AMD): the controller arms itself as well, and answers its own CPUID and RDTSC from the live CPU.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/protocol/contract.h"

namespace lab::controller {

/// Makes the process stopped at exec do one system call, and puts everything back. False: it
/// failed.
bool inject(pid_t pid, std::uint64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c = 0);
void fill_cpuid_table(lab_control& control);
/// Arms both faults in the process stopped at exec and answers until the shim says it has taken
/// over; the process is then stopped again, to be detached. Empty on success.
std::string mask_cpu(pid_t pid, lab_control& control);
/// Can this machine make CPUID fault?
bool cpuid_can_fault();
/// This thread's own flag; with `on` a SIGSEGV handler that answers for it.
void match_faults(bool on);
/// "x86-64-v3" or "x86-64-v2": what the table shows on this machine.
const char* masked_level();

}  // namespace lab::controller
