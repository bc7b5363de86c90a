// SPDX-License-Identifier: Apache-2.0
// One TOML node to one typed value of a kind. Private to this folder (it shows toml++).
#pragma once

// toml++ up to 3.4 asserts that a table's name begins as one may, before it looks (`[(x]` ends the
// program); without the assertion it reports the mistake with its place.
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

#include "harness/scenario/document.h"
#include "harness/scenario/units.h"

namespace lab::scenario {

/// The error says what was expected and what was found.
Read<Data> read_value(const Key& key, const toml::node& node);

}  // namespace lab::scenario
