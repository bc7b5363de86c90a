// SPDX-License-Identifier: Apache-2.0
// A recording on one screen: verdicts, delivery, delay, drops by reason. For people and as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "src/sqlite/database.h"

namespace lab::report {

/// Asks the views through temporary tables; throws judge::QueryFailed when the file is no
/// recording.
boost::json::object summary(mix::sqlite::Database& db);
std::string to_text(const boost::json::object& summary);

}  // namespace lab::report
