# SPDX-License-Identifier: Apache-2.0
"""More than a program can hold: connections, descriptors, files that may not grow, accounts, somebody's flood."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hostilekit import (
    DOORS,
    PATIENCE_S,
    Door,
    closed,
    doors,
    ended,
    exchange,
    handled,
    honest,
    is_sanitized,
    limit,
    memory_kib,
)
from mixlab import Devnet, programs
from mixlab.planted import Planted, fate
from mixlab.process import wait_until

GET = b"GET /api/healthcheck HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.contextmanager
def crowd(door: Door, size: int) -> Iterator[list[socket.socket]]:
    """So many connections that say nothing."""
    held: list[socket.socket] = []
    try:
        for _ in range(size):
            held.append(door.connect())
        yield held
    finally:
        for one in held:
            one.close()


def asks(door: Door) -> bool:
    """Whether somebody new at the door is served."""
    if door.name == "provider for clients":
        return len(exchange(door, b"\x00\x01" + bytes(range(32)))) == 32
    if door.name == "directory":
        return exchange(door, GET).startswith(b"HTTP/1.1 200")
    return True  # A mix says nothing: its packets speak (Honest).


@pytest.mark.parametrize("name", DOORS)
def test_ten_thousand_idle_connections(network: Callable[..., Devnet], many_descriptors: int, name: str) -> None:
    """4096 are held, and who has been silent longest makes room; at a client's door 64, and who is in stays in."""
    net = network()
    door = doors(net)[name]
    bound = 64 if name.startswith("client") else 4096
    before = memory_kib(door.node)
    with honest(net) as users:
        with crowd(door, many_descriptors) as held:
            wait_until(lambda: closed(held) >= many_descriptors - bound - 1, f"{name} lets go", PATIENCE_S)
            users.message_arrives()
            assert asks(door)
            grown = memory_kib(door.node) - before
        if not is_sanitized(door.node):
            assert grown < 64 * 1024, f"{grown} KiB for {bound} idle connections"
    said = ended(net)[door.node.name]
    assert said["connections_full"] >= many_descriptors - 2 * bound - 2, said


def test_out_of_descriptors(network: Callable[..., Devnet]) -> None:
    """Every program at once may open hardly one descriptor more; then it may again."""
    net = network()
    if b"__ubsan_" in Path(net.mixes[0].running().argv[0]).read_bytes():
        pytest.skip("UBSan looks at objects through a pipe, and without a descriptor for it calls every one invalid")
    with honest(net) as users:
        before = {}
        for node in net.nodes():
            open_now = len(list(Path(f"/proc/{node.running().pid}/fd").iterdir()))
            before[node.name] = limit(node, resource.RLIMIT_NOFILE, open_now + 8)
        held = {door.name: [door.connect() for _ in range(40)] for door in doors(net).values()}
        for name, crowd_ in held.items():
            wait_until(lambda at=crowd_: closed(at) >= 20, f"{name} turns newcomers away", PATIENCE_S)  # type: ignore[misc]
        for node in net.nodes():
            assert node.alive, node.name
            limit(node, resource.RLIMIT_NOFILE, before[node.name])
        for one in itertools.chain(*held.values()):
            one.close()
        users.message_arrives()
    said = ended(net)
    for door in doors(net).values():
        assert said[door.node.name]["no_descriptors"] > 0, (door.name, said)


def test_few_descriptors_from_the_start(network: Callable[..., Devnet]) -> None:
    """A hard limit of 64: a crowd of the patient and silent does not keep an honest packet out."""
    words = ["prlimit", "--nofile=64:64", str(programs.find("nym-mixnode")), "run"]
    net = network(instead={"mix-0": words, "client-1": [str(programs.find("nym-client")), "tcpsocket"]})
    with honest(net) as users, crowd(doors(net)["mix"], 300) as held:
        wait_until(lambda: closed(held) >= 200, "newcomers are turned away", PATIENCE_S)
        users.message_arrives()
        newcomer = Planted(net, "newcomer")
        assert fate(net, newcomer.send_along([*net.mixes, net.provider]))[0] == "drop"
    said = ended(net)["mix-0"]
    assert said["no_descriptors"] + said["connections_full"] >= 200, said


def test_disk_full_at_the_provider(network: Callable[..., Devnet]) -> None:
    """No file of the provider may grow: messages are refused with a reason, registrations with `bad foomp`; when
    there is room again, all goes on."""
    net = network(options={"client": ["--poll-interval", "200 ms", "--loop-rate", "1 / s"]}, silent=["provider-0"])
    door = doors(net)["provider for clients"]
    with honest(net):
        before = limit(net.provider, resource.RLIMIT_FSIZE, 4096)
        refused = 0
        for number in range(20):
            refused += exchange(door, b"\x00\x01" + bytes([number]) * 32) == b"bad foomp"
        assert refused == 20
        log = net.provider.running()
        net.wait_until(lambda: "cannot keep a message" in log.output(), "a message is refused")
        assert net.provider.alive
        limit(net.provider, resource.RLIMIT_FSIZE, before)
        net.wait_until(lambda: len(exchange(door, b"\x00\x01" + bytes([77]) * 32)) == 32, "registering works again")
    said = ended(net)["provider-0"]
    assert said["store_failed"] > 20, said


