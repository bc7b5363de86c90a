// SPDX-License-Identifier: Apache-2.0
// What a user's slip meets: wrong words, what is not there, files that are not what they were.
#include <boost/json.hpp>

#include "harness/cli/cli_test.h"
#include "src/sqlite/database.h"

using namespace lab::cli_test;

namespace {

using mix::sqlite::Database;

std::string text_of(const fs::path& recording, const char* query) {
  auto db = Database::open(recording.string(), Database::Mode::read_only);
  BOOST_REQUIRE(db.has_value());
  return db->text(query).value();
}
/// Where `mixlab run` said that its recording is.
std::string recording_in(const std::string& out) {
  const std::string mark = "\nrecording ";
  const std::size_t at = out.find(mark);
  BOOST_REQUIRE(at != std::string::npos);
  return out.substr(at + mark.size(), out.find('\n', at + 1) - at - mark.size());
}
void flip(const fs::path& path, std::uintmax_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x40));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_wrong_seed_is_refused_in_the_words_that_were_typed) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  for (const std::string seed : {"-1", "9223372036854775808", "x", "1.5", "''"}) {
    const Said said = place.mixlab("run " + file + " --seed " + seed);
    BOOST_TEST(said.status == 2, said.out);
    BOOST_TEST(has(said.out, "--seed: takes a whole number from 0 to 9223372036854775807, not '" +
                                 (seed == "''" ? "" : seed) + "'"));
    BOOST_TEST(!has(said.out, "scenario.seed"));
  }
  BOOST_TEST(place.mixlab("run " + file + " --seed 9223372036854775807 --out r.sqlite").status ==
             0);
}

BOOST_AUTO_TEST_CASE(an_unknown_command_is_named_with_the_nearest) {
  const Place place;
  const Said near = place.mixlab("rnu s.toml");
  BOOST_TEST(near.status == 2);
  BOOST_TEST(has(near.out, "mixlab: there is no command 'rnu'; did you mean 'run'?\n"));
  const Said far = place.mixlab("frobnicate");
  BOOST_TEST(far.status == 2);
  BOOST_TEST(has(far.out, "there is no command 'frobnicate'\nThe commands are run, check, show, "));
  BOOST_TEST(has(far.out, Place::program() + " --help"));
  const Said early = place.mixlab("--sead 3 run s.toml");
  BOOST_TEST(early.status == 2);
  BOOST_TEST(has(early.out, "there is no option '--sead' before a command\n"));
  BOOST_TEST(has(place.mixlab("--version").out, "mixlab 0"));
  const Said option = place.mixlab("run s.toml --sead 3");
  BOOST_TEST(option.status == 2);
  BOOST_TEST(has(option.out, "--sead"));
}

BOOST_AUTO_TEST_CASE(a_recording_without_a_name_takes_no_other_ones_place) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  const std::string full = "run " + file + " --set 'record.payload=\"full\"'";
  const Said first = place.mixlab(full);
  const std::string name = recording_in(first.out);
  const Said digests = place.mixlab("run " + file);
  BOOST_TEST(digests.status == 0, digests.out);
  const std::string second = name.substr(0, name.size() - 7) + "-2.sqlite";
  BOOST_TEST(recording_in(digests.out) == second);
  BOOST_TEST(has(digests.out, "note  " + name + " is kept: "));
  const char* scenario_of = "SELECT scenario FROM run";
  BOOST_TEST(has(text_of(place.path / name, scenario_of), "payload = \"full\""));
  // Each finds its own place again; what was changed since is no such place.
  BOOST_TEST(recording_in(place.mixlab("run " + file).out) == second);
  BOOST_TEST(recording_in(place.mixlab(full).out) == name);
  const std::string asks = place.file("asks.toml", scenario("[\"true\"]", "expect_exit = 0\n"));
  BOOST_TEST(recording_in(place.mixlab("run " + asks).out) ==
             name.substr(0, name.size() - 7) + "-3.sqlite");
  {
    auto db = Database::open((place.path / name).string(), Database::Mode::read_write);
    BOOST_REQUIRE(db->run("CREATE TABLE my_notes (text)").has_value());
  }
  BOOST_TEST(recording_in(place.mixlab(full).out) == name.substr(0, name.size() - 7) + "-4.sqlite");
  BOOST_TEST(recording_in(place.mixlab("run " + file + " --force").out) == name);
  BOOST_TEST(has(text_of(place.path / name, scenario_of), "payload = \"digest\""));
}

