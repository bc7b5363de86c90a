// SPDX-License-Identifier: Apache-2.0
// Who speaks from where. A presence proves nothing but this: its sender has the IP address that it
// was sent from, because TCP had to reach him there. So whoever announces `1.2.3.4:1789` from
// 1.2.3.4 has shown that the address is his; no other claim to it has anything to show.
//
// A source is a numeric address without port in one spelling, or "loopback": a machine reaches
// itself by many addresses, and its presences by 127.0.0.1 and by ::1 are of one source. Pure:
// names are not resolved (localhost is no name). Threads: values.
#pragma once

#include <string>
#include <string_view>

namespace mix::topology {

inline constexpr std::string_view kThisMachine = "loopback";

/// Of a sender's numeric address. IPv4 within IPv6 is IPv4.
std::string source_of(std::string_view address);
/// The source that alone speaks from this `host:port`; empty when the host is a name.
std::string home_of(std::string_view host_port);
/// One spelling for all of one address: `[0::1]:1`, `::1:1` and `[::1]:1` cannot be held by three.
std::string one_spelling(std::string_view host_port);
/// What counts as one when something is shared out: whoever has one IPv6 address usually has the
/// 2^64 around it.
std::string neighbourhood_of(std::string_view source);

}  // namespace mix::topology
