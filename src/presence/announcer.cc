// SPDX-License-Identifier: Apache-2.0
#include "src/presence/announcer.h"

#include <string_view>
#include <utility>

#include "src/prelude/log.h"

namespace mix::presence {
namespace {

/// The beginning of a stranger's text, fit for a terminal.
std::string harmless(std::string_view text) {
  std::string out(text.substr(0, 200));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

Announcer::Announcer(runtime::Loop& loop, Options options, std::function<std::string()> body)
    : x_loop(loop),
      x_options(std::move(options)),
      x_body(std::move(body)),
      x_client(loop, x_options.directory) {}

void Announcer::start() {
  x_loop.spawn(run());
}

runtime::Task<> Announcer::run() {
  // A timetable, not a pause: a slow directory does not make the next presence late. A turn that
  // was missed altogether is left out.
  Instant next = x_loop.now() + (x_options.at_once ? Duration(0) : x_options.interval);
  for (;;) {
    co_await x_loop.sleep_until(next);
    co_await post();
    const Instant now = x_loop.now();
    do {
      next += x_options.interval;
    } while (next <= now);
  }
}

runtime::Task<> Announcer::post() {
  const std::string body = x_body();
  if (body.empty()) co_return;
  const auto answer = co_await x_client.post(x_options.path, body);
  std::string why;
  if (!answer)
    why = answer.error();
  else if (answer->status < 200 || answer->status > 299)
    why = "status " + std::to_string(answer->status) + " " + harmless(answer->body);
  if (why.empty()) {
    ++x_taken;
    if (std::exchange(x_outage, false))
      log::info(x_options.what, ": ", x_options.directory, " answers again");
  } else if (!std::exchange(x_outage, true)) {
    log::warn(x_options.what, ": not taken by ", x_options.directory, ": ", why,
              "; trying on, and saying no more until it is");
  }
}

}  // namespace mix::presence
