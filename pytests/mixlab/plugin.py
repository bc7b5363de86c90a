# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: the `lab` fixture, scenario files as tests, and what a failure says.

A failing test keeps its recordings below results/ and gets a section with the command that replays each. Seeds:
`lab.run(..., seed=7)` pins one; without it --mixlab-seed N, or each of --mixlab-seeds A..B in turn, decides.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import warnings
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .lab import HELD, Execution, Lab, LabError, Shared
from .run import Run

_OUTPUT_LINES = 60
_lab_key = pytest.StashKey[Lab]()
_shared_key = pytest.StashKey[Shared]()


def parse_seeds(text: str) -> list[int]:
    """'1..20' (both ends), '7' or '1,5,9..11'."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\.\.(\d+))?\s*", part)
        if match is None:
            raise ValueError(f"not a list of seeds: {text!r} (expected 1..20, 7 or 1,5,9..11)")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"a range of seeds ends before it begins: {part.strip()!r}")
        seeds += range(first, last + 1)
    return seeds


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mixlab", "mixlab: scenarios under a seeded clock")
    group.addoption("--mixlab-seed", type=int, metavar="N", help="seed for every run that does not pin its own")
    group.addoption("--mixlab-seeds", metavar="A..B", help="run each test that uses the lab once per seed")
    group.addoption("--mixlab-check", action="store_true", help="run each scenario twice and compare the event chains")
    group.addoption(
        "--mixlab-bin", metavar="PATH", help="the mixlab program (default: PATH, then the checkout's build/bin)"
    )
    group.addoption(
        "--mixlab-results", metavar="DIR", help="where a failing test keeps its recordings (default: results/)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--mixlab-seed") is not None and config.getoption("--mixlab-seeds"):
        raise pytest.UsageError("--mixlab-seed and --mixlab-seeds exclude each other")
    if config.getoption("--mixlab-seeds"):
        try:
            parse_seeds(config.getoption("--mixlab-seeds"))
        except ValueError as error:
            raise pytest.UsageError(f"--mixlab-seeds: {error}") from None


def _seeds(config: pytest.Config) -> list[int | None]:
    if config.getoption("--mixlab-seeds"):
        return list(parse_seeds(config.getoption("--mixlab-seeds")))
    return [config.getoption("--mixlab-seed")]


def _roots(config: pytest.Config) -> tuple[Path, ...]:
    """Where a relative scenario path may start: pytest's root, and the checkout around it."""
    return (config.rootpath, *programs.checkouts(config.rootpath))


def _results(config: pytest.Config) -> Path:
    given = config.getoption("--mixlab-results")
    return Path(given) if given else next(programs.checkouts(config.rootpath), config.rootpath) / "results"


def _make_lab(config: pytest.Config, folder: Path, seed: int | None) -> Lab:
    if _shared_key not in config.stash:
        config.stash[_shared_key] = Shared()
    return Lab(
        folder,
        seed=seed,
        check=config.getoption("--mixlab-check"),
        program=config.getoption("--mixlab-bin"),
        roots=_roots(config),
        shared=config.stash[_shared_key],
    )


# The fixture. -------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mixlab_seed" in metafunc.fixturenames and metafunc.config.getoption("--mixlab-seeds"):
        seeds = _seeds(metafunc.config)
        metafunc.parametrize("mixlab_seed", seeds, ids=[f"seed-{seed}" for seed in seeds], indirect=True)


@pytest.fixture
def mixlab_seed(request: pytest.FixtureRequest) -> int | None:
    """The command line's seed for this test; None when there is none."""
    chosen: int | None = getattr(request, "param", request.config.getoption("--mixlab-seed"))
    return chosen


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path, mixlab_seed: int | None) -> Iterator[Lab]:
    """Runs scenarios: `run = lab.run("scenarios/loop_1x3.toml", seed=7)` (see mixlab.lab.Lab)."""
    made = _make_lab(request.config, tmp_path, mixlab_seed)
    request.node.stash[_lab_key] = made
    yield made
    if made.pinned:
        seeds = ", ".join(map(str, dict.fromkeys(made.pinned)))
        warnings.warn(f"the test pins seed {seeds}: the command line's {mixlab_seed} had no effect on it", stacklevel=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    used = item.stash.get(_lab_key, None)
    if used is not None and report.when == "call" and report.failed:
        kept = used.keep(_results(item.config), _label(item))
        if kept:
            told = report.longreprtext
            stories = [_story(execution, place, told) for execution, place in kept]
            report.sections.append(("mixlab", "\n\n".join(stories)))
    return report


def _label(item: pytest.Item) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name).strip("-")[:60]


