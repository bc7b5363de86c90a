// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>

#include <cerrno>

namespace lab::controller {

/// waitpid(2) for a child of ours, whatever signals come meanwhile. False: there is no such child.
inline bool wait_child(pid_t pid, int* status) {
  while (::waitpid(pid, status, __WALL) != pid)
    if (errno != EINTR) return false;
  return true;
}

}  // namespace lab::controller
