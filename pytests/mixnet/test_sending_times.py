# SPDX-License-Identifier: Apache-2.0
"""S7: a client's packets are two Poisson streams, whatever it sends and whatever stood still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mixlab import Violated
from mixlab.lab import Lab
from mixlab.stats import Judged
from networks import BUSY, BUSY_RATES, fault, network, saved


def test_packets_leave_as_two_poisson_streams(lab: Lab, tmp_path: Path, report: Callable[[list[Judged]], None]) -> None:
    run = lab.once(saved(tmp_path, BUSY), seed=1)
    judged = run.assert_poisson_sending("client-0", *BUSY_RATES)
    report([*judged, run.assert_no_burst("client-0", sum(BUSY_RATES))])
    gaps = [one for one in judged if one.of == "a mean off by a share"]
    assert len(gaps) == 6
    assert min(one.n for one in gaps) >= 11_000
    assert max(one.error for one in gaps) < 0.0507
    assert max(one.error for one in judged if one.of == "a variance off by a share") < 0.34


@pytest.mark.parametrize(
    ("promise", "complaint"),
    [
        ("sleep_after_send", "gaps, loops: n"),
        ("metronome", "counts, real stream"),
        ("bunches", "gaps, both streams: n"),
    ],
)
def test_a_client_that_sends_at_other_times_is_caught(lab: Lab, tmp_path: Path, promise: str, complaint: str) -> None:
    instead = {"client-0": ["mutant-client", "--break", promise, "websocket"]}
    text = network(promise, duration="40 s", clients=1, loop_rate=50, send_rate=50, instead=instead)
    run = lab.run(saved(tmp_path, text), seed=1)
    with pytest.raises(Violated, match=complaint):
        run.assert_poisson_sending("client-0", 50, 50)


def paused(lab: Lab, folder: Path, promise: str) -> object:
    instead = {"client-0": ["mutant-client", "--break", promise, "websocket"]}
    stands_still = fault("10 s", "pause", "client[0]", "3 s")
    text = network(promise, stands_still, clients=1, loop_rate=50, send_rate=50, instead=instead)
    return lab.run(saved(folder, text), seed=1).assert_no_burst("client-0", 100, "500 ms")


def test_what_was_missed_is_not_made_up_for(
    lab: Lab, tmp_path: Path, report: Callable[[list[Judged]], None]
) -> None:
    judged = paused(lab, tmp_path, "none")
    assert isinstance(judged, Judged)
    report([judged])
    # A client may be 100 ms late (traffic/emission.h), so ten packets may come together; three hundred were missed.
    assert judged.error < 100


def test_a_client_that_makes_up_for_what_it_missed_is_caught(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(Violated, match="no bursts of client-0"):
        paused(lab, tmp_path, "catch_up")
