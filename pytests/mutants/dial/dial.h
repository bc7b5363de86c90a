// SPDX-License-Identifier: Apache-2.0
// Plain blocking TCP, for programs that do to a port what anybody can.
#pragma once

#include <string>

namespace mix::mutants {

/// A connection to "10.0.0.1:8080" (IPv4, numeric), or -1. Who has it closes it.
int connect_to(const std::string& host_port);

}  // namespace mix::mutants
