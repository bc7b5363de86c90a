// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/parse.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>

using namespace lab;
using namespace lab::scenario;
using namespace std::chrono_literals;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Plan good(std::string_view text, const Words& settings = {}) {
  auto plan = parse("x.toml", text, settings);
  if (!plan)
    for (const Problem& p : plan.error())
      BOOST_ERROR(to_text(p));
  BOOST_REQUIRE(plan.has_value());
  return std::move(*plan);
}

std::string problems(std::string_view file, std::string_view text, const Words& settings = {}) {
  const auto plan = parse(std::string(file), text, settings);
  std::string out;
  if (!plan)
    for (const Problem& p : plan.error())
      out += to_text(p) + "\n";
  return out;
}

constexpr const char* kFull = R"toml(
[scenario]
name = "full"
duration = "60 s"
seed = 7
[mixnet]
width = 2
clients = 3
[host.mix-2]
clock_offset = "-3 s"
clock_drift_ppm = 50
[host.box]
address = "10.9.0.1"
[[program]]
host = "box"
name = "probe"
command = ["probe", "--record", "{record}"]
after = "client-0.init"
files = { "in.txt" = "data/in.txt" }
expect_exit = 3
[link.slow]
latency = { dist = "normal", mean = "25 ms", sd = "5 ms", min = "1 ms" }
loss = "2/1000"
bandwidth = "10 Mbit/s"
queue = "32 KiB"
[link.bursty]
loss = { good_to_bad = 0.01, bad_to_good = "1/5", loss_good = 0, loss_bad = 1 }
reorder = { ratio = 0.5, delay = "5 ms" }
fragment = "seeded"
[[connect]]
from = "mix@layer1"
to = "mix@layer2"
link = "slow"
[[connect]]
from = "client, box"
to = "*"
link = "bursty"
directed = true
[[traffic]]
from = "client[0]"
to = "client[1], client[2]"
rate = "1 / s"
window = ["10 s", "40 s"]
[[at]]
t = "20 s"
do = "crash"
on = "any(mix)"
for = "10 s"
[[at]]
t = "5 s"
do = "partition"
between = ["any(mix, 2)", "provider"]
for = "3 s"
[[at]]
t = "6 s"
do = "set-link"
on = "link(mix@layer1 -> mix@layer2)"
loss = 1
for = "1 s"
[[at]]
t = "7 s"
do = "step-clock"
on = "client"
by = "-2 s"
[[expect]]
that = "loop-returns"
ratio = 0.99
within = "10 s"
window = ["35 s", "50 s"]
[[expect]]
that = "no-drop"
except = ["node_crashed"]
[[expect]]
that = "constant-size"
on = "link(mix@layer1 -> mix@layer2)"
[[expect]]
that = "exit"
on = "probe"
code = 3
)toml";

}  // namespace

BOOST_AUTO_TEST_CASE(a_mixnet_expands_into_its_hosts_and_programs) {
  const Plan plan = good("[scenario]\nname = \"a\"\nduration = \"30 s\"\n[mixnet]\nwidth = 2\n");
  std::string names;
  for (const Program& p : plan.programs)
    names += p.name + " ";
  BOOST_TEST(names ==
             "directory mix-0 mix-1 mix-2 mix-3 mix-4 mix-5 provider-0 client-0.init client-0 ");
  BOOST_TEST(plan.hosts[5].layer == 3);
  BOOST_TEST(plan.hosts[3].address == "10.1.0.3");
  BOOST_TEST((plan.programs[9].after == NodeId{8}));
  BOOST_TEST((plan.programs[3].start == 3ms));
}

