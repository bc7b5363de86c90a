# SPDX-License-Identifier: Apache-2.0
"""The front page's "When a test fails" is followed word for word, and says what its commands say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def section() -> list[tuple[str, str]]:
    """Every fenced block of the section: language, text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return FENCED.findall(text.split("## When a test fails\n", 1)[1].split("\n## ", 1)[0])


def masked(line: str) -> str:
    """A line without what another build or another machine may change: numbers, digests, ends that were cut."""
    line = re.sub(r"\b[0-9a-f]{8,}\b", "#", line.rstrip())
    line = re.sub(r"\d+(\.\d+)?( ms| s| us)?\b", "#", line)
    return re.sub(r"\s+", " ", re.sub(r"(deadline #).*", r"\1", line))


@pytest.fixture(scope="module")
def said(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What all commands of the first block say, in a folder that looks like the checkout."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    (folder / "build").mkdir()
    (folder / "build" / "bin").symlink_to(bin_folder)
    language, commands = section()[0]
    assert language == "sh"
    out = ""
    for command in commands.splitlines():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
        )
        fails = "bad.sqlite" in command and re.search(r"mixlab (run|diff)", command)
        assert done.returncode == (1 if fails else 0), f"{command}\n{done.stdout}"
        out += done.stdout
    return out


def test_the_commands_say_what_is_printed_there(said: str) -> None:
    really = {masked(line) for line in said.splitlines()}
    shown = [text for language, text in section() if language == "text"]
    assert len(shown) >= 5
    for line in "".join(shown).splitlines():
        assert masked(line) in really, f"nothing says: {line}\n{said}"


def test_the_recording_replays_and_its_pack_is_there(said: str) -> None:
    assert re.search(r"^identical: \d+ events, chain \w{64}$", said, re.M)
    assert re.search(r"^packed \d+ files in bad.sqlite.pack$", said, re.M)
