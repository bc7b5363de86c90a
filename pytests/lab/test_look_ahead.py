# SPDX-License-Identifier: Apache-2.0
"""Several instants in one chain of hand-overs change nothing that can be seen, on any kind of link."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labkit import Bench

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_looking_ahead_changes_neither_chain_nor_memory(bin_folder: Path, tmp_path: Path, scenario: Path) -> None:
    bench = Bench(bin_folder, tmp_path)
    bench.scenario = Path(shutil.copy(scenario, tmp_path / "same.toml"))
    short = ("--set", 'scenario.duration="30 s"') if scenario.stem == "hundred_mixes" else ()
    ahead, one_by_one = bench.run(*short), bench.run("--no-look-ahead", *short)
    assert (ahead.chain, ahead.memory) == (one_by_one.chain, one_by_one.memory)
