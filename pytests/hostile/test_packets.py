# SPDX-License-Identifier: Apache-2.0
"""Packets that only somebody with the nodes' public keys can make: everything about them holds, but for what they ask.

Section 1.12 of the wire document: an original node stops at a flag it does not know, and at a delay of years.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hostilekit import ended, handled, honest
from mixlab import Devnet, Node, ports, programs, sphinx
from mixlab.planted import Planted, fate

HOUR_NS = 3600 * 10**9
MUTANTS = next(programs.checkouts(Path(__file__).parent)) / "build" / "mutants"


def sent(net: Devnet, sender: Planted, hops: list[sphinx.Hop], to: Node) -> tuple[str, str | None, int | None]:
    """The fate of a packet along exactly these hops."""
    return fate(net, sender.send(sphinx.build(hops, sender.key, b"x"), to))


def changed(hop: sphinx.Hop, **what: object) -> sphinx.Hop:
    return sphinx.Hop(**{"address": hop.address, "key": hop.key, "delay_ns": hop.delay_ns, **what})  # type: ignore[arg-type]


def test_a_flag_that_nobody_knows_behind_a_valid_mac(network: Callable[..., Devnet]) -> None:
    net = network()
    sender = Planted(net, "flags")
    first, second, *_ = route = [sender.hop(node) for node in (*net.mixes, net.provider)]
    with honest(net):
        for flag in (0, 3, 0xFF):
            assert sent(net, sender, [changed(first, flag=flag), *route[1:]], net.mixes[0]) == ("drop", "flag", 1)
            assert sent(net, sender, [first, changed(second, flag=flag), *route[2:]], net.mixes[0])[1:] == ("flag", 2)
            assert sent(net, sender, [changed(route[-1], flag=flag)], net.provider) == ("drop", "flag", 4)
        # The right flags, each in the wrong place.
        assert sent(net, sender, [changed(first, flag=2), *route[1:]], net.mixes[0])[1] == "final_at_mix"
        assert sent(net, sender, [changed(route[-1], flag=1)], net.provider)[1] == "forward_at_provider"
    said = ended(net)
    assert said["mix-0"]["flag"] == said["mix-1"]["flag"] == said["provider-0"]["flag"] == 3, said


def test_absurd_delays(network: Callable[..., Devnet]) -> None:
    net = network()
    sender = Planted(net, "delays")
    first, *rest = (sender.hop(node) for node in (*net.mixes, net.provider))
    # Beyond an hour; where an original's timer gives up (2 ** 36 ms); where signed numbers end; and the last one.
    absurd = [HOUR_NS + 1, 2**36 * 10**6, 2**63 - 1, 2**63, 2**64 - 1]
    with honest(net):
        for delay_ns in absurd:
            dropped = sent(net, sender, [changed(first, delay_ns=delay_ns), *rest], net.mixes[0])
            assert dropped == ("drop", "delay_too_long", 1), delay_ns
    assert ended(net)["mix-0"]["delay_too_long"] == len(absurd)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("0.0.0.0:0", "next_hop_unknown"),
        ("0.0.0.0:9980", "next_hop_unknown"),
        ("255.255.255.255:9980", "next_hop_unknown"),
        ("[::1]:9980", "next_hop_unknown"),
        ("itself", "next_hop_not_next_layer"),
        ("the provider's port for clients", "next_hop_unknown"),
        ("the directory", "next_hop_unknown"),
        ("no address", "bad_next_address"),
    ],
)
def test_a_next_hop_that_is_none(shared: Devnet, where: str, reason: str) -> None:
    sender = Planted(shared, f"to {where}")
    first, second, *rest = (sender.hop(node) for node in (*shared.mixes, shared.provider))
    ports = {
        "itself": shared.mixes[0].port,
        "the provider's port for clients": shared.layout.provider_client,
        "the directory": shared.layout.directory,
    }
    if where == "no address":
        address = b"\x05" + bytes(31)
    else:
        address = sphinx.node_address(f"127.0.0.1:{ports[where]}" if where in ports else where)
    dropped = sent(shared, sender, [first, changed(second, address=address), *rest], shared.mixes[0])
    assert dropped == ("drop", reason, 1)


def test_a_next_hop_on_a_machine_of_the_mixs_own(network: Callable[..., Devnet]) -> None:
    """Anybody can list 127.0.0.1:6379 as a mix. One that is known to others by another address sends nothing there:
    for it, the network's own second mix is such an entry."""
    net = network(clients=0, instead={})
    sender = Planted(net, "inward")
    leased = ports.Lease(1)
    try:
        argv = [*net.mixes[0].argv, "--announce-host", "192.0.2.1"]
        argv[argv.index("--port") + 1] = str(leased.ports[0])
        away = Node(net, "mix-away", "mix", argv, leased.ports[0], 1)
        away.start()
        try:
            seen = f"192.0.2.1:{away.port}"
            net.wait_until(lambda: net.topology().mix_at(seen), "the directory shows it", watch=[away.running()])
            entry = net.topology().mix_at(seen)
            assert entry is not None
            first = sphinx.Hop.at(seen, entry["pubKey"], 0)
            rest = [sender.hop(node) for node in (*net.mixes[1:], net.provider)]
            assert sent(net, sender, [first, *rest], away) == ("drop", "next_hop_unknown", 1)
            # From where 127.0.0.1 is everybody's address the same hops are taken to their end.
            here = [sender.hop(net.mixes[0]), *rest]
            assert sent(net, sender, here, net.mixes[0]) == ("drop", "unknown_recipient", 4)
        finally:
            assert away.stop() == 0
    finally:
        leased.release()
    ended(net)


def test_hour_long_delays_do_not_fill_the_queue(network: Callable[..., Devnet]) -> None:
    """A sender that asks for an hour each time gets 1/361 of the places: 65536 / 361 is 181.5."""
    net = network()
    sender = [str(MUTANTS / "mutant-sender"), "--directory", net.directory_url, "--hop", "mix:1", "--hop", "mix:2"]
    with honest(net):
        done = subprocess.run(
            [*sender, "--delay", "1 h", "--count", "400", "--one-connection"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

        def refused() -> int:
            return sum(1 for _, _, reason in handled(net, net.mixes[0]) if reason == "pending_full")

        net.wait_until(lambda: refused() >= 218, "the rest is refused")
    said = ended(net)["mix-0"]
    # Honest packets that are held meanwhile take places, too: a few more are refused then.
    assert 218 <= said["pending_full"] <= 240, said
    assert said["shutting_down"] + said["pending_full"] >= 400, said


def test_a_packet_to_a_mix_that_joined_a_moment_ago_arrives(network: Callable[..., Devnet]) -> None:
    """The first mix has not heard of the second yet: it asks the directory, and the packet waits for the answer."""
    net = network(clients=0, instead={})
    sender = Planted(net, "early")
    with_port = ports.Lease(1)
    try:
        argv = [*net.mixes[1].argv]
        argv[argv.index("--port") + 1] = str(with_port.ports[0])
        late = Node(net, "mix-late", "mix", argv, with_port.ports[0], 2)
        late.start()
        try:
            net.wait_until(
                lambda: net.topology().mix_at(late.address), "the directory shows it", watch=[late.running()]
            )
            arrived = fate(net, sender.send_along([net.mixes[0], late, net.mixes[2], net.provider]))
            assert arrived == ("drop", "unknown_recipient", 4)
        finally:
            assert late.stop() == 0
    finally:
        with_port.release()
    ended(net)
