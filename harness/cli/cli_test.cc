// SPDX-License-Identifier: Apache-2.0
// The command as a user meets it: words, files and exit statuses, with small programs of the
// system.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "src/sqlite/database.h"

namespace fs = std::filesystem;

namespace {

struct Said {
  int status = 0;
  std::string out;  // both streams
};

struct Place {
  Place() {
    path = fs::temp_directory_path() / ("mixlab-cli-" + std::to_string(::getpid()));
    fs::create_directories(path);
  }
  ~Place() { fs::remove_all(path); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  /// Runs `mixlab <words>` there.
  Said mixlab(const std::string& words) const {
    const fs::path program =
        fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "mixlab";
    const std::string command =
        "cd " + path.string() + " && " + program.string() + " " + words + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    BOOST_REQUIRE(pipe != nullptr);
    Said said;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe))
      said.out.append(buffer, n);
    const int status = ::pclose(pipe);
    said.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    return said;
  }
  fs::path path;
};

std::string scenario(const std::string& command, const std::string& rest = "") {
  return "[scenario]\nname = \"small\"\nduration = \"3 s\"\n[[program]]\nhost = \"box\"\nname = "
         "\"it\"\ncommand = " +
         command + "\n" + rest;
}
bool has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(text);
  return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_runs_and_is_recorded) {
  const Place place;
  const std::string file =
      place.file("s.toml", scenario("[\"echo\", \"hello\"]", "expect_exit = 0\n"));
  const Said said = place.mixlab("run " + file + " --out r.sqlite --seed 7");
  BOOST_TEST(said.status == 0, said.out);
  BOOST_TEST(has(said.out, "  pass          exit (finally): 1 of 1 programs ended with 0"));
  BOOST_TEST(has(said.out, "recording r.sqlite\nchain "));
  auto db = mix::sqlite::Database::open((place.path / "r.sqlite").string(),
                                        mix::sqlite::Database::Mode::read_only);
  BOOST_REQUIRE(db.has_value());
  BOOST_TEST(db->text("SELECT line FROM log WHERE stream = 'stdout'").value() == "hello");
  BOOST_TEST(db->integer("SELECT seed FROM run").value() == 7);
  BOOST_TEST(db->text("SELECT verdict FROM run").value() == "pass");
  BOOST_TEST(
      db->integer("SELECT length(json_extract(manifest, '$.binaries')) > 0 FROM run").value() == 1);
  BOOST_TEST(!fs::exists(place.path / "r.sqlite.incomplete"));
  BOOST_TEST(has(place.mixlab("show r.sqlite").out, "verdict pass, seed 7"));
}

BOOST_AUTO_TEST_CASE(a_wrong_exit_fails_with_a_report_and_the_command_again) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"false\"]", "expect_exit = 0\n"));
  const Said said = place.mixlab("run " + file + " --out r.sqlite");
  BOOST_TEST(said.status == 1, said.out);
  BOOST_TEST(has(said.out, "FAILED  exit (finally): 0 of 1 programs ended with 0"));
  BOOST_TEST(has(said.out, "again     mixlab run " + file + " --seed 1\n"));
  BOOST_TEST(has(said.out, "expected  it exits with 0\nobserved  it exited with 1, at "));
  BOOST_TEST(std::ranges::count(said.out, '\n') <= 60);
  BOOST_TEST(fs::exists(place.path / "r.sqlite.failure.json"));
}

BOOST_AUTO_TEST_CASE(what_was_never_seen_is_inconclusive) {
  const Place place;
  const std::string file = place.file(
      "s.toml", scenario("[\"false\"]",
                         "[[program]]\nhost = \"box\"\nname = \"next\"\ncommand = [\"true\"]\n"
                         "after = \"it\"\nexpect_exit = 0\n"));
  const Said said = place.mixlab("run " + file + " --out r.sqlite --quiet");
  BOOST_TEST(said.status == 4, said.out);
  BOOST_TEST(has(said.out, "INCONCLUSIVE  exit"));
}

