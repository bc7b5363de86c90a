# SPDX-License-Identifier: Apache-2.0
"""Running the lab in surroundings that must not matter: what the tests of its honesty share."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCENARIO = """
[scenario]
name = "honesty"
about = "Is a run the same run wherever and however it is run?"
duration = "8 s"
seed = 7

[mixnet]
layers = 3
width = 1
clients = 2

[link.default]
latency = "20 ms"

[[expect]]
that = "layer-order"
mode = "always"

[[expect]]
that = "conservation"
"""
NOBODY = 65534
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """What one call of `mixlab run` said."""

    status: int
    chain: str
    memory: str
    recording: Path
    output: str


@dataclass(frozen=True)
class Surroundings:
    """Everything around a run that has no business in it."""

    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    descriptors: int = 0
    stack_unlimited: bool = False
    data_bytes: int = 0
    umask: int = -1

    @contextlib.contextmanager
    def popen(self) -> Iterator[dict[str, object]]:
        """Arguments for subprocess."""
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(self.descriptors)]

        def limits() -> None:
            if self.stack_unlimited:
                resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if self.data_bytes:
                resource.setrlimit(resource.RLIMIT_DATA, (self.data_bytes, resource.getrlimit(resource.RLIMIT_DATA)[1]))

        arguments: dict[str, object] = {
            "cwd": self.cwd,
            "env": {**os.environ, **self.environment},
            "pass_fds": tuple(opened),
            "umask": self.umask,
            "preexec_fn": limits if self.stack_unlimited or self.data_bytes else None,
        }
        if self.user is not None:
            arguments |= {"user": self.user, "group": self.user, "extra_groups": []}
        try:
            yield arguments
        finally:
            for descriptor in opened:
                os.close(descriptor)


HERE = Surroundings()


class Bench:
    """A folder of programs, a scenario, and as many runs of it as a test wants."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.bin, self.folder = bin_folder, folder
        self.scenario = folder / "honesty.toml"
        self.scenario.write_text(SCENARIO, encoding="utf-8")

    def run(
        self, *words: str, seed: int = 42, surroundings: Surroundings = HERE, folder: Path | None = None
    ) -> Outcome:
        recording = (folder or self.folder) / f"run-{next(_numbers)}.sqlite"
        command = [self.bin / "mixlab", "run", self.scenario, "--seed", str(seed), "--out", recording]
        command += ["--json", "--memory", *words]
        done = _run(command, surroundings)
        try:
            said = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}") from None
        return Outcome(done.returncode, said["chain"], said["memory"], recording, done.stdout)

    def copied_to(self, folder: Path, others: Path | None = None) -> Bench:
        """The same with copies of the programs in another folder; mixnet programs from `others` if given."""
        folder.mkdir(parents=True)
        for program in self.bin.iterdir():
            if program.is_file():
                source = others / program.name if others and program.name.startswith("nym-") else program
                shutil.copy2(source, folder)
        return Bench(folder, self.folder)


@dataclass(frozen=True)
class Tried:
    """What `lab-try --memory` said of one program."""

    text: str
    chain: str
    memory: tuple[str, ...]


def attempt(bin_folder: Path, program: Sequence[str | Path], *words: str, surroundings: Surroundings = HERE) -> Tried:
    """Runs one program in a plain lab."""
    done = _run([bin_folder / "lab-try", "--memory", *words, "1", *program], surroundings)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"^---- .*?\n(.*?)^== activations", done.stdout, re.M | re.S)
    chain = re.search(r"^chain (\w+)", done.stdout, re.M)
    assert said and chain, done.stdout
    return Tried(said[1], chain[1], tuple(re.findall(r"^memory (.*)", done.stdout, re.M)))


def _run(command: Sequence[str | Path], surroundings: Surroundings) -> subprocess.CompletedProcess[str]:
    with surroundings.popen() as arguments:
        return subprocess.run(  # type: ignore[call-overload]
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **arguments,
        )


@contextlib.contextmanager
def busy_machine(hogs: int = 3) -> Iterator[None]:
    """Keeps every CPU busy with programs of our own."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()