BOOST_AUTO_TEST_CASE(another_program_in_a_place_keeps_the_flags_of_that_place) {
  const std::string text =
      "[scenario]\nname = \"a\"\nduration = \"30 s\"\n[mixnet]\ninstead = { client-0 = "
      "[\"odd-client\", \"--break\", \"x\", \"websocket\"] }\n";
  const Plan plan = good(text);
  const Program& odd = *std::ranges::find(plan.programs, "client-0", &Program::name);
  const std::vector<std::string> begin{"odd-client", "--break", "x", "websocket", "--id"};
  BOOST_TEST(std::ranges::equal(std::span(odd.command).first(5), begin));
  BOOST_TEST(good(plan.canonical).canonical == plan.canonical);
  BOOST_TEST(explain(plan).find("In the place of client-0: odd-client.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_table_reaches_the_plan) {
  const Plan plan = good(kFull);
  BOOST_TEST((plan.hosts[3].clock_offset == -3s));
  const Program& probe = *std::ranges::find(plan.programs, "probe", &Program::name);
  BOOST_TEST((probe.after && plan.programs[index(*probe.after)].name == "client-0.init"));
  BOOST_TEST(*probe.expect_exit == 3);
  const auto host = [&](std::string_view name) {
    return HostId(std::ranges::find(plan.hosts, name, &Host::name) - plan.hosts.begin());
  };
  BOOST_TEST(plan.link_between(host("mix-0"), host("mix-2")) == "slow");
  BOOST_TEST(plan.link_between(host("mix-2"), host("mix-0")) == "slow");
  BOOST_TEST(plan.link_between(host("client-0"), host("mix-0")) == "bursty");
  BOOST_TEST(plan.link_between(host("mix-0"), host("client-0")) == "default");
  BOOST_TEST((plan.links.at("bursty").loss.loss_bad == Ratio{1, 1}));
  BOOST_TEST(plan.actions.size() == 2u + 2 + 4 + 1);
  BOOST_TEST(std::ranges::is_sorted(plan.actions, {}, &Action::time));
  BOOST_TEST((plan.expectations[0].ratio == ratio(99, 100)));
  BOOST_TEST(plan.expectations[2].to_hosts.size() == 2u);
  const Program& talk = *std::ranges::find(plan.programs, "client-0.talk", &Program::name);
  BOOST_TEST(talk.fetch.size() == 2u);
  BOOST_TEST(talk.contents.at("talk.schedule").starts_with("peer client-1 peers/client-1.pem\n"));
}

BOOST_AUTO_TEST_CASE(the_canonical_form_is_a_scenario_with_the_same_plan) {
  const Plan plan = good(kFull);
  BOOST_TEST(plan.canonical.find("any(") == std::string::npos);
  const Plan again = good(plan.canonical);
  BOOST_TEST(again.canonical == plan.canonical);
  BOOST_TEST(explain(again) == explain(plan));
  BOOST_REQUIRE(again.programs.size() == plan.programs.size());
  for (std::size_t i = 0; i < plan.programs.size(); ++i) {
    BOOST_TEST(again.programs[i].command == plan.programs[i].command);
    BOOST_TEST((again.programs[i].contents == plan.programs[i].contents));
  }
  // The random choices stay what they were drawn to be under any other seed.
  const Plan other = good(plan.canonical, {"scenario.seed=8"});
  for (std::size_t i = 0; i < plan.actions.size(); ++i)
    BOOST_TEST(other.actions[i].target == plan.actions[i].target);
}

BOOST_AUTO_TEST_CASE(random_choices_follow_from_the_seed_alone) {
  const auto targets = [](std::string seed) {
    std::string out;
    for (const Action& action : good(kFull, {"scenario.seed=" + seed}).actions)
      out += action.target + ";";
    return out;
  };
  BOOST_TEST(targets("7") == targets("7"));
  bool differs = false;
  for (int seed = 8; seed < 14; ++seed)
    differs |= targets(std::to_string(seed)) != targets("7");
  BOOST_TEST(differs);
}

BOOST_AUTO_TEST_CASE(one_fault_more_does_not_reshuffle_the_traffic) {
  const Plan plan = good(kFull);
  const Plan more =
      good(std::string(kFull) + "[[at]]\nt = \"1 s\"\ndo = \"pause\"\non = \"any(mix)\"\n");
  const auto schedule = [](const Plan& p) {
    return std::ranges::find(p.programs, "client-0.talk", &Program::name)
        ->contents.at("talk.schedule");
  };
  BOOST_TEST(schedule(plan) == schedule(more));
}

BOOST_AUTO_TEST_CASE(settings_replace_add_and_reach_into_lists) {
  const Plan plan =
      good(kFull, {"mixnet.width=3", "link.default.latency=50 ms", "at[0].t=21 s",
                   "expect[0].ratio=0.5", "link.slow.latency.mean=30 ms", "scenario.seed=9"});
  BOOST_TEST(plan.hosts.size() == 1u + 9 + 1 + 3 + 1);
  BOOST_TEST((plan.links.at("default").latency.mean == 50ms));
  BOOST_TEST((plan.links.at("slow").latency.mean == 30ms));
  BOOST_TEST((plan.expectations[0].ratio == ratio(1, 2)));
  BOOST_TEST(plan.seed == 9u);
}

BOOST_AUTO_TEST_CASE(a_wrong_setting_is_named) {
  BOOST_TEST(problems("x.toml", kFull, {"mixnet.widht=3"}) ==
             "--set mixnet.widht=3: [mixnet] widht: unknown key; did you mean 'width'?\n");
  BOOST_TEST(problems("x.toml", kFull, {"mixnet.width=0"}) ==
             "--set mixnet.width=0: [mixnet] width: 0 is not from 1 to 1000\n");
  BOOST_TEST(problems("x.toml", kFull, {"at[9].t=1 s"}) ==
             "--set at[9].t=1 s: there is no such table in the scenario\n");
  BOOST_TEST(problems("x.toml", kFull, {"width"}) ==
             "--set width: write table.key=value (mixnet.width=3, link.default.latency=50 ms, "
             "at[0].t=5 s)\n");
}

// Each file of wrong/ opens with the problems it must give, one line each after "#! ", and the
// file's name left out.
BOOST_AUTO_TEST_CASE(every_wrong_file_gives_exactly_its_message) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("wrong"))
    files.push_back(entry.path());
  std::ranges::sort(files);
  BOOST_TEST(files.size() >= 60u);
  for (const auto& path : files) {
    const std::string text = contents(path), name = path.filename().string();
    std::string expected, line;
    std::istringstream in(text);
    while (std::getline(in, line) && line.starts_with("#! "))
      expected += name + ":" + line.substr(3) + "\n";
    BOOST_TEST(problems(name, text) == expected, name << ":\n" << problems(name, text));
  }
}

BOOST_AUTO_TEST_CASE(the_projects_scenarios_and_the_example_of_their_readme_are_right) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("../../scenarios")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const std::string text = contents(entry.path());
    BOOST_TEST(problems(entry.path().filename().string(), text) == "");
    BOOST_TEST(text.starts_with("# "), entry.path() << " opens with its question");
  }
  BOOST_TEST(files >= 12);
  const std::string readme = contents("../../scenarios/README.md");
  const std::size_t begin = readme.find("```toml\n") + 8, end = readme.find("```", begin);
  BOOST_REQUIRE(end != std::string::npos);
  BOOST_TEST(problems("README.md", readme.substr(begin, end - begin)) == "");
}

BOOST_AUTO_TEST_CASE(the_reference_names_every_key) {
  const std::string text = reference();
  for (const Table& table : tables()) {
    BOOST_TEST(text.find("## " + heading(table)) != std::string::npos);
    for (const Key& key : table.keys)
      BOOST_TEST(text.find("* `" + std::string(key.name) + "`") != std::string::npos);
  }
}