def _story(execution: Execution, place: Path | None, told: str) -> str:
    """What a stranger needs to go on: how it ended, how to see the same again, and where everything longer is. The
    lab's own report, too, unless the failure above has `told` it already."""
    lines = [f"{execution.scenario.name}, {execution.meaning()}", f"  run again: {execution.again()}"]
    if place is None:
        lines.append("  no recording was made")
    else:
        lines.append(f"  replay:    {execution.replay(place)}")
        with Run(place) as run, contextlib.suppress(sqlite3.Error):  # It may be the recording that is broken.
            lines.append(f"  chain:     {run.chain}")
        lines.append(f"  recording: {place}")
    if execution.status != HELD and execution.output and not _is_told(execution.output, told):
        lines += ["  " + line for line in execution.output.rstrip().splitlines()[-_OUTPUT_LINES:]]
    return "\n".join(lines)


def _is_told(output: str, told: str) -> bool:
    return all(line.strip() in told for line in output.splitlines())


# Scenario files as tests. -------------------------------------------------------------------------------------

_SCENARIO_TABLE = re.compile(r"^\s*\[\s*scenario\s*\]", re.MULTILINE)
_MUST_FAIL = re.compile(r"must fail\W+(?:with\s+)?exit(?:\s+status)?\s+(\d)", re.IGNORECASE)
_FIRST_BAD = re.compile(r"first bad event:\s*(.+)", re.IGNORECASE)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".toml":
        return None
    try:
        text = file_path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return ScenarioFile.from_parent(parent, path=file_path) if _SCENARIO_TABLE.search(text) else None


def head_comment(text: str) -> list[str]:
    """The lines of the comment a file opens with, without their signs and without the licence line."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.lstrip("#").strip()
        if not words.startswith("SPDX-"):
            lines.append(words)
    return lines


def question(text: str) -> str:
    """The question a scenario file asks: the first paragraph of its head comment, as far as its question mark."""
    paragraph: list[str] = []
    for line in head_comment(text):
        if not line and paragraph:
            break
        if line:
            paragraph.append(line)
    whole = " ".join(paragraph)
    return whole[: whole.index("?") + 1] if "?" in whole else whole


class ScenarioFile(pytest.File):
    """One scenario file; one item for each seed."""

    def collect(self) -> Iterable[pytest.Item]:
        for seed in _seeds(self.config):
            name = self.path.stem if seed is None else f"{self.path.stem}[seed-{seed}]"
            yield ScenarioItem.from_parent(self, name=name, seed=seed)


class ScenarioItem(pytest.Item):
    """Runs the scenario; passes when its expectations hold, or when it fails exactly as its head says it must."""

    def __init__(self, *, seed: int | None, **arguments: Any) -> None:
        super().__init__(**arguments)
        text = self.path.read_text(encoding="utf-8", errors="replace")
        head = "\n".join(head_comment(text))
        self.seed, self.question = seed, question(text) or "(its head asks no question)"
        must_fail = _MUST_FAIL.search(head)
        self.status = int(must_fail[1]) if must_fail else HELD
        first_bad = _FIRST_BAD.search(head)
        self.first_bad = first_bad[1].strip() if first_bad else None

    def runtest(self) -> None:
        factory = self.config._tmp_path_factory  # type: ignore[attr-defined] # pytest gives items no other way
        lab = _make_lab(self.config, factory.mktemp(_label(self), numbered=True), self.seed)
        self.stash[_lab_key] = lab
        lab.run(self.path, status=self.status)
        output = lab.executions[-1].output
        if self.first_bad and self.first_bad not in output:
            raise AssertionError(f"its first bad event should be {self.first_bad!r}; the report says:\n\n{output}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, AssertionError | LabError):
            return f"{self.question}\n\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, f"{self.name}: {self.question}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, ScenarioItem):
        item.user_properties.append(("mixlab question", item.question))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Each scenario's question and its answer."""
    rows: list[tuple[str, str, str]] = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            asked = dict(report.user_properties).get("mixlab question")
            if asked and report.when == "call":
                rows.append((report.nodeid, outcome, asked))
    if rows:
        terminalreporter.section("scenarios")
        for nodeid, outcome, asked in sorted(rows):
            answer = "passed" if outcome == "passed" else "FAILED"
            terminalreporter.write_line(f"{answer}  {nodeid.split('::')[-1]}: {asked}")
