# SPDX-License-Identifier: Apache-2.0
"""Programs that break one promise on purpose, caught by the assertions of `Run` in a real network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from mixlab import Devnet, Run, Violated, programs
from netkit import CHECKOUT

MUTANTS = CHECKOUT / "build" / "mutants"


def mutant_mix(promise: str) -> list[str]:
    return [str(programs.find("mutant-mixnode", MUTANTS)), "run", "--break", promise]


def send(net: Devnet, *words: str) -> list[dict[str, Any]]:
    """Runs mutant-sender, which writes into the recording; what it says it sent."""
    argv = [str(programs.find("mutant-sender", MUTANTS)), "--directory", net.directory_url, "--record", str(net.record)]
    done = subprocess.run([*argv, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def settled(net: Devnet, query: str, count: int) -> None:
    def enough() -> bool:
        with net.run as run:
            return int(run.sql(query).scalar()) >= count

    net.wait_until(enough, f"{count} x {query}")


def test_a_program_that_skips_layer_1_is_on_record_as_a_hop_from_0_to_2(network: Callable[..., Devnet]) -> None:
    net = network(3)
    send(net, "--hop", "mix:2", "--hop", "mix:3", "--hop", "provider", "--delay", "1 ms", "--name", "skipper")
    settled(net, "select count(*) from handled", 3)
    net.stop()
    assert net.run.hops_by_layer() == {(0, 2): 1, (2, 3): 1, (3, 4): 1}
    with pytest.raises(Violated, match="skipper"):
        net.run.assert_layer_order()


@pytest.mark.parametrize("promise", ["none", "layer_order"])
def test_a_mix_that_sends_where_the_header_says_is_caught_when_a_packet_asks_for_it(
    network: Callable[..., Devnet], promise: str
) -> None:
    net = network(3, instead={"mix-0": mutant_mix(promise)})
    send(net, "--hop", "mix:1", "--hop", "mix:3", "--hop", "provider", "--delay", "1 ms")
    settled(net, "select count(*) from handled where verdict <> 'forward'", 1)
    net.stop()
    if promise == "none":
        net.run.assert_layer_order()
        assert net.run.drops() == {"next_hop_not_next_layer": 1}
    else:
        assert net.run.hops_by_layer()[1, 3] == 1
        with pytest.raises(Violated, match="layer order"):
            net.run.assert_layer_order()


@pytest.mark.parametrize(("promise", "copies"), [("none", 1), ("replay", 2)])
def test_a_mix_without_a_memory_takes_a_packet_twice_and_the_next_one_does_not(
    network: Callable[..., Devnet], promise: str, copies: int
) -> None:
    net = network(3, instead={"mix-0": mutant_mix(promise)})
    route = ["--hop", "mix:1", "--hop", "mix:2", "--hop", "mix:3", "--hop", "provider"]
    assert len(send(net, *route, "--delay", "1 ms", "--resend", "1")) == 2
    settled(net, "select count(*) from handled where verdict = 'drop'", 2)
    net.stop()
    taken = net.run.sql("select count(*) from hop where to_layer = 1 and verdict = 'forward'").scalar()
    assert taken == copies
    assert net.run.drops() == {"replay": 1, "unknown_recipient": 1}


@pytest.mark.parametrize(
    ("promise", "judge", "complaint"),
    [
        ("silent_drop", Run.assert_conservation, "in_flight"),
        ("forgotten_row", Run.assert_layer_order, "unknown"),
        ("false_row", Run.assert_conservation, "in_flight"),
        ("duplicate", Run.assert_no_drops, "replay"),
    ],
)
def test_a_mix_that_loses_or_lies_is_caught_by_the_account(
    network: Callable[..., Devnet], promise: str, judge: Callable[..., None], complaint: str
) -> None:
    brisk = {"client": ["--poll-interval", "50 ms", "--mean-delay", "20 ms", "--loop-rate", "20 / s"]}
    net = network(3, clients=1, instead={"mix-1": mutant_mix(promise)}, options=brisk)
    settled(net, "select count(*) from made", 60)
    after = net.run.sql("select max(created_ns) from made").scalar()
    settled(net, f"select count(*) from made where created_ns > {after} + 3000000000", 1)
    net.stop()
    run = net.run
    with pytest.raises(Violated, match=complaint):
        judge(run, **({"settle": "3 s"} if judge is Run.assert_conservation else {}))


def test_a_mutant_that_breaks_nothing_is_not_blamed(network: Callable[..., Devnet]) -> None:
    net = network(3, clients=1, instead={"mix-1": mutant_mix("none")})
    settled(net, "select count(*) from made", 40)
    net.stop()
    net.run.assert_layer_order()
    net.run.assert_no_drops()
