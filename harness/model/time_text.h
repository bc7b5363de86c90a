// SPDX-License-Identifier: Apache-2.0
// Times as the lab shows them: to the nanosecond, since a run is one, and whoever reads a time may
// want to stop there (`--until`), or to see by how little something was late. Zeros at the end of a
// fraction are left out. What they print, src/prelude's parse_duration reads back.
#pragma once

#include <string>

#include "harness/model/virtual_time.h"

namespace lab {

/// How long: "424.123456 ms", "8 s", "-1.5 us".
std::string exact_text(Duration d);
/// When, always in seconds: "0.0005 s", "23.013780094 s"; "never".
std::string exact_text(VirtualTime t);

}  // namespace lab
