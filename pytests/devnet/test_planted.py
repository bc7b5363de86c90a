# SPDX-License-Identifier: Apache-2.0
"""Senders that do what they should not, seen in `hop` as what they are, and stopped where a node can tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixlab import Devnet, Inconclusive, Violated, sphinx
from mixlab.planted import Planted, fate


@pytest.fixture(scope="module")
def net(shared_network: Callable[..., Devnet]) -> Devnet:
    """Six mixnodes and no client: every packet is planted. mix-0 and mix-1 are layer 1, and so on."""
    return shared_network(6)


def route(net: Devnet, *indices: int) -> list:
    return [net.provider if index < 0 else net.mixes[index] for index in indices]


# A packet that ends at the provider is refused there for its recipient: nobody registered the planted sender.
ARRIVED = ("drop", "unknown_recipient", 4)


def test_a_packet_along_an_honest_route_arrives(net: Devnet) -> None:
    assert fate(net, Planted(net, "honest").send_along(route(net, 0, 2, 4, -1))) == ARRIVED


@pytest.mark.parametrize(
    ("name", "indices", "dropped_at"),
    [
        ("1 to 3", (0, 4, -1), 1),
        ("2 to 1", (0, 2, 1, 3, -1), 2),
        ("1 to provider", (0, -1), 1),
        ("1 to 1", (0, 1, 3, 5, -1), 1),
        ("1 to itself", (0, 0, 2, 4, -1), 1),
        ("2 to provider", (0, 2, -1), 2),
        ("3 to 1", (0, 2, 4, 1, -1), 3),
        ("3 to 2", (0, 2, 4, 3, -1), 3),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_crafted_route_is_dropped_by_the_node_that_would_leave_the_order(
    net: Devnet, name: str, indices: tuple[int, ...], dropped_at: int
) -> None:
    sender = Planted(net, f"crafted {name}")

    def judged() -> tuple[str, str | None, int | None]:
        return fate(net, sender.send_along(route(net, *indices)))

    # A node that has not heard of the next hop yet says so, and asks the directory for the next time.
    unknown = ("drop", "next_hop_unknown", dropped_at)
    net.wait_until(lambda: judged() != unknown, "the node knows the next hop")
    assert judged() == ("drop", "next_hop_not_next_layer", dropped_at)


def test_a_route_to_nobody_is_dropped_as_unknown(net: Devnet) -> None:
    sender = Planted(net, "crafted to nobody")
    nobody = sphinx.Hop(sphinx.node_address("127.0.0.1:9"), sphinx.public_key(sphinx.new_secret()))
    packet = sphinx.build([sender.hop(net.mixes[0]), nobody], sender.key, b"")
    assert fate(net, sender.send(packet, net.mixes[0])) == ("drop", "next_hop_unknown", 1)


@pytest.mark.parametrize("variant", ["the same bytes", "bit 255 of alpha", "another payload"])
def test_a_resent_packet_is_dropped(net: Devnet, variant: str) -> None:
    sender = Planted(net, f"resends {variant}")
    packet = sender.packet(route(net, 1, 3, 5, -1))
    assert fate(net, sender.send(packet, net.mixes[1])) == ARRIVED
    again = bytearray(packet)
    if variant == "bit 255 of alpha":
        again[31] ^= 0x80
    elif variant == "another payload":
        again[1371] ^= 1
    sender.send(bytes(again), net.mixes[1])
    receipts = 2 if again == packet else 1

    def verdicts() -> list[tuple[str, str | None]]:
        with net.run as run:
            query = "select verdict, reason from handled where digest_in = ? order by received_ns, id"
            return run.sql(query, sphinx.digest(bytes(again))).rows()

    net.wait_until(lambda: len(verdicts()) == receipts, "the fate of the resent packet is recorded")
    assert verdicts()[-1] == ("drop", "replay")


@pytest.mark.parametrize(
    ("part", "offset", "reason", "layer"),
    [("gamma", 40, "mac", 1), ("beta", 200, "mac", 1), ("delta", 900, "payload_integrity", 4)],
)
def test_a_changed_bit_is_noticed_where_it_can_be(net: Devnet, part: str, offset: int, reason: str, layer: int) -> None:
    sender = Planted(net, f"changes {part}")
    packet = bytearray(sender.packet(route(net, 0, 2, 4, -1)))
    packet[offset] ^= 4
    assert fate(net, sender.send(bytes(packet), net.mixes[0])) == ("drop", reason, layer)


def test_a_sender_that_skips_a_layer_is_seen_as_a_hop_from_0_to_2(network: Callable[..., Devnet]) -> None:
    net = network(3)
    skipper = Planted(net, "skipper")
    digest = skipper.send_along(route(net, 1, 2, -1))
    assert fate(net, digest) == ARRIVED
    net.stop()
    run = net.run
    assert run.hops_by_layer() == {(0, 2): 1, (2, 3): 1, (3, 4): 1}
    assert run.sql("select a.name from hop join node a on a.id = from_node where from_layer = 0").column() == [
        "skipper"
    ]
    with pytest.raises(Violated, match="skipper"):
        run.assert_layer_order()


def test_a_sender_that_does_not_record_is_unknown_and_never_a_pass(network: Callable[..., Devnet]) -> None:
    net = network(3)
    stranger = Planted(net, records=False)
    honest = Planted(net, "honest")
    for sender in (stranger, honest):
        assert fate(net, sender.send_along(route(net, 0, 1, 2, -1))) == ARRIVED
    with net.run as run:
        assert run.hops_by_layer() == {(None, 1): 1, (0, 1): 1, (1, 2): 2, (2, 3): 2, (3, 4): 2}
        with pytest.raises(Inconclusive, match="1 hop"):
            run.assert_layer_order()
        run.assert_layer_order(allow_unjudged=1)
    assert fate(net, stranger.send_along(route(net, 1, 2, -1))) == ARRIVED
    net.stop()
    run = net.run
    assert run.hops_by_layer()[None, 2] == 1
    with pytest.raises(Violated, match="unknown"):
        run.assert_layer_order()
    assert run.sql("select count(*) from hop where from_node is null").scalar() == 2


def test_a_client_that_does_not_record_leaves_its_loops_unjudged(network: Callable[..., Devnet]) -> None:
    net = network(3, clients=1, silent=["client-0"])

    def seen() -> bool:
        with net.run as run:
            return int(run.sql("select count(*) from hop where from_layer is null and to_layer = 1").scalar()) >= 5

    net.wait_until(seen, "five packets of a stranger")
    net.stop()
    run = net.run
    assert run.sql("select count(*) from packet where class <> 'injected'").scalar() == 0
    with pytest.raises(Inconclusive):
        run.assert_layer_order()
