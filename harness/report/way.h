// SPDX-License-Identifier: Apache-2.0
// One packet's life, hop by hop, as objects and as lines for people.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "src/sqlite/database.h"

namespace lab::report {

/// `db` has the judge's temporary tables.
boost::json::array way_of(mix::sqlite::Database& db, std::int64_t packet);
/// "  hop 1  mix-0 -> mix-1  sent 5.3 s, received 5.32 s, asked to hold it 30.412 ms, forward\n"
std::string hop_line(const boost::json::object& hop);
/// "12.302113 s", or "never" for null.
std::string time_text(const boost::json::value& ns);
/// The packet's row and its hops; nullopt when the recording has no such packet.
std::optional<std::string> trace(mix::sqlite::Database& db, std::int64_t packet);

}  // namespace lab::report
