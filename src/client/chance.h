// SPDX-License-Identifier: Apache-2.0
// A client's chance: one generator for each purpose, so that a draw more or less for one purpose
// moves nothing for another, and the wire cannot tell what a packet was for.
//
// All are keyed from `root` when this is made, in the order of the members; nothing is drawn from
// it later. One thread.
#pragma once

#include "src/crypto/generator.h"

namespace mix::client {

struct Chance {
  explicit Chance(ports::Entropy& root)
      : loop_gaps(root, "client: loop gaps"),
        real_gaps(root, "client: real gaps"),
        routes(root, "client: routes"),
        delays(root, "client: delays"),
        packets(root, "client: packet secrets and padding"),
        payloads(root, "client: payloads of loops and fillers") {}

  crypto::Generator loop_gaps;
  crypto::Generator real_gaps;
  crypto::Generator routes;
  crypto::Generator delays;
  crypto::Generator packets;
  crypto::Generator payloads;
};

}  // namespace mix::client
