// SPDX-License-Identifier: Apache-2.0
// How this folder turns "somebody will call you back" into something a task can await. Internal:
// it pulls in Asio's coroutine machinery, which no other folder has to compile.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "src/runtime/loop.h"

namespace mix::runtime {

/// Suspends the task and hands what resumes it to `park`, which must keep it where the loop
/// destroys it when it ends (Loop::park, a timer, a posted job).
template <class Park>
Task<> suspend(Park park) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      [](auto handler, Park take) { take(Job(std::move(handler))); }, boost::asio::use_awaitable,
      std::move(park));
}

}  // namespace mix::runtime
