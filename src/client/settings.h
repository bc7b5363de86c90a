// SPDX-License-Identifier: Apache-2.0
// What a running client can be told. Defaults are those of --help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/instant.h"
#include "src/wire/limits.h"

namespace mix::client {

struct Settings {
  std::string id;
  std::string directory = "http://localhost:8080";
  Duration loop_gap = 500ms;  // mean; zero: no loops
  Duration send_gap = 500ms;  // mean
  Duration mean_delay = 100ms;
  Duration poll_interval = 500ms;
  Duration loop_timeout = 10s;
  unsigned layers = wire::kDefaultLayers;
  std::optional<crypto::PublicKey> provider;
};

/// Five messages come with each pull. Loops and fillers of one's own come back, and another client
/// may send as fast as we do. What there is to say when pulls cannot keep up; empty when they can.
std::string drain_warning(const Settings& settings);

}  // namespace mix::client