def test_disk_full_at_the_recording(network: Callable[..., Devnet]) -> None:
    """Rows are lost and counted; packets are not."""
    net = network()
    mix = net.mixes[1]

    def lost() -> bool:
        return "cannot" in mix.running().output() or "lost" in mix.running().output()

    with honest(net) as users:
        before = limit(mix, resource.RLIMIT_FSIZE, 4096)
        for _ in range(3):
            users.message_arrives()
        assert mix.alive
        limit(mix, resource.RLIMIT_FSIZE, before)
        seen = len(handled(net, mix))
        users.message_arrives()
        net.wait_until(lambda: len(handled(net, mix)) > seen, "rows are written again")
    statuses = net.stop()
    assert set(statuses.values()) == {0}
    assert lost() or "missing in the record" in mix.running().output(), mix.running().output()


def test_more_accounts_than_a_provider_keeps(network: Callable[..., Devnet]) -> None:
    net = network(options={"provider-0": ["--max-accounts", "20"]})
    door = doors(net)["provider for clients"]
    with honest(net):
        replies = [exchange(door, b"\x00\x01" + number.to_bytes(32, "big")) for number in range(1, 41)]
        assert sum(len(reply) == 32 for reply in replies) == 18  # Two clients were there before.
        assert replies[18:] == [b"bad foomp"] * 22
        # Nobody reads what is not his, even so: a token of another address is none.
        pull = b"\x01\x00" + (1).to_bytes(32, "big")
        assert exchange(door, pull + replies[1]) == b"bad foomp"
        assert exchange(door, pull + bytes(32)) == b"bad foomp"
        assert exchange(door, pull + replies[0])[:2] == b"\x00\x05"
    said = ended(net)["provider-0"]
    assert said["accounts_full"] == 22 and said["bad_token"] == 2, said


# A flood. -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def held_still(door: Door) -> Iterator[None]:
    """The program does not run meanwhile; what is sent to it waits in its sockets."""
    os.kill(door.node.running().pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(door.node.running().pid, signal.SIGCONT)


def as_much_as_fits(connection: socket.socket, piece: bytes, limit_pieces: int = 5000) -> int:
    """Writes the piece again and again until the system takes no more; how many whole pieces it took."""
    connection.setblocking(False)
    taken = 0
    with contextlib.suppress(BlockingIOError):
        while taken < limit_pieces * len(piece):
            at = taken % len(piece)
            taken += connection.send(piece[at:])
    connection.setblocking(True)
    return taken // len(piece)


def place_of(rows: Sequence[tuple[bytes, str, str | None]], digest: bytes) -> int | None:
    return next((place for place, row in enumerate(rows) if row[0] == digest), None)


@pytest.mark.parametrize("name", ["mix", "provider for mixes"])
def test_a_flood_of_packets_from_one_peer_lets_another_through(network: Callable[..., Devnet], name: str) -> None:
    """While hundreds of packets of one peer wait, newcomers with a packet each are judged soon: a peer has 16 packets
    in
    a turn, and a newcomer needs one turn to be accepted, behind the newcomers before it, and one to be read. A bound
    in packets, whatever the machine. None of the honest packets is lost."""
    net = network(clients=0, instead={})
    door = doors(net)[name]
    flooder, other = Planted(net, "flooder"), Planted(net, "other")
    route = [*net.mixes, net.provider] if name == "mix" else [net.provider]
    flood = flooder.packet(route)
    packets = [other.packet(route, message=bytes([number])) for number in range(3)]
    with door.connect() as one:
        with held_still(door):
            waiting = as_much_as_fits(one, flood)
            assert waiting > 500, "the flood is none"
            digests = [other.send(packet, door.node) for packet in packets]
        for digest in digests:
            assert fate(net, digest) == ("drop", "unknown_recipient", 4)
        rows = handled(net, door.node)
        places = [place_of(rows, digest) for digest in digests]
        assert all(place is not None and place <= 16 * (3 + len(packets)) for place in places), places
        net.wait_until(lambda: len(handled(net, door.node)) >= waiting, "the whole flood is judged")
    said = ended(net)[door.node.name]
    assert said["replay"] >= waiting - 1, said


def test_a_flood_of_requests_lets_another_through(network: Callable[..., Devnet]) -> None:
    """Thousands of requests wait on one connection: that of another is answered after at most 64 of them. (16 in a
    turn; a turn for each to be accepted, one to be read.)"""
    net = network()
    door = doors(net)["directory"]

    def request(kind: str) -> bytes:
        return f"POST /api/presence/{kind} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n7".encode()

    with honest(net), door.connect() as one, door.connect() as other:
        with held_still(door):
            assert as_much_as_fits(one, request("mixnodes")) > 2000
            other.sendall(request("mixproviders"))
        assert other.recv(1000).startswith(b"HTTP/1.1 400")
        lines = [line for line in door.node.running().output().splitlines() if " 400 " in line]
        place = next(number for number, line in enumerate(lines) if "/api/presence/mixproviders" in line)
        assert place <= 64, place
        # Who floods does not read: what is answered until the system takes no more was refused by name.
    assert ended(net)["directory"]["bad_entry"] > 2


def test_a_flood_at_the_clients_doors_lets_the_user_through(network: Callable[..., Devnet]) -> None:
    net = network()
    found = doors(net)
    one, other = found["client socket"], found["client websocket"]
    with honest(net) as users, one.connect() as bytes_, other.connect() as texts:
        with held_still(one), held_still(other):
            assert as_much_as_fits(bytes_, b"\x07" * 2048) > 100
            assert as_much_as_fits(texts, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") > 2000
        users.message_arrives()
    said = ended(net)
    assert said["client-1"]["bad_request"] > 0, said
