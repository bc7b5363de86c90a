# SPDX-License-Identifier: Apache-2.0
"""Running the `mixlab` program on a scenario and opening what it recorded.

The exit status is the program's own: 0 all expectations hold, 1 one failed, 2 usage or scenario error, 3 the lab
could not do its job, 4 inconclusive.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .run import Inconclusive, Run, Violated, said_in_full

__tracebackhide__ = said_in_full

HELD, FAILED, USAGE, BROKEN, INCONCLUSIVE = range(5)
_MEANING = {
    HELD: "all expectations hold",
    FAILED: "an expectation failed, or two runs differ",
    USAGE: "usage or scenario error",
    BROKEN: "the lab could not do its job",
    INCONCLUSIVE: "inconclusive",
}


class LabError(RuntimeError):
    """The lab did not run the scenario: it is missing, the scenario is wrong, or it failed itself."""


@dataclass
class Execution:
    """One call of `mixlab run`."""

    command: list[str]
    scenario: Path
    seed: int | None
    recording: Path
    status: int = BROKEN
    output: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def again(self) -> str:
        """The command that runs the same again, recording to the place of its own choice."""
        words = list(self.command)
        at = words.index("--out")
        return shlex.join(words[:at] + words[at + 2 :])

    def replay(self, where: Path | None = None) -> str:
        """The command that replays the recording."""
        return shlex.join([self.command[0], "replay", str(where or self.recording)])

    def meaning(self) -> str:
        return f"exit status {self.status}: {_MEANING.get(self.status, 'ended by a signal or a crash')}"


class Shared:
    """Executions that several tests look at: `Lab.once`. One of these lives as long as the session."""

    def __init__(self) -> None:
        self.done: dict[object, tuple[Execution, Exception | None]] = {}


class Lab:
    """Runs scenarios; what `lab.run` in a test calls. Recordings go to `folder`, one file an execution."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int | None = None,
        check: bool = False,
        program: str | os.PathLike[str] | None = None,
        roots: tuple[Path, ...] = (),
        shared: Shared | None = None,
    ) -> None:
        self.folder, self.seed, self.check = folder, seed, check
        self._program, self._roots = program, roots
        self._shared = shared or Shared()
        self.executions: list[Execution] = []
        self.pinned: list[int] = []
        """Seeds that a test insisted on although the command line named another."""

    def scenario(self, text: str, name: str = "scenario") -> Path:
        """Writes a scenario given as text; its path."""
        path = self.folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def run(
        self,
        scenario: str | os.PathLike[str],
        seed: int | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        check: bool | None = None,
        status: int = HELD,
        timeout_s: float = 900,
    ) -> Run:
        """Runs `scenario` and returns its recording.

        `seed` pins the seed; without it the command line's, else the scenario's own. `settings` become --set.
        `check` runs it twice and compares (default: as --mixlab-check). `status` is the exit status to expect:
        another one raises Violated (1), Inconclusive (4) or LabError.
        """
        if seed is not None and self.seed is not None and seed != self.seed:
            self.pinned.append(seed)
        execution = self._plan(Path(scenario), self.seed if seed is None else seed, settings or {})
        if self.check if check is None else check:
            execution.command.append("--check")
        self.executions.append(execution)
        try:
            done = subprocess.run(
                execution.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise LabError(
                f"no end after {timeout_s:g} s: {shlex.join(execution.command)}\n{late.output or ''}"
            ) from None
        execution.status, execution.output = done.returncode, done.stdout
        self._judge(execution, status)
        return Run(execution.recording)

    def once(
        self,
        scenario: str | os.PathLike[str],
        seed: int | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        status: int = HELD,
    ) -> Run:
        """As `run`, but tests that ask for the same text, seed, settings and status share one run."""
        text = self._find(Path(scenario)).read_text(encoding="utf-8")
        known = {key: str(value) for key, value in (settings or {}).items()}
        key = (text, self.seed if seed is None else seed, *sorted(known.items()), status)
        if key not in self._shared.done:
            failure: Exception | None = None
            try:
                self.run(scenario, seed, settings=settings, status=status)
            except (AssertionError, LabError) as error:
                failure = error
            if not self.executions:  # nothing was begun
                raise failure or LabError(f"{scenario} was not run")
            self._shared.done[key] = (self.executions.pop(), failure)
        execution, failure = self._shared.done[key]
        self.executions.append(execution)
        if failure is not None:
            raise failure
        return Run(execution.recording)

    def _plan(self, scenario: Path, seed: int | None, settings: Mapping[str, object]) -> Execution:
        try:
            program = programs.find("mixlab", self._program, self._roots[0] if self._roots else None)
        except programs.ProgramMissing as missing:
            raise LabError(f"{missing} (or name it with --mixlab-bin)") from None
        found = self._find(scenario)
        recording = self.folder / f"{found.stem}-{len(self.executions) + 1}.sqlite"
        command = [str(program), "run", str(found), "--out", str(recording)]
        if seed is not None:
            command += ["--seed", str(seed)]
        words = {key: str(value) for key, value in settings.items()}
        for key, value in words.items():
            command += ["--set", f"{key}={value}"]
        return Execution(command, found, seed, recording, settings=words)

    def _find(self, scenario: Path) -> Path:
        for root in (Path.cwd(), *self._roots):
            if (root / scenario).is_file():
                return root / scenario
        raise LabError(f"no scenario {scenario} below {', '.join(map(str, dict.fromkeys((Path.cwd(), *self._roots))))}")

    @staticmethod
    def _judge(execution: Execution, expected: int) -> None:
        status = execution.status
        if status == expected and (execution.recording.exists() or status in (USAGE, BROKEN)):
            return
        report = f"{execution.scenario.name}: {execution.meaning()}"
        if expected != HELD:
            report += f"; expected {expected}"
        if status == expected:
            report += f", but there is no recording at {execution.recording}"
        report += "\n\n" + execution.output.rstrip()
        if status in (HELD, FAILED):
            raise Violated(report)
        if status == INCONCLUSIVE:
            raise Inconclusive(report)
        raise LabError(report)

    def keep(self, results: Path, label: str) -> list[tuple[Execution, Path | None]]:
        """Keeps the recordings in `results`, too, under names that are free; (execution, new place or None)."""
        kept: list[tuple[Execution, Path | None]] = []
        for execution in self.executions:
            place = None
            if execution.recording.exists():
                results.mkdir(parents=True, exist_ok=True)
                place = _free_name(results, f"{label}-{execution.scenario.stem}-{_seed(execution.seed)}")
                _put(execution.recording, place)
            kept.append((execution, place))
        return kept


def _seed(seed: int | None) -> str:
    return "own-seed" if seed is None else f"seed-{seed}"


def _put(recording: Path, place: Path) -> None:
    """A second name where the file system allows it: what was said about the first one stays true."""
    try:
        os.link(recording, place)
    except OSError:
        shutil.copyfile(recording, place)


def _free_name(folder: Path, stem: str) -> Path:
    number = 1
    while True:
        path = folder / (f"{stem}.sqlite" if number == 1 else f"{stem}-{number}.sqlite")
        if not path.exists():
            return path
        number += 1
