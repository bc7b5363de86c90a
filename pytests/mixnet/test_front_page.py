# SPDX-License-Identifier: Apache-2.0
"""The front page's first scenario and first test are run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mixlab import programs

ROOT = Path(__file__).resolve().parents[2]


def block(heading: str, language: str) -> str:
    """The first fenced block of a language below a heading of README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    below = text.split(f"## {heading}\n", 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", below, re.DOTALL)
    assert found is not None, f"README.md has no {language} block below '{heading}'"
    return found.group(1)


@pytest.fixture
def commands(tmp_path: Path) -> list[str]:
    """The shell lines below "Write your first scenario", with first.toml saved beside them."""
    (tmp_path / "first.toml").write_text(block("Write your first scenario", "toml"), encoding="utf-8")
    lines = block("Write your first scenario", "sh").splitlines()
    return [line.replace("build/bin/mixlab", str(programs.find("mixlab"))) for line in lines]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_first_scenario_holds_and_fails_when_made_worse(commands: list[str], tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    check, run, worse = commands
    explained = shell(check, tmp_path)
    assert explained.returncode == 0, explained.stdout + explained.stderr
    good = shell(run, tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "second run agreed" in good.stdout
    bad = shell(worse, tmp_path)
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "FAILED" in bad.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_program_of_ones_own_runs_twice_alike_and_is_heard(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(block("Run a program of your own", "toml"), encoding="utf-8")
    run, ask = block("Run a program of your own", "sh").splitlines()
    ran = shell(run.replace("build/bin/mixlab", str(programs.find("mixlab"))), tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "second run agreed" in ran.stdout
    heard = shell(ask, tmp_path)
    assert '"host":"10.1.0.1:1789"' in heard.stdout, heard.stdout + heard.stderr


def test_the_first_test_passes(tmp_path: Path) -> None:
    test = tmp_path / "test_first.py"
    test.write_text(block("Write your first test", "python"), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
