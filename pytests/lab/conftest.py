# SPDX-License-Identifier: Apache-2.0
"""The lab's own programs, and one run that the others are compared with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labkit import Bench, Outcome
from mixlab import programs


@pytest.fixture(scope="session")
def bin_folder(request: pytest.FixtureRequest) -> Path:
    given = request.config.getoption("--mixlab-bin", None)
    try:
        return programs.find("mixlab", given, Path(__file__).parent).parent
    except programs.ProgramMissing as missing:
        pytest.fail(str(missing))


@pytest.fixture(scope="session")
def conformance(bin_folder: Path) -> Path:
    """The folder of the conformance programs, beside build/bin."""
    folder = bin_folder.parent / "conformance"
    if not folder.is_dir() or not os.access(bin_folder / "lab-try", os.X_OK):
        pytest.fail(f"no conformance programs in {folder}; build with scripts/build.sh")
    return folder


@pytest.fixture(scope="session")
def bench(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(bin_folder, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def baseline(bench: Bench) -> Outcome:
    outcome = bench.run()  # its verdict is judged by a test of its own: the oracles do not lean on it
    assert len(outcome.chain) == 64 and outcome.memory, outcome.output
    return outcome
