# SPDX-License-Identifier: Apache-2.0
"""What takes a long time, or other machines: in the lab, where time costs nothing and every host has its address."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from mixlab import Run
from mixlab.lab import Lab

HERE = Path(__file__).parent


def counted(run: Run, node: str) -> Counter[str]:
    """What a program said at its end that it refused and dropped."""
    lines = run.sql("select line from log join node on node.id = log.node where node.name = ?", node).column()
    found: Counter[str] = Counter()
    for line in lines:
        match = re.search(r"(?:[Rr]efused|Dropped): (\w+ \d+(?:, \w+ \d+)*)$", str(line))
        for reason in match[1].split(", ") if match else ():
            name, number = reason.split(" ")
            found[name] += int(number)
    return found


def test_a_watcher_that_talks_and_never_reads(lab: Lab) -> None:
    """It is let go when a ping could not be written for a whole interval; Beast stops at a second one."""
    run = lab.run(HERE / "deaf_watcher.toml", seed=1)
    assert counted(run, "directory")["slow_reader"] == 1


def test_a_byte_a_second(lab: Lab) -> None:
    """Nobody waits longer than ten seconds for a packet or a request to become whole (and one for the sweep)."""
    run = lab.run(HERE / "a_byte_a_second.toml", seed=1)
    assert counted(run, "directory")["slow_request"] == 3
    assert counted(run, "client-0")["slow_request"] == 2
    assert counted(run, "mix-0")["timed_out"] == 1 and counted(run, "mix-0")["short_packet"] == 1
    assert counted(run, "provider-0")["timed_out"] == 2 and counted(run, "provider-0")["short_packet"] == 1
    assert counted(run, "provider-0")["bad_request"] == 1


def test_forged_presences_for_living_keys(lab: Lab) -> None:
    run = lab.run(HERE / "forged_presences.toml", seed=1)
    assert counted(run, "directory")["claimed"] == 12


def test_an_owner_who_was_silent_gets_his_address_back(lab: Lab) -> None:
    run = lab.run(HERE / "squatted.toml", seed=1)
    assert counted(run, "directory")["claimed"] == 2


def test_one_host_leaves_room_for_others(lab: Lab) -> None:
    run = lab.run(HERE / "crowd.toml", seed=1)
    assert counted(run, "directory")["directory_full"] == 76
