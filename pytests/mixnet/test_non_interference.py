# SPDX-License-Identifier: Apache-2.0
"""S8: what a user does changes nothing that a client puts on the wire. Exact, from pairs of runs of one seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixlab import Run, Violated
from mixlab.lab import Lab
from networks import fault, network, program, saved, traffic

USERS = {
    "idle": (),
    "steady": (traffic(1, ("6 s", "22 s")),),
    "bursting": (traffic(60, ("8 s", "9 s")), traffic(200, ("15 s", "16 s"))),
    # 1.07 MB in two seconds: more than a client queues, so it is told to wait.
    "one_megabyte": (traffic(550, ("7 s", "9 s"), size=975),),
    "peer_is_gone": (traffic(5, ("6 s", "22 s")), fault("7 s", "crash", "client[1]")),
}
WORLDS = {
    "quiet": (),
    "provider_down": (fault("10 s", "crash", "provider", "6 s"),),
    "others_join": (
        program("late", "late.init", ["nym-client", "init", "--id", "late"], start="9 s"),
        program(
            "late", "late",
            ["nym-client", "websocket", "--id", "late", "--directory", "http://10.0.0.1:8080", "--record", "{record}"],
            after="late.init",
        ),
    ),
}  # fmt: skip
SEED = 11


def run(lab: Lab, folder: Path, user: str, world: str = "quiet", promise: str | None = None) -> Run:
    instead = {"client-0": ["mutant-client", "--break", promise, "websocket"]} if promise else {}
    text = network(f"{user}-{world}", *USERS[user], *WORLDS[world], instead=instead)
    return lab.once(saved(folder, text), SEED)


@pytest.mark.parametrize("user", [user for user in USERS if user != "idle"])
def test_nobody_on_the_wire_can_tell_what_the_user_does(lab: Lab, tmp_path: Path, user: str) -> None:
    idle, busy = run(lab, tmp_path, "idle"), run(lab, tmp_path, user)
    idle.assert_same_sending(busy, "client-0")
    # There was something to tell: real packets in one run, none in the other.
    real = "select count(*) from made where class = 'real'"
    assert idle.sql(real).scalar() == 0
    assert busy.sql(real).scalar() >= 15
    assert len(idle.sending("client-0").packets) > 250
    assert len(idle.sending("client-0").requests) > 40
    assert len(idle.sending("client-0").connections) > 40


def test_a_user_who_writes_too_much_is_told_and_nobody_else(lab: Lab, tmp_path: Path) -> None:
    busy = run(lab, tmp_path, "one_megabyte")
    refused = busy.sql("select count(*) from log where line like 'refused client-0>%wait to be sent%'").scalar()
    assert refused > 0
    accepted = busy.sql("select count(*) from log where line like 'sent client-0>%'").scalar()
    assert refused + accepted == 1099


@pytest.mark.parametrize("world", ["provider_down", "others_join"])
@pytest.mark.parametrize("user", ["steady", "one_megabyte"])
def test_nor_while_the_world_changes(lab: Lab, tmp_path: Path, user: str, world: str) -> None:
    run(lab, tmp_path, "idle", world).assert_same_sending(run(lab, tmp_path, user, world), "client-0")


@pytest.mark.parametrize("world", ["provider_down", "others_join"])
def test_packets_to_layer_1_do_not_even_change_with_the_world(lab: Lab, tmp_path: Path, world: str) -> None:
    quiet, changed = run(lab, tmp_path, "idle"), run(lab, tmp_path, "idle", world)
    assert changed.sending("client-0").packets == quiet.sending("client-0").packets


def test_another_seed_is_another_sequence(lab: Lab, tmp_path: Path) -> None:
    text = network("idle-quiet")
    one, other = lab.once(saved(tmp_path, text), SEED), lab.once(saved(tmp_path, text), SEED + 1)
    assert one.sending("client-0").packets != other.sending("client-0").packets
    with pytest.raises(ValueError, match="cannot be compared"):
        one.assert_same_sending(other, "client-0")


@pytest.mark.parametrize(
    ("promise", "user", "difference"),
    [
        ("other_routes", "bursting", "packets to layer 1"),
        ("eager", "steady", "packets to layer 1"),
        ("repeats", "steady", "packets to layer 1"),
        ("hesitates", "steady", "packets to layer 1"),
        ("own_connections", "steady", "packets to layer 1"),
    ],
)
def test_a_client_that_lets_its_user_show_is_caught(
    lab: Lab, tmp_path: Path, promise: str, user: str, difference: str
) -> None:
    idle, busy = run(lab, tmp_path, "idle", promise=promise), run(lab, tmp_path, user, promise=promise)
    with pytest.raises(Violated, match=difference):
        idle.assert_same_sending(busy, "client-0")


def test_a_client_that_asks_its_provider_when_its_user_asks_is_caught(lab: Lab, tmp_path: Path) -> None:
    """client-1 has a user who looks for mail, once client-0 writes to it."""
    instead = {"client-1": ["mutant-client", "--break", "pulls_on_fetch", "websocket"]}
    idle = lab.run(saved(tmp_path, network("nobody-fetches", instead=instead)), SEED)
    busy = lab.run(saved(tmp_path, network("somebody-fetches", *USERS["steady"], instead=instead)), SEED)
    with pytest.raises(Violated, match="requests to the provider"):
        idle.assert_same_sending(busy, "client-1")
    run(lab, tmp_path, "idle").assert_same_sending(run(lab, tmp_path, "steady"), "client-1")


def test_the_mutant_that_breaks_nothing_is_the_client(lab: Lab, tmp_path: Path) -> None:
    """What the mutants differ in is their one exchanged function, and not how they were linked."""
    honest, mutant = run(lab, tmp_path, "steady"), run(lab, tmp_path, "steady", promise="none")
    honest.assert_same_sending(mutant, "client-0")
