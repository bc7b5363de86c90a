// SPDX-License-Identifier: Apache-2.0
// [mixnet] into hosts and programs: directory, mix-0 .. (mix 0..width-1 are layer 1, and so on),
// provider-0 .., client-0 .. with `client-i.init` before it. Pure.
//
// Addresses: directory 10.0.0.1, mixes 10.1.x.y, providers 10.2.x.y, clients 10.3.x.y; hosts of the
// scenario's own 10.4.x.y. Ports: directory 8080, mixes 1789, providers 8085 (mixes) and 9000
// (clients), a client's websocket 9001 on its own loopback.
#pragma once

#include "harness/scenario/document.h"

namespace lab::scenario {

/// Appends to the plan's hosts and programs, and sets its layers.
void expand_mixnet(const Section& mixnet, Plan& plan);
/// "10.<family>.x.y" of the n-th host of a family.
std::string address_of(unsigned family, std::size_t n);
/// Where a client keeps its public key, under its folder.
std::string public_key_path(const std::string& client);

}  // namespace lab::scenario