BOOST_AUTO_TEST_CASE(mistakes_of_the_user_end_with_2_and_name_the_place) {
  const Place place;
  const std::string wrong = place.file("w.toml", scenario("[\"true\"]", "strat = \"1 s\"\n"));
  const Said unknown = place.mixlab("run " + wrong);
  BOOST_TEST(unknown.status == 2);
  BOOST_TEST(unknown.out ==
             wrong + ":8:1: [[program]] strat: unknown key; did you mean 'start'?\n");
  const std::string missing = place.file("m.toml", scenario("[\"no-such-program\"]"));
  const Said nobody = place.mixlab("run " + missing);
  BOOST_TEST(nobody.status == 2);
  BOOST_TEST(has(nobody.out, "it: there is no program 'no-such-program'"));
  BOOST_TEST(place.mixlab("run nowhere.toml").status == 2);
  BOOST_TEST(place.mixlab("run").status == 2);
  BOOST_TEST(place.mixlab("walk").status == 2);
  BOOST_TEST(place.mixlab("show " + wrong).status == 2);
  const std::string good = place.file("s.toml", scenario("[\"true\"]"));
  BOOST_TEST(place.mixlab("run " + good + " --set scenario.duraton=3").status == 2);
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten_without_force) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  const Said again = place.mixlab("run " + file + " --out r.sqlite");
  BOOST_TEST(again.status == 2);
  BOOST_TEST(has(again.out, "r.sqlite exists (--force overwrites it)"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite --force").status == 0);
}

BOOST_AUTO_TEST_CASE(a_recording_without_a_name_is_called_after_its_chain) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  const Said said = place.mixlab("run " + file + " --seed 3 --json");
  BOOST_TEST(said.status == 0, said.out);
  const boost::json::object result = boost::json::parse(said.out).as_object();
  const std::string chain(result.at("chain").as_string());
  BOOST_TEST(std::string(result.at("recording").as_string()) ==
             "results/small-3-" + chain.substr(0, 8) + ".sqlite");
  BOOST_TEST(fs::exists(place.path / ("results/small-3-" + chain.substr(0, 8) + ".sqlite")));
}

BOOST_AUTO_TEST_CASE(two_runs_of_one_seed_agree_and_a_difference_is_shown) {
  const Place place;
  const std::string file =
      place.file("s.toml", scenario("[\"head\", \"-c\", \"8\", \"/dev/urandom\"]"));
  const Said said = place.mixlab("run " + file + " --out a.sqlite --check");
  BOOST_TEST(said.status == 0, said.out);
  BOOST_TEST(has(said.out, "second run agreed"));
  BOOST_TEST(place.mixlab("run " + file + " --out b.sqlite").status == 0);
  BOOST_TEST(place.mixlab("run " + file + " --out c.sqlite --seed 2").status == 0);
  const Said same = place.mixlab("diff a.sqlite b.sqlite");
  BOOST_TEST(same.status == 0);
  const Said other = place.mixlab("diff a.sqlite c.sqlite");
  BOOST_TEST(other.status == 1);
  BOOST_TEST(has(other.out, "the runs part at event "));
}

BOOST_AUTO_TEST_CASE(help_and_references_are_there) {
  const Place place;
  BOOST_TEST(place.mixlab("--help").status == 0);
  BOOST_TEST(has(place.mixlab("run --help").out, "--check"));
  BOOST_TEST(has(place.mixlab("check --reference").out, "## [[traffic]]"));
  BOOST_TEST(has(place.mixlab("doctor --calls").out, "simulate\tepoll_wait"));
  BOOST_TEST(place.mixlab("doctor").status == 0);
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  BOOST_TEST(has(place.mixlab("check " + file).out, "small: 3 s of virtual time, seed 1"));
  place.file("canonical.toml", place.mixlab("check " + file + " --canonical").out);
  BOOST_TEST(place.mixlab("check canonical.toml").status == 0);
}
