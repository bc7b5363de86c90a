// SPDX-License-Identifier: Apache-2.0
// The command as a user meets it: words, files and exit statuses, with small programs of the
// system.
#include "harness/cli/cli_test.h"

#include <sys/stat.h>

#include <boost/json.hpp>

#include "src/sqlite/database.h"

using namespace lab::cli_test;

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
  BOOST_TEST(has(said.out, "again     " + Place::program() + " run " + file + " --seed 1\n"));
  BOOST_TEST(has(said.out, "expected  it exits with 0\nobserved  it exited with 1, at "));
  BOOST_TEST(std::ranges::count(said.out, '\n') <= 60);
  const fs::path twin = place.path / "r.sqlite.failure.json";
  BOOST_REQUIRE(fs::exists(twin));
  const fs::perms others = fs::perms::group_all | fs::perms::others_all;
  BOOST_TEST(((fs::status(twin).permissions() & others) == fs::perms::none));
  // A recording that takes the place of this one takes its report along.
  const std::string right = place.file("t.toml", scenario("[\"true\"]", "expect_exit = 0\n"));
  BOOST_TEST(place.mixlab("run " + right + " --out r.sqlite --force").status == 0);
  BOOST_TEST(!fs::exists(twin));
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
  BOOST_TEST(has(nobody.out, missing + ":7:1: [[program]] command: there is no program "
                                       "'no-such-program' (looked in "));
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
  const Said nobody = place.mixlab("diff a.sqlite c.sqlite --node nobody");
  BOOST_TEST(nobody.status == 2);
  BOOST_TEST(has(nobody.out, "--node: neither recording has a program 'nobody'"), nobody.out);
  const Said nothing = place.mixlab("diff a.sqlite c.sqlite --kind foo");
  BOOST_TEST(nothing.status == 2);
  BOOST_TEST(has(nothing.out, "--kind: neither recording has an event of kind 'foo'"), nothing.out);
}

BOOST_AUTO_TEST_CASE(a_replay_needs_no_file_but_the_recording) {
  const Place place;
  fs::create_directories(place.path / "deep/kit/below");
  std::ofstream(place.path / "deep/note.txt") << "from the scenario's folder\n";
  std::ofstream(place.path / "deep/kit/below/more.txt") << "and below it\n";
  std::ofstream(place.path / "deep/s.toml")
      << scenario("[\"cat\", \"note.txt\", \"kit/below/more.txt\"]",
                  "files = { \"note.txt\" = \"note.txt\", \"kit\" = \"kit\" }\n"
                  "expect_exit = 0\n");
  const Said ran = place.mixlab("run deep/s.toml --out r.sqlite");
  BOOST_TEST(ran.status == 0, ran.out);
  fs::remove_all(place.path / "deep");
  const Said again = place.mixlab("replay r.sqlite");
  BOOST_TEST(again.status == 0, again.out);
  BOOST_TEST(has(again.out, "identical: "));
  BOOST_TEST(place.mixlab("run deep/s.toml --out again.sqlite").status == 2);
  {
    auto db = mix::sqlite::Database::open((place.path / "r.sqlite").string(),
                                          mix::sqlite::Database::Mode::read_write);
    BOOST_REQUIRE(
        db->run("UPDATE source SET path = '../../planted' WHERE path = 'note.txt'").has_value());
  }
  const Said planted = place.mixlab("replay r.sqlite --anyway");
  BOOST_TEST(planted.status == 2, planted.out);
  BOOST_TEST(has(planted.out, "'../../planted' leaves its folder"));
}

