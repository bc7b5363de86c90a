# SPDX-License-Identifier: Apache-2.0
"""S6: delays are exponential, alike for every class of packet, and kept to the nanosecond."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mixlab import Violated
from mixlab.lab import Lab
from mixlab.stats import Judged
from networks import BUSY, network, saved, traffic


def test_delays_asked_and_kept_follow_one_law(lab: Lab, tmp_path: Path, report: Callable[[list[Judged]], None]) -> None:
    run = lab.once(saved(tmp_path, BUSY), seed=1)
    judged = run.assert_delay_law("100 ms")
    report(judged)
    fits = [one for one in judged if one.what.startswith("delays of") and " and " not in one.what]
    assert sorted(one.what for one in fits) == [
        f"delays of {kind} in layer {layer}" for kind in ("cover", "loop", "real") for layer in (1, 2, 3)
    ]
    assert min(one.n for one in fits) >= 11_000
    assert max(one.error for one in fits) < 0.0507  # a mean that is 5 % off
    apart = [one for one in judged if one.of == "means apart by a share"]
    assert len(apart) == 9
    assert max(one.error for one in apart) < 0.073
    related = [one for one in judged if one.of == "a correlation"]
    assert {"delay in layer 1 and in layer 2", "delay in layer 2 and next hop"} <= {one.what for one in related}
    assert max(one.error for one in related) < 0.02


@pytest.mark.parametrize(
    ("promise", "complaint"),
    [
        ("loop_mean", "delays of cover and loop in layer 1"),
        ("cut_delays", "delays of cover in layer 1"),
        ("even_delays", "delays of loop in layer 1"),
    ],
)
def test_a_client_that_asks_by_another_law_is_caught(lab: Lab, tmp_path: Path, promise: str, complaint: str) -> None:
    instead = {"client-0": ["mutant-client", "--break", promise, "websocket"]}
    run = lab.run(saved(tmp_path, network(promise, clients=1, loop_rate=50, send_rate=50, instead=instead)), seed=1)
    with pytest.raises(Violated, match=complaint):
        run.assert_delay_law("100 ms")


def test_a_user_whose_messages_wait_longer_is_told_apart_by_a_few_packets(lab: Lab, tmp_path: Path) -> None:
    """The defect of 0.4: loops ask for another mean than real packets."""
    instead = {"client-0": ["mutant-client", "--break", "loop_mean", "websocket"]}
    parts = traffic(30, ("5 s", "20 s"))
    text = network("loop_mean_talks", parts, loop_rate=30, send_rate=30, instead=instead)
    run = lab.run(saved(tmp_path, text), seed=1)
    with pytest.raises(Violated, match="delays of loop and real"):
        run.assert_delay_law("100 ms")


@pytest.mark.parametrize("promise", ["early", "no_hold", "coarse_timer"])
def test_a_mix_that_keeps_other_delays_is_caught(lab: Lab, tmp_path: Path, promise: str) -> None:
    instead = {"mix-2": ["mutant-mixnode", "run", "--break", promise]}
    run = lab.run(saved(tmp_path, network(promise, clients=1, loop_rate=20, send_rate=20, instead=instead)), seed=1)
    with pytest.raises(Violated, match=r"held delays: mix-2"):
        run.assert_delay_law("100 ms")
    run.assert_delay_law("100 ms", hold=False)  # What was asked is lawful.


def test_the_mutant_mix_that_breaks_nothing_is_not_blamed(lab: Lab, tmp_path: Path) -> None:
    instead = {"mix-2": ["mutant-mixnode", "run", "--break", "none"]}
    run = lab.run(saved(tmp_path, network("none", clients=1, loop_rate=20, send_rate=20, instead=instead)), seed=1)
    run.assert_delay_law("100 ms")
