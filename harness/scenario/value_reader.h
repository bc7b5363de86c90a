// SPDX-License-Identifier: Apache-2.0
// One TOML node to one typed value of a kind. Private to this folder (it shows toml++).
#pragma once

#include "harness/scenario/document.h"
#include "harness/scenario/toml.h"
#include "harness/scenario/units.h"

namespace lab::scenario {

/// The error says what was expected and what was found.
Read<Data> read_value(const Key& key, const toml::node& node);

}  // namespace lab::scenario
