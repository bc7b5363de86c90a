// SPDX-License-Identifier: Apache-2.0
// Judging one program of the lab against Linux and against itself: what it prints natively is the
// truth; in the lab it must print that, and every way of running it must give one chain.
#pragma once

#include <boost/test/unit_test.hpp>

#include <sstream>

#include "harness/conformance/lab_run.h"

namespace lab::conformance {

/// Where two texts part; empty if they are equal.
inline std::string difference(const std::string& lab, const std::string& linux_) {
  std::istringstream a(lab), b(linux_);
  std::string left, right, before;
  for (int number = 1;; ++number) {
    const bool more = static_cast<bool>(std::getline(a, left));
    const bool other = static_cast<bool>(std::getline(b, right));
    if (!more && !other) return "";
    if (!more) left = "(no more)";
    if (!other) right = "(no more)";
    if (left != right)
      return "line " + std::to_string(number) + ", after \"" + before + "\": the lab says \"" +
             left + "\", Linux \"" + right + "\"";
    before = left;
  }
}

/// The same lab, run in every way that must not matter.
struct Ways {
  Result plain, again, sud, untrapped;  ///< untrapped: nothing interposed, every call is trapped
};

inline Ways run_every_way(const Setup& setup) {
  const auto with = [&](controller::Trap trap, bool interpose) {
    Setup s = setup;
    s.options.trap = trap;
    s.options.interpose = interpose;
    return run_in_lab(std::move(s));
  };
  using controller::Trap;
  return {with(Trap::seccomp, true), with(Trap::seccomp, true), with(Trap::sud, true),
          with(Trap::seccomp, false)};
}

/// Checks one chain and one text in all ways; the text of the first.
inline std::string one_chain(const Setup& setup, std::uint32_t program = 0) {
  const Ways w = run_every_way(setup);
  const std::string chain = w.plain.kept.chain_hex();
  BOOST_TEST(w.again.kept.chain_hex() == chain, "a second run gives another chain");
  BOOST_TEST(w.sud.kept.chain_hex() == chain, "Syscall User Dispatch gives another chain");
  BOOST_TEST(w.untrapped.kept.chain_hex() == chain, "another chain without interposition");
  BOOST_TEST(w.untrapped.text(program) == w.plain.text(program),
             "another text without interposition");
  return w.plain.text(program);
}

inline void as_on_linux(const std::string& name, const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> argv = {program(name)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string native = run_natively({argv})[0];
  BOOST_TEST(!native.empty());
  Setup setup;
  setup.programs = {{1, argv, {}, {}, {}}};
  BOOST_TEST(difference(one_chain(setup), native) == "");
}

}  // namespace lab::conformance