BOOST_AUTO_TEST_CASE(foreign_programs_replay_only_as_they_were_unless_asked) {
  const Place place;
  const std::string tool = (place.path / "tool").string();
  fs::copy_file("/bin/echo", tool);
  const std::string file =
      place.file("s.toml", scenario("[\"" + tool + "\", \"hello\"]", "expect_exit = 0\n"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  const Said same = place.mixlab("replay r.sqlite");
  BOOST_TEST(same.status == 0, same.out);
  BOOST_TEST(!has(same.out, "note"));
  std::ofstream(tool, std::ios::app) << "x";  // runs as before, and is another file
  const Said refused = place.mixlab("replay r.sqlite");
  BOOST_TEST(refused.status == 2, refused.out);
  BOOST_TEST(has(refused.out, "note  tool is another than the recorded one"));
  BOOST_TEST(has(refused.out, "--anyway"));
  const Said anyway = place.mixlab("replay r.sqlite --anyway");
  BOOST_TEST(anyway.status == 0, anyway.out);
  BOOST_TEST(place.mixlab("pack r.sqlite").status == 2);
  fs::copy_file("/bin/echo", tool, fs::copy_options::overwrite_existing);
  const Said packed = place.mixlab("pack r.sqlite");
  BOOST_TEST(packed.status == 0, packed.out);
  fs::remove(tool);
  const Said kept = place.mixlab("replay r.sqlite");
  BOOST_TEST(kept.status == 0, kept.out);
  BOOST_TEST(has(kept.out, "are those of r.sqlite.pack"));
  fs::resize_file(place.path / "r.sqlite.pack/bin/tool",
                  fs::file_size(place.path / "r.sqlite.pack/bin/tool") + 1);
  BOOST_TEST(place.mixlab("replay r.sqlite").status == 2);
}

BOOST_AUTO_TEST_CASE(another_program_under_its_name_is_found_at_its_first_other_event) {
  const Place place;
  const std::string tool = (place.path / "tool").string();
  fs::copy_file("/bin/echo", tool);
  const std::string file = place.file("s.toml", scenario("[\"" + tool + "\", \"hello\"]"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  fs::copy_file("/bin/true", tool, fs::copy_options::overwrite_existing);
  const Said said = place.mixlab("replay r.sqlite --anyway");
  BOOST_TEST(said.status == 1, said.out);
  BOOST_TEST(has(said.out, "the runs part at event 1\n"));
  BOOST_TEST(has(said.out, "what differs there\n"));
  BOOST_TEST(has(said.out, "  outbox\n    recorded: "));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replayed_says_what_it_is) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"echo\", \"hello\"]"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  const fs::path recording = place.path / "r.sqlite";
  const auto refuses = [&](const std::string& words, const std::string& why) {
    const Said said = place.mixlab("replay " + words);
    BOOST_TEST(said.status == 2, said.out);
    BOOST_TEST(has(said.out, why));
  };
  refuses("nowhere.sqlite", "nowhere.sqlite: there is no such file");
  refuses(file, "s.toml is not a recording: it is no SQLite database");
  fs::copy_file(recording, place.path / "r.sqlite.incomplete");
  refuses("r.sqlite.incomplete", "is the recording of a run that did not end");
  fs::copy_file(recording, place.path / "short.sqlite");
  fs::resize_file(place.path / "short.sqlite", fs::file_size(recording) - 5000);
  refuses("short.sqlite", "short.sqlite is truncated: ");
  for (const auto at : {fs::file_size(recording) / 3, fs::file_size(recording) - 30}) {
    fs::copy_file(recording, place.path / "flip.sqlite", fs::copy_options::overwrite_existing);
    std::fstream flip(place.path / "flip.sqlite", std::ios::in | std::ios::out | std::ios::binary);
    flip.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(flip.get());
    flip.seekp(static_cast<std::streamoff>(at));
    flip.put(static_cast<char>(byte ^ 0x40));
    flip.close();
    refuses("flip.sqlite", "flip.sqlite was changed or damaged after its run");
  }
  {
    auto db = mix::sqlite::Database::open((place.path / "other.sqlite").string(),
                                          mix::sqlite::Database::Mode::create);
    BOOST_REQUIRE(db->run("CREATE TABLE t (a)").has_value());
  }
  refuses("other.sqlite", "other.sqlite is not a recording");
  {
    auto db =
        mix::sqlite::Database::open(recording.string(), mix::sqlite::Database::Mode::read_write);
    BOOST_REQUIRE(db->run("UPDATE run SET clock = 'wall', chain = NULL").has_value());
  }
  refuses("r.sqlite", "r.sqlite is a devnet's recording");
  BOOST_TEST(has(place.mixlab("show r.sqlite").out, "a devnet, 3 s of real time\n"));
  {
    auto db =
        mix::sqlite::Database::open(recording.string(), mix::sqlite::Database::Mode::read_write);
    BOOST_REQUIRE(db->run("UPDATE run SET duration_ns = NULL").has_value());
  }
  BOOST_TEST(has(place.mixlab("show r.sqlite").out, "a devnet that has not ended\n"));
}

BOOST_AUTO_TEST_CASE(a_run_stands_still_where_it_is_told_and_goes_on_from_a_pipe) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"sleep\", \"2\"]"));
  place.file("words", "n\nwalk\nu 1 s\nb 1\nc\n");
  const Said said = place.mixlab("run " + file + " --out r.sqlite --until '1 ms' < words");
  BOOST_TEST(said.status == 0, said.out);
  BOOST_TEST(has(said.out, "stopped at 0.001000000 s, after 2 events: 1 ms\n"));
  BOOST_TEST(has(said.out, "  it  running, pid "));
  BOOST_TEST(has(said.out, " in clock_nanosleep since 0 s, until 2 s"));
  BOOST_TEST(has(said.out, "stopped at 2.000000000 s, after 4 events"));
  BOOST_TEST(has(said.out, "'walk' is no command"));
  BOOST_TEST(has(said.out, "that is past; b 1 s runs again to it"));
  BOOST_TEST(has(said.out, "stopped at 0.000000000 s, after 2 events: event 1 has happened"));
  BOOST_TEST(has(said.out, "the first 2 events were as they were before"));
  BOOST_TEST(place.mixlab("replay r.sqlite").status == 0);  // standing still changed nothing
  BOOST_TEST(place.mixlab("run " + file + " --out p.sqlite").status == 0);
  BOOST_TEST(place.mixlab("diff r.sqlite p.sqlite").status == 0);
  const Said ended = place.mixlab("replay r.sqlite --until 1s < /dev/null");
  BOOST_TEST(ended.status == 0, ended.out);
  BOOST_TEST(has(ended.out, "no more commands: on to the end"));
  place.file("quit", "q\n");
  BOOST_TEST(place.mixlab("run " + file + " --out q.sqlite --until 1s < quit").status == 130);
  BOOST_TEST(!fs::exists(place.path / "q.sqlite.incomplete"));
  const Said wrong = place.mixlab("run " + file + " --until 'hop(packet=1)'");
  BOOST_TEST(wrong.status == 2);
  BOOST_TEST(has(wrong.out, "is no place to stop"));
}

