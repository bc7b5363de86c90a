# SPDX-License-Identifier: Apache-2.0
"""The maps in the READMEs have the floors that the build has: two lists, kept in step."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOOR = re.compile(r"^ *floor\((src|harness)/(\w+) LEVEL (\d+)", re.MULTILINE)


def built(where: str) -> dict[str, int]:
    text = (ROOT / where / "CMakeLists.txt").read_text(encoding="utf-8")
    return {folder: int(level) for top, folder, level in FLOOR.findall(text) if top == where}


def test_the_labs_map_is_the_build() -> None:
    text = (ROOT / "harness" / "README.md").read_text(encoding="utf-8")
    rows = {folder: int(level) for level, folder in re.findall(r"^\| (\d+) \| `(\w+)/` \|", text, re.MULTILINE)}
    assert rows.pop("shim") == rows["kernel"]  # a shared library of its own, made of both
    assert rows == built("harness")
    assert list(rows.values()) == sorted(rows.values())


def test_the_front_pages_map_is_the_build() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown: dict[str, int] = {}
    level = -1
    for line in text.split("\nsrc/ ", 1)[1].split("\nharness/", 1)[0].splitlines()[1:]:
        number = re.match(r" (\d) ", line)
        level = int(number[1]) if number else level
        names = re.match(r"(?: \d)? +((?:[a-z]+ +)+)", line)
        assert names, line
        for name in names[1].split("   ")[0].split():
            shown[name] = level
    assert shown == built("src")
