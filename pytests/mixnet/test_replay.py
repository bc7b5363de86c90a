# SPDX-License-Identifier: Apache-2.0
"""A recording alone, moved to another folder, is enough to have its run again; what was changed is named."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from mixlab import programs
from mixlab.lab import Lab

SCENARIO = "scenarios/loop_1x3.toml"


def replay(recording: Path) -> subprocess.CompletedProcess[str]:
    mixlab = str(programs.find("mixlab"))
    return subprocess.run(
        [mixlab, "replay", str(recording)],
        cwd=recording.parent, capture_output=True, text=True, timeout=300, check=False,
    )


@pytest.fixture
def recording(lab: Lab, tmp_path: Path) -> Path:
    run = lab.run(SCENARIO, seed=3)
    moved = tmp_path / "elsewhere" / "moved.sqlite"
    moved.parent.mkdir()
    shutil.copy(run.path, moved)
    return moved


def change(recording: Path, statement: str) -> None:
    with sqlite3.connect(recording) as db:
        db.execute(statement)
    db.close()


def test_a_moved_recording_is_identical(recording: Path) -> None:
    seen = replay(recording)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert seen.stdout.startswith("identical: ")


def test_another_seed_parts_at_its_first_event(recording: Path) -> None:
    change(recording, "update run set seed = 4")
    seen = replay(recording)
    assert seen.returncode == 1, seen.stdout + seen.stderr
    assert "part at event" in seen.stdout


def test_a_changed_event_is_named(recording: Path) -> None:
    change(recording, "update event set detail = detail || ' ' where seq = 700")
    seen = replay(recording)
    assert seen.returncode == 2, seen.stdout + seen.stderr
    assert "event 700" in seen.stderr


@pytest.mark.parametrize(("name", "says"), [("x.sqlite.incomplete", "did not end"), ("x.sqlite", "not a recording")])
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 40)
    seen = replay(path)
    assert seen.returncode == 2, seen.stdout + seen.stderr
    assert says in seen.stderr