BOOST_AUTO_TEST_CASE(help_and_references_are_there) {
  const Place place;
  BOOST_TEST(place.mixlab("--help").status == 0);
  BOOST_TEST(has(place.mixlab("run --help").out, "--check"));
  BOOST_TEST(has(place.mixlab("check --reference").out, "## [[traffic]]"));
  BOOST_TEST(has(place.mixlab("doctor --calls").out, "simulate\tepoll_wait"));
  const Said doctor = place.mixlab("doctor");
  BOOST_TEST(doctor.status == 0);
  BOOST_TEST(times(doctor.out, "open  ") >= 5);  // what nothing can close
  BOOST_TEST(times(doctor.out, "open  ") == times(doctor.out, "What to do: "));
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  BOOST_TEST(has(place.mixlab("check " + file).out, "small: 3 s of virtual time, seed 1"));
  place.file("canonical.toml", place.mixlab("check " + file + " --canonical").out);
  BOOST_TEST(place.mixlab("check canonical.toml").status == 0);
}

BOOST_AUTO_TEST_CASE(a_program_beside_the_scenario_is_had_again_in_full) {
  const Place place;
  fs::copy_file("/bin/echo", place.path / "tool");
  const std::string file = place.file("s.toml", scenario("[\"./tool\", \"hello\"]"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  const Said full = place.mixlab("replay r.sqlite --full full.sqlite");
  BOOST_TEST(full.status == 0, full.out);
  BOOST_TEST(has(full.out, "the same run in full: full.sqlite, chain "));
  const Said alone = place.mixlab("replay full.sqlite --node it");
  BOOST_TEST(alone.status == 0, alone.out);
}
