# SPDX-License-Identifier: Apache-2.0
"""Each scenario's question can be answered with no, and the README's first scenario runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mixlab.lab import FAILED, Lab

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))
WORSE = re.compile(r"^# worse: ([^=]+)=(.+)$", re.MULTILINE)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_fails_when_what_it_asks_about_is_made_worse(lab: Lab, path: Path) -> None:
    worse = WORSE.search(path.read_text(encoding="utf-8"))
    assert worse, f"{path.name} does not say what is worse (a line '# worse: KEY=VALUE')"
    lab.run(path, settings={worse[1]: worse[2]}, status=FAILED)


def test_the_first_scenario_of_the_readme_runs_as_printed(lab: Lab) -> None:
    text = (ROOT / "scenarios" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example, "scenarios/README.md shows no scenario"
    run = lab.run(lab.scenario(example[1], "far_provider"))
    assert run.sql("select count(*) from hop").scalar() > 100
