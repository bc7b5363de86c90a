// SPDX-License-Identifier: Apache-2.0
// The parts of parse(): each takes sections of a checked document, writes into the plan, and
// reports problems. Where a selector had a random choice, the document's text is replaced by what
// was drawn.
#pragma once

#include "harness/scenario/document.h"
#include "harness/scenario/selector.h"

namespace lab::scenario {

class Resolver {
 public:
  Resolver(Document& document, Plan& plan, std::vector<Problem>& problems)
      : x_document(document), x_plan(plan), x_problems(problems) {}

  void hosts_and_programs();  // programs.cc
  void links();               // links.cc
  void traffic();
  void actions();       // actions.cc
  void expectations();  // expectations.cc

 private:
  void problem(const Section& section, const char* key, const std::string& text);
  /// "x.toml:8:1: [[program]] command"
  static std::string where(const Section& section, const char* key);
  /// The selection under `key`, or nullopt and a problem.
  std::optional<Selection> selection(Section& section, const char* key);
  std::optional<Wires> wires(Section& section, const char* key);
  Stream chance(const Section& section, const char* key) const;
  void replace(Section& section, const char* key, std::string text);

  void instead(const Section& mixnet);
  void host_of(const Section& section);
  void program(const Section& section);
  void after(const Section& section, Program& program);
  void addresses();
  void clocks();
  void action(Section& section);
  void act_on_wires(Section& section, Action action);
  void act_on_programs(Section& section, Action action);
  void cut(Section& section, Action action);
  void push(const Section& section, Action action, Verb end);
  /// Refuses keys about datagrams where none of the senders has a program that may send any.
  void datagrams(const Section& section, const std::vector<HostId>& senders);
  std::vector<HostId> senders_over(const std::string& link) const;
  void expectation(Section& section);
  bool inside(const Section& section, const char* key, Duration time);

  Document& x_document;
  Plan& x_plan;
  std::vector<Problem>& x_problems;
};

/// The law of a [link.X], or of the link keys of a set-link on top of `law`.
LinkLaw law_of(const Section& section, LinkLaw law = {});
/// The programs meant by a selection: those it names, and all programs of the hosts it names.
std::vector<NodeId> programs_of(const Plan& plan, const Selection& selection);

}  // namespace lab::scenario
