// SPDX-License-Identifier: Apache-2.0
// The directory's page for browsers that run no script: who is in, by layer, as plain HTML.
// Everything a node said of itself is a stranger's text and is shown as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/instant.h"
#include "src/topology/topology.h"

namespace mix::directory {

/// & < > " ' as entities.
std::string escape_html(std::string_view text);
/// `gap` is an empty layer below a full one, if there is one; `now` is shown, and what ages count
/// from.
std::string plain_page_of(const topology::Topology& topology, std::optional<unsigned> gap,
                          WallTime now);

}  // namespace mix::directory
