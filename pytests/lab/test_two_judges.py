# SPDX-License-Identifier: Apache-2.0
"""The lab judges in C++, `Run` in Python, both from one recording: they must agree about who kept what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixlab import Run, Violated
from mixlab.lab import FAILED, Lab


def test_both_find_nothing_wrong_with_an_honest_network(lab: Lab) -> None:
    run = lab.run("scenarios/loop_1x3.toml", seed=7)
    run.assert_layer_order()
    run.assert_loops_delivered(ratio=1.0, within="3 s")
    run.assert_conservation()
    run.assert_no_drops(besides=["next_hop_unknown"])  # While the network comes together, as the scenario allows.
    assert run.clock == "virtual"
    assert run.seed == 7
    assert run.sql("select distinct verdict from expectation").column() == ["pass"]
    assert set(run.hops_by_layer()) == {(0, 1), (1, 2), (2, 3), (3, 4)}


def test_both_see_each_message_arrive_once(lab: Lab) -> None:
    run = lab.run("scenarios/two_clients_talk.toml", seed=1)
    run.assert_real_delivered(ratio=1.0, within="10 s", exactly_once=True)
    run.assert_conservation()


def test_both_account_for_every_packet_of_a_mix_that_died(lab: Lab) -> None:
    run = lab.run("scenarios/mix_crash.toml", seed=1)
    run.assert_layer_order()
    run.assert_conservation()
    assert run.drops()["peer_unreachable"] > 0


@pytest.mark.parametrize(
    ("scenario", "judge"),
    [
        ("skipper", Run.assert_layer_order),
        ("silent_drop", Run.assert_conservation),
        ("forgotten_row", Run.assert_conservation),
        ("false_row", Run.assert_conservation),
        ("duplicate", Run.assert_no_drops),
        ("goes_back", Run.assert_no_drops),
    ],
)
def test_both_find_what_must_be_found(lab: Lab, scenario: str, judge: Callable[[Run], None]) -> None:
    run = lab.run(f"scenarios/must_fail/{scenario}.toml", status=FAILED)
    with pytest.raises(Violated):
        judge(run)
