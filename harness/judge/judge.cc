// SPDX-License-Identifier: Apache-2.0
// Which function judges which expectation; the functions are in court.h.
#include "harness/judge/judge.h"

#include <algorithm>

#include "harness/judge/court.h"
#include "src/prelude/check.h"

namespace lab::judge {
namespace {

struct Family {
  std::string_view that;
  void (*judge)(Court&, const Expectation&, Finding&);
};
constexpr Family kFamilies[] = {{"layer-order", layer_order},   {"constant-size", constant_size},
                                {"loop-returns", loop_returns}, {"real-delivered", real_delivered},
                                {"conservation", conservation}, {"no-drop", no_drop},
                                {"delay-law", delay_law},       {"exit", exit_status}};

Finding finding_of(Court& court, const Expectation& e) {
  const auto* family = std::ranges::find(kFamilies, e.that, &Family::that);
  CHECK(family != std::end(kFamilies), e.that);
  Finding out;
  out.that = e.that;
  out.mode = e.mode;
  family->judge(court, e, out);
  return out;
}

}  // namespace

const char* to_text(Verdict verdict) {
  return verdict == Verdict::pass ? "pass" : verdict == Verdict::fail ? "fail" : "inconclusive";
}

Verdict overall(const std::vector<Finding>& findings) {
  Verdict out = Verdict::pass;
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::fail) return Verdict::fail;
    if (finding.verdict == Verdict::inconclusive) out = Verdict::inconclusive;
  }
  return out;
}

std::expected<std::vector<Finding>, std::string> judge(mix::sqlite::Database& db,
                                                       const scenario::Plan& plan) {
  try {
    if (auto views = materialize(db); !views) return std::unexpected(views.error().text);
    std::vector<Finding> out;
    Court court{db, plan};
    for (const Expectation& e : plan.expectations)
      out.push_back(finding_of(court, e));
    return out;
  } catch (const QueryFailed& failed) {
    return std::unexpected(failed.text);
  }
}

std::vector<recorder::VerdictRow> rows(const std::vector<Finding>& findings) {
  std::vector<recorder::VerdictRow> out;
  for (const Finding& f : findings)
    out.push_back({f.that, f.mode, to_text(f.verdict), f.event, f.detail});
  return out;
}

}  // namespace lab::judge
