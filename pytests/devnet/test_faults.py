# SPDX-License-Identifier: Apache-2.0
"""What a network survives: killed mixnodes, a killed provider, a directory that is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from mixlab import Devnet, Inconclusive, durations

LONG_S = 150.0  # For what takes the network's own slow clocks: 10 s until presence expires, 30 s of an outage.


def now_ns(net: Devnet) -> int:
    assert net._writer is not None
    return net._writer.now_ns()


def loops_home_made_after(net: Devnet, time_ns: int) -> int:
    with net.run as run:
        return run.loops_home(made_after_ns=time_ns)


def no_layer_is_skipped(net: Devnet) -> None:
    """Layer order, but for what the killed program did not get to write down."""
    with contextlib.suppress(Inconclusive):
        net.run.assert_layer_order()


def test_a_mixnode_killed_and_restarted_carries_again_and_its_presence_expires_between(
    network: Callable[..., Devnet],
) -> None:
    net = network(6, clients=1)
    victim, other = net.mixes[2], net.mixes[3]
    net.wait_until(lambda: loops_home_made_after(net, 0) >= 3, "loops come home before the kill")
    victim.kill()
    net.wait_until(lambda: net.topology().mix_at(victim.address) is None, "the presence expires", LONG_S)
    assert net.topology().mix_at(other.address), "and no other's"
    gone = now_ns(net)
    net.wait_until(lambda: loops_home_made_after(net, gone) >= 3, "loops come home through the other mix", LONG_S)
    victim.restart()
    back = now_ns(net)

    def carried() -> int:
        with net.run as run:
            query = (
                "select count(*) from hop join node on node.id = hop.from_node join packet on packet.id = hop.packet"
                " where node.address = ? and hop.sent_ns > ? and packet.returned_ns is not null and class = 'loop'"
            )
            return int(run.sql(query, victim.address, back).scalar())

    net.wait_until(lambda: carried() >= 3, "loops come home through the restarted mixnode", LONG_S)
    net.stop()
    no_layer_is_skipped(net)


def test_after_a_kill_what_was_held_is_in_flight_and_conservation_inconclusive(network: Callable[..., Devnet]) -> None:
    slow = ["--mean-delay", "2 s", "--loop-rate", "20 / s", "--poll-interval", "100 ms"]
    net = network(3, clients=1, options={"client": slow})

    def held_by_victim() -> bool:
        """More packets were sent to the victim than it has told the fate of: it holds some."""
        with net.run as run:
            query = "select count(*) from hop where to_layer = 2 and received_ns is null"
            return int(run.sql(query).scalar()) >= 20

    net.wait_until(held_by_victim, "the mixnode of layer 2 holds packets")
    net.mixes[1].kill()
    net.stop()
    with pytest.raises(Inconclusive, match="in flight after something was killed"):
        net.run.assert_conservation(settle="0 s")
    no_layer_is_skipped(net)


def test_a_provider_killed_with_mail_in_its_boxes_loses_none(network: Callable[..., Devnet]) -> None:
    net = network(3, clients=2)
    alice, bob = net.clients
    with bob.connect() as socket:
        address = socket.own_address()
    assert bob.stop() == 0
    sent = [f"letter {i}" for i in range(8)]
    with alice.connect() as socket:
        for text in sent:
            socket.send(text, address)

    def stored() -> int:
        with net.run as run:
            return int(run.sql("select count(*) from packet where class = 'real' and stored_ns is not null").scalar())

    net.wait_until(lambda: stored() == len(sent), "the letters are in the box")
    net.provider.kill()
    net.provider.restart()
    bob.restart()
    got: list[str] = []
    with bob.connect() as socket:
        net.wait_until(lambda: got.extend(socket.fetch()) or set(got) >= set(sent), "every letter arrives", LONG_S)
    assert set(got) == set(sent)


def test_a_provider_killed_while_mail_comes_and_goes_loses_none_it_had_taken(network: Callable[..., Devnet]) -> None:
    brisk = ["--send-rate", "20 / s", "--poll-interval", "50 ms", "--mean-delay", "20 ms", "--loop-rate", "0"]
    net = network(3, clients=2, options={"client": brisk})
    alice, bob = (client.connect() for client in net.clients)
    letters = [f"letter {i}" for i in range(60)]
    for text in letters:
        alice.send(text, bob.own_address())

    def taken() -> list[str]:
        """Letters that the provider has said it stored. A client sends in the order in which it was asked."""
        with net.run as run:
            query = "select stored_ns is not null from packet where class = 'real' order by created_ns, id"
            return [letter for letter, stored in zip(letters, run.sql(query).column(), strict=False) if stored]

    got: list[str] = []
    net.wait_until(lambda: got.extend(bob.fetch()) or len(got) >= 5, "some letters are fetched")
    net.provider.kill()
    net.provider.restart()
    net.wait_until(lambda: letters[-1] in taken(), "the last letter is stored", LONG_S)
    net.wait_until(
        lambda: got.extend(bob.fetch()) or set(got) >= set(taken()), "all that was stored is fetched", LONG_S
    )
    assert set(got) <= set(letters)


def test_the_directory_gone_for_30_s_stops_nothing(network: Callable[..., Devnet]) -> None:
    net = network(3, clients=2)
    directory = net.directory
    assert directory is not None
    net.wait_until(lambda: loops_home_made_after(net, 0) >= 3, "loops come home before the outage")
    directory.kill()
    outage = now_ns(net)
    late = outage + durations.nanoseconds("30 s")
    net.wait_until(lambda: loops_home_made_after(net, late) >= 5, "loops made 30 s into the outage come home", LONG_S)
    alice, bob = (client.connect() for client in net.clients)
    alice.send("without a directory", bob.own_address())
    net.wait_until(lambda: bob.fetch() == ["without a directory"], "a message arrives")
    directory.restart()
    net.wait_ready()
    back = now_ns(net)
    net.wait_until(lambda: loops_home_made_after(net, back) >= 3, "loops come home after the outage")
    assert set(net.stop().values()) == {0}
    run = net.run
    run.assert_layer_order()
    # Loops made during the outage were not lost either: all, but for those on their way at the end.
    lost = run.sql(
        "select count(*) from packet where class = 'loop' and created_ns between ? and ? and returned_ns is null",
        outage,
        back,
    )
    assert lost.scalar() == 0
