# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin from outside: pytest runs in pytest, against a stand-in for the `mixlab` program.

The stand-in does what its scenario says in a comment ("# stand-in: exit 1"), writes down how it was called, and
copies a recording made by hand to the --out it was given.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from book import Book
from mixlab.plugin import head_comment, parse_seeds, question

pytest_plugins = "pytester"

STAND_IN = """#!/usr/bin/env python3
import json, pathlib, re, shutil, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
text = pathlib.Path(words[1]).read_text()
status = int((re.search(r"stand-in: exit (\\d)", text) or ["", "0"])[1])
print("expectation layer-order:", "pass" if status == 0 else "fail")
if status == 1:
    print("first bad event: hop 0->2 at 1.5 s")
if status in (0, 1, 4):
    shutil.copy(here / "recording.sqlite", words[words.index("--out") + 1])
sys.exit(status)
"""


class Bench:
    """A folder with scenarios and tests, the stand-in, and a way to run pytest in it."""

    def __init__(self, pytester: pytest.Pytester, book: Book) -> None:
        self.pytester = pytester
        book.honest().close().close()
        book.path.rename(pytester.path / "recording.sqlite")
        self.program = pytester.path / "mixlab"
        self.program.write_text(STAND_IN)
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.scenario("ok", "# Does it work?\n")

    def scenario(self, name: str, head: str) -> Path:
        path = self.pytester.path / "scenarios" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'# SPDX-License-Identifier: Apache-2.0\n{head}\n[scenario]\nname = "{path.stem}"\n')
        return path

    def test(self, body: str) -> None:
        self.pytester.makepyfile(test_it=f"def test_it(lab):\n    {body}\n")

    def run(self, *words: str, what: str = "test_it.py") -> pytest.RunResult:
        results = f"--mixlab-results={self.pytester.path / 'results'}"
        return self.pytester.runpytest_subprocess(f"--mixlab-bin={self.program}", results, what, *words)

    def calls(self) -> list[list[str]]:
        path = self.pytester.path / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def seeds(self) -> list[str | None]:
        return [call[call.index("--seed") + 1] if "--seed" in call else None for call in self.calls()]

    def kept(self) -> list[str]:
        return sorted(path.name for path in (self.pytester.path / "results").glob("*"))


@pytest.fixture
def bench(pytester: pytest.Pytester, book: Book) -> Bench:
    return Bench(pytester, book)


def test_a_test_runs_a_scenario_and_reads_its_recording(bench: Bench) -> None:
    bench.test("run = lab.run('scenarios/ok.toml', seed=7); run.assert_layer_order(); assert run.loops_home() == 20")
    bench.run().assert_outcomes(passed=1)
    assert bench.seeds() == ["7"]
    assert bench.kept() == []


def test_a_failing_test_keeps_its_recording_and_prints_the_replay_command(bench: Bench) -> None:
    bench.test("assert lab.run('scenarios/ok.toml', seed=7).loops_home() == 21")
    result = bench.run()
    result.assert_outcomes(failed=1)
    assert bench.kept() == ["test_it-ok-seed-7.sqlite"]
    kept = bench.pytester.path / "results" / bench.kept()[0]
    result.stdout.fnmatch_lines(
        [
            f"*run again: {bench.program} run *ok.toml --seed 7",
            f"*replay: *{bench.program} replay {kept}",
            f"*recording: {kept}",
        ]
    )


def test_a_second_failure_does_not_overwrite_the_first(bench: Bench) -> None:
    bench.test("assert lab.run('scenarios/ok.toml', seed=7).loops_home() == 21")
    bench.run()
    bench.run()
    assert bench.kept() == ["test_it-ok-seed-7-2.sqlite", "test_it-ok-seed-7.sqlite"]


def test_a_failed_expectation_fails_the_test_with_the_labs_report(bench: Bench) -> None:
    bench.scenario("bad", "# stand-in: exit 1")
    bench.test("lab.run('scenarios/bad.toml')")
    result = bench.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*exit status 1: an expectation failed*", "*first bad event: hop 0->2 at 1.5 s*", "*replay:*"]
    )


@pytest.mark.parametrize(("status", "error"), [(2, "LabError"), (3, "LabError"), (4, "Inconclusive")])
def test_a_run_that_proves_nothing_is_no_pass(bench: Bench, status: int, error: str) -> None:
    bench.scenario("odd", f"# stand-in: exit {status}")
    bench.test("lab.run('scenarios/odd.toml')")
    result = bench.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{error}*exit status {status}*"])


def test_a_failure_that_is_expected_gives_its_recording(bench: Bench) -> None:
    bench.scenario("bad", "# stand-in: exit 1")
    bench.test("assert lab.run('scenarios/bad.toml', status=1).loops_home() == 20")
    bench.run().assert_outcomes(passed=1)


def test_a_failure_that_was_expected_and_did_not_come_is_a_failure(bench: Bench) -> None:
    bench.test("lab.run('scenarios/ok.toml', status=1)")
    result = bench.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*exit status 0: all expectations hold; expected 1*"])


def test_the_command_lines_seed_goes_where_none_is_pinned(bench: Bench) -> None:
    bench.test("lab.run('scenarios/ok.toml'); lab.run('scenarios/ok.toml', seed=3)")
    result = bench.run("--mixlab-seed", "9")
    assert bench.seeds() == ["9", "3"]
    result.stdout.fnmatch_lines(["*pins seed 3: the command line's 9 had no effect on it*"])


def test_without_a_seed_the_scenario_decides(bench: Bench) -> None:
    bench.test("lab.run('scenarios/ok.toml')")
    bench.run()
    assert bench.seeds() == [None]


