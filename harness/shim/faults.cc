// SPDX-License-Identifier: Apache-2.0
// Instructions that would show the machine: RDTSC and RDTSCP count virtual nanoseconds (and a
// little more at each reading, so that a loop that waits for the counter ends), CPUID answers from
// the table the controller wrote.
#include "harness/shim/shim.h"

namespace lab::shim {
namespace {

u64 next_tsc() {
  return static_cast<u64>(kernel::monotonic_now(g_kernel)) + 64 * ++g_kernel.p->tsc_reads;
}

void set_pair(Registers& r, u64 value) {
  r.rax = static_cast<u32>(value);
  r.rdx = value >> 32;
}

void answer_cpuid(Registers& r) {
  const lab_control& c = *g_kernel.control;
  const u32 leaf = static_cast<u32>(r.rax), subleaf = static_cast<u32>(r.rcx);
  const lab_cpuid* found = nullptr;
  for (u32 i = 0; i < c.cpuid_count && found == nullptr; ++i) {
    const lab_cpuid& entry = c.cpuid[i];
    if (entry.leaf == leaf && ((entry.flags & 1) == 0 || entry.subleaf == subleaf)) found = &entry;
  }
  r.rax = found ? found->eax : 0;
  r.rbx = found ? found->ebx : 0;
  r.rcx = found ? found->ecx : 0;
  r.rdx = found ? found->edx : 0;
}

}  // namespace

bool answer_instruction(Registers& r) {
  const u8* at = reinterpret_cast<const u8*>(r.rip);
  const u32 flags = g_kernel.control->flags;
  if ((flags & LAB_FLAG_FAULT_TSC) != 0 && at[0] == 0x0f && at[1] == 0x31) {
    set_pair(r, next_tsc());
    r.rip += 2;
    return true;
  }
  if ((flags & LAB_FLAG_FAULT_TSC) != 0 && at[0] == 0x0f && at[1] == 0x01 && at[2] == 0xf9) {
    set_pair(r, next_tsc());
    r.rcx = 0;
    r.rip += 3;
    return true;
  }
  if ((flags & LAB_FLAG_FAULT_CPUID) != 0 && at[0] == 0x0f && at[1] == 0xa2) {
    answer_cpuid(r);
    r.rip += 2;
    return true;
  }
  return false;
}

}  // namespace lab::shim