BOOST_AUTO_TEST_CASE(check_says_what_is_not_there_and_where_it_is_named) {
  const Place place;
  place.file("plain", "no program\n");
  place.file("here.txt", "");
  const std::string file =
      place.file("s.toml", scenario("[\"no-such-program\"]",
                                    "files = { \"a\" = \"here.txt\", \"b\" = \"deep/gone.txt\" }\n"
                                    "[[program]]\nhost = \"box\"\nname = \"other\"\n"
                                    "command = [\"./plain\"]\n"));
  for (const std::string command : {"check ", "run "}) {
    const Said said = place.mixlab(command + file);
    BOOST_TEST(said.status == (command == "run " ? 2 : 0));
    BOOST_TEST(has(said.out, file + ":7:1: [[program]] command: there is no program "
                                    "'no-such-program' (looked in "));
    BOOST_TEST(has(said.out, file + ":8:1: [[program]] files: 'b' is to be " +
                                 (place.path / "deep/gone.txt").string() +
                                 ": No such file or directory\n"));
    BOOST_TEST(has(said.out, file + ":12:1: [[program]] command: " +
                                 (place.path / "./plain").string() + " may not be executed\n"));
    BOOST_TEST(times(said.out, file + ":") == 3u, said.out);
  }
  const std::string mixnet =
      place.file("m.toml",
                 "[scenario]\nname = \"m\"\nduration = \"3 s\"\n[mixnet]\ninstead = { mix-0 = "
                 "[\"no-such-mix\"] }\n");
  const Said instead = place.mixlab("check " + mixnet);
  BOOST_TEST(
      has(instead.out, mixnet + ":5:1: [mixnet] instead: there is no program 'no-such-mix'"));
  // Of the mixnet's own programs, one line says enough.
  fs::create_directories(place.path / "bare");
  fs::copy_file(Place::program(), place.path / "bare/mixlab");
  const std::string wide = place.file("wide.toml",
                                      "[scenario]\nname = \"w\"\nduration = \"3 s\"\n[mixnet]\n"
                                      "width = 5\n");
  const Said unbuilt = place.sh("PATH= bare/mixlab check " + wide);
  BOOST_TEST(unbuilt.status == 0);
  BOOST_TEST(times(unbuilt.out, "there is no program 'nym-mixnode'") == 1u, unbuilt.out);
  BOOST_TEST(times(unbuilt.out, "there is no program") == 4u, unbuilt.out);  // and the other three
  // The canonical form is the file's own business.
  BOOST_TEST(place.mixlab("check --canonical " + file).status == 0);
}

BOOST_AUTO_TEST_CASE(a_recording_is_not_put_into_a_folder_that_nobody_made) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"true\"]"));
  const Said said = place.mixlab("run " + file + " --out resluts/r.sqlite");
  BOOST_TEST(said.status == 2, said.out);
  BOOST_TEST(said.out == "mixlab: resluts/r.sqlite: there is no folder resluts\n");
  BOOST_TEST(!fs::exists(place.path / "resluts"));
  BOOST_TEST(has(place.mixlab("run " + file + " --out . --force").out, "mixlab: . is a folder"));
}

BOOST_AUTO_TEST_CASE(who_looks_at_a_recording_hears_that_it_is_not_what_was_sealed) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"echo\", \"hello\"]"));
  BOOST_TEST(place.mixlab("run " + file + " --out r.sqlite").status == 0);
  for (const std::string words :
       {"show r.sqlite", "show r.sqlite --json", "diff r.sqlite r.sqlite"})
    BOOST_TEST(!has(place.mixlab(words).out, "warning"));
  const auto copy = [&](const char* name) {
    fs::copy_file(place.path / "r.sqlite", place.path / name);
    return place.path / name;
  };
  const fs::path changed = copy("changed.sqlite"), cut = copy("cut.sqlite");
  flip(changed, fs::file_size(changed) - 30);
  fs::resize_file(cut, fs::file_size(cut) - 5000);
  copy("r.sqlite.incomplete");
  const std::string was_changed =
      "mixlab: warning: changed.sqlite was changed or damaged after its run";
  const Said shown = place.mixlab("show changed.sqlite");
  BOOST_TEST(has(shown.out, was_changed));
  BOOST_TEST(has(shown.out, "verdict pass, seed 1"));  // and yet what it says
  BOOST_TEST(has(place.mixlab("trace changed.sqlite --packet 1").out, was_changed));
  BOOST_TEST(has(place.mixlab("diff r.sqlite changed.sqlite").out, was_changed));
  BOOST_TEST(has(place.mixlab("diff changed.sqlite r.sqlite").out, was_changed));
  BOOST_TEST(has(place.mixlab("show cut.sqlite").out, "cut.sqlite is truncated: "));
  BOOST_TEST(has(place.mixlab("diff r.sqlite cut.sqlite").out, "cut.sqlite is truncated: "));
  BOOST_TEST(has(place.mixlab("show r.sqlite.incomplete").out, "of a run that did not end"));
  BOOST_TEST(has(place.mixlab("show nowhere.sqlite").out, "nowhere.sqlite: there is no such file"));
  // Programs are told as well.
  const Said told = place.mixlab("show changed.sqlite --json");
  const std::string printed = told.out.substr(told.out.find('{'));  // behind the warning
  const boost::json::object summary = boost::json::parse(printed).as_object();
  BOOST_TEST(has(std::string(summary.at("doubt").as_string()), "was changed or damaged"));
}

BOOST_AUTO_TEST_CASE(a_hint_names_the_program_as_it_was_called) {
  const Place place;
  const std::string file = place.file("s.toml", scenario("[\"false\"]", "expect_exit = 0\n"));
  fs::create_symlink(Place::program(), place.path / "my lab");
  const Said said = place.sh("'./my lab' run s.toml --out r.sqlite");
  BOOST_TEST(has(said.out, "again     './my lab' run s.toml --seed 1\n"));
}
