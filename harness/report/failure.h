// SPDX-License-Identifier: Apache-2.0
// What a stranger needs to act on a failed run: which promise, the command that shows it again, the
// first bad event with its neighbours, expected against observed, and the packet's whole way. At
// most 60 lines; the same as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "harness/judge/judge.h"

namespace lab::report {

struct Context {
  std::string command;      // that runs it again
  std::string recording;    // its file
  std::string second_look;  // what --check found; empty: there was none
};

/// Of the first finding that did not pass. `db` has the judge's temporary tables.
boost::json::object failure(mix::sqlite::Database& db, const judge::Finding& finding,
                            const Context& context);
std::string failure_text(const boost::json::object& failure);

}  // namespace lab::report
