// SPDX-License-Identifier: Apache-2.0
// What judging one expectation needs, whatever family it is of; the families, a file each. Each
// function fills a finding whose `that` and `mode` are set, and throws QueryFailed.
#pragma once

#include "harness/judge/judge.h"
#include "harness/judge/query.h"

namespace lab::judge {

using scenario::Expectation;

struct Court {
  mix::sqlite::Database& db;
  const scenario::Plan& plan;

  /// In ns; the run's end for a window without one.
  std::int64_t end_of(const scenario::Window& window) const;
  /// Node numbers of the programs on these hosts, for IN (..).
  std::string nodes_of(const std::vector<HostId>& hosts) const;
  /// The place in the chain of what `node` did at that time.
  void blame(Finding& out, std::int64_t time, std::optional<std::int64_t> node);
};

/// A promise about single hops, packets: how many kept it and how many broke it.
Verdict by_mode(const std::string& mode, std::int64_t good, std::int64_t bad, bool enough);

// ---- wires.cc
void layer_order(Court& court, const Expectation& e, Finding& out);
void constant_size(Court& court, const Expectation& e, Finding& out);
// ---- arrivals.cc
void loop_returns(Court& court, const Expectation& e, Finding& out);
void real_delivered(Court& court, const Expectation& e, Finding& out);
// ---- losses.cc
void conservation(Court& court, const Expectation& e, Finding& out);
void no_drop(Court& court, const Expectation& e, Finding& out);
// ---- programs.cc
void delay_law(Court& court, const Expectation& e, Finding& out);
void exit_status(Court& court, const Expectation& e, Finding& out);

}  // namespace lab::judge