def test_seeds_run_each_test_once_a_seed(bench: Bench) -> None:
    bench.test("lab.run('scenarios/ok.toml')")
    result = bench.run("--mixlab-seeds", "1..3,8", "-v")
    result.assert_outcomes(passed=4)
    assert bench.seeds() == ["1", "2", "3", "8"]
    result.stdout.fnmatch_lines(["*test_it*seed-8*PASSED*"])


@pytest.mark.parametrize(
    "words", [["--mixlab-seeds", "5..1"], ["--mixlab-seeds", "x"], ["--mixlab-seed=1", "--mixlab-seeds=1..2"]]
)
def test_wrong_seeds_are_refused_before_any_run(bench: Bench, words: list[str]) -> None:
    bench.test("lab.run('scenarios/ok.toml')")
    assert bench.run(*words).ret == pytest.ExitCode.USAGE_ERROR
    assert bench.calls() == []


def test_check_and_settings_reach_the_program(bench: Bench) -> None:
    bench.test("lab.run('scenarios/ok.toml', settings={'mixnet.width': 2})")
    bench.run("--mixlab-check")
    (call,) = bench.calls()
    assert "--check" in call
    assert call[call.index("--set") + 1] == "mixnet.width=2"


def test_a_scenario_may_be_written_in_the_test(bench: Bench) -> None:
    bench.test("lab.run(lab.scenario('[scenario]'))")
    bench.run().assert_outcomes(passed=1)


def test_tests_that_ask_for_the_same_share_one_run(bench: Bench) -> None:
    body = "def test_{0}(lab):\n    run = lab.once('scenarios/ok.toml', {1})\n    assert run.path.exists()\n"
    bench.pytester.makepyfile(test_it=body.format("a", 7) + body.format("b", 7) + body.format("c", 8))
    bench.run().assert_outcomes(passed=3)
    assert bench.seeds() == ["7", "8"]


def test_a_shared_run_that_fails_fails_each_test_and_is_kept_for_each(bench: Bench) -> None:
    bench.scenario("bad", "# stand-in: exit 1\n")
    body = "def test_{0}(lab):\n    lab.once('scenarios/bad.toml')\n"
    bench.pytester.makepyfile(test_it=body.format("a") + body.format("b"))
    result = bench.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*first bad event: hop 0->2*", "*replay: *"])
    assert len(bench.calls()) == 1
    assert [name.split("-")[0] for name in bench.kept()] == ["test_a", "test_b"]


def test_a_missing_program_and_a_missing_scenario_are_said_so(bench: Bench) -> None:
    bench.test("lab.run('scenarios/absent.toml')")
    bench.run().stdout.fnmatch_lines(["*LabError: no scenario scenarios/absent.toml below*"])
    bench.program = bench.pytester.path / "nowhere" / "mixlab"
    bench.test("lab.run('scenarios/ok.toml')")
    bench.run().stdout.fnmatch_lines(["*LabError: *nowhere/mixlab is not there*--mixlab-bin*"])


def test_scenario_files_are_tests_and_print_their_question(bench: Bench) -> None:
    bench.scenario("second", "# What if two lines\n# ask it? Then more is said.\n#\n# And more.")
    (bench.pytester.path / "scenarios" / "other.toml").write_text("[tool]\nname = 'no scenario'\n")
    result = bench.run(what="scenarios")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["passed  ok: Does it work?", "passed  second: What if two lines ask it?"])


def test_a_failing_scenario_shows_question_report_and_replay(bench: Bench) -> None:
    bench.scenario("bad", "# Will it hold?\n# stand-in: exit 1")
    result = bench.run(what="scenarios/bad.toml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*Will it hold?*", "*first bad event: hop 0->2*", "*replay:*bad*", "FAILED  bad: Will it hold?"]
    )


def test_scenario_files_take_seeds(bench: Bench) -> None:
    bench.run("--mixlab-seeds", "4..6", what="scenarios").assert_outcomes(passed=3)
    assert bench.seeds() == ["4", "5", "6"]


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        ("# stand-in: exit 1\n# Must fail with exit 1. First bad event: hop 0->2", "passed"),
        ("# stand-in: exit 1\n# Must fail with exit 1. First bad event: hop 1->3", "failed"),
        ("# stand-in: exit 0\n# Must fail with exit 1. First bad event: hop 0->2", "failed"),
        ("# stand-in: exit 4\n# Must fail with exit 1.", "failed"),
    ],
)
def test_a_scenario_that_must_fail_does_so_as_its_head_says(bench: Bench, head: str, outcome: str) -> None:
    bench.scenario("must_fail/planted", head)
    bench.run(what="scenarios/must_fail").assert_outcomes(**{outcome: 1})


def test_pytest_without_a_lab_test_never_looks_for_the_program(bench: Bench) -> None:
    bench.pytester.makepyfile(test_it="def test_nothing(): pass")
    bench.run().assert_outcomes(passed=1)


def test_seeds_are_spelt_as_ranges_and_lists() -> None:
    assert parse_seeds("1..3,7, 9..9") == [1, 2, 3, 7, 9]


def test_a_question_is_the_first_paragraph_up_to_its_mark() -> None:
    text = "# SPDX-License-Identifier: X\n#\n# Is a = b\n# or not? No.\n#\n# More?\nkey = 1\n# later"
    assert head_comment(text) == ["", "Is a = b", "or not? No.", "", "More?"]
    assert question(text) == "Is a = b or not?"
    assert question("key = 1") == ""
