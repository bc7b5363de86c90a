# SPDX-License-Identifier: Apache-2.0
"""The README's table "What was tried" and these tests name each other."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def rows() -> list[list[str]]:
    """The cells of each row of the table under its heading."""
    text = README.read_text(encoding="utf-8")
    section = text[text.index("### What was tried") :]
    table = re.search(r"^\|.*?(?=^[^|]|\Z)", section, re.MULTILINE | re.DOTALL)
    assert table, "no table under 'What was tried'"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def written() -> set[str]:
    files = [file for file in HERE.glob("test_*.py") if file.name != "test_table.py"]
    return {name for file in files for name in TEST.findall(file.read_text(encoding="utf-8"))}


def named(cell: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", cell))


def test_each_row_names_a_test_that_exists() -> None:
    found = rows()
    assert len(found) >= 20
    for attack, happened, test in found:
        assert attack and happened, (attack, happened)
        assert named(test), f"{attack}: names no test"
        assert named(test) <= written(), f"{attack}: {named(test) - written()} are no tests"


def test_each_test_has_a_row() -> None:
    assert written() == {name for *_, cell in rows() for name in named(cell)}
