// SPDX-License-Identifier: Apache-2.0
// How two recordings differ as wholes: delivery, delays, drops.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace lab::report {

struct Contrast {
  std::string what, a, b;  // "loop packets home", "38", "37"
};
/// Of two summaries (summary.h): only what differs, in their order.
std::vector<Contrast> contrast(const boost::json::object& a, const boost::json::object& b);

}  // namespace lab::report
