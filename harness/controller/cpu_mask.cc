// SPDX-License-Identifier: Apache-2.0
#include "harness/controller/cpu_mask.h"

#include <asm/prctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace lab::controller {

void fill_cpuid_table(lab_control&) {}

std::string mask_cpu(pid_t, lab_control& control) {
  control.flags &= ~static_cast<std::uint32_t>(LAB_FLAG_FAULT_CPUID | LAB_FLAG_FAULT_TSC);
  return {};
}

bool cpuid_can_fault() {
  return ::syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0) >= 0;
}

}  // namespace lab::controller
