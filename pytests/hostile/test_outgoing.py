# SPDX-License-Identifier: Apache-2.0
"""A topology that lies about who can be reached: next hops whose connects hang or that never read, and names that do
not resolve, hundreds of each."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeDirectory, Topology

from hostilekit import PATIENCE_S, ended, honest
from mixlab import Devnet, programs, sphinx
from mixlab.planted import Planted, fate
from mixlab.websocket import WebSocket

MUTANTS = next(programs.checkouts(Path(__file__).parent)) / "build" / "mutants"
FEW = 64  # Descriptors that the program may have.
SHARE = FEW // 3  # Of them for connections to others (src/wire/limits.h),
STRANGERS = SHARE // 8  # and of these for peers that never took a packet.
SYN_SENT, ESTABLISHED = 2, 1


class Port:
    """A port of every address of this machine whose connects hang (or, with `accepts`, succeed, and nobody reads)."""

    def __init__(self, accepts: bool = False) -> None:
        self.listener = socket.socket()
        self.listener.bind(("0.0.0.0", 0))
        self.listener.listen(1024 if accepts else 0)
        self.number = self.listener.getsockname()[1]
        self._fill: list[socket.socket] = []
        while not accepts and len(self._fill) < 4:  # The queue takes one or two, and others' connects hang.
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.number))
            self._fill.append(one)

    def address(self, number: int) -> str:
        return f"127.1.{number // 250}.{number % 250 + 1}:{self.number}"

    def connections(self, state: int) -> int:
        """How many connections of others to it are in this state."""
        found = 0
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            _, _, remote, now, *_ = line.split()
            host, port = remote.split(":")
            found += int(port, 16) == self.number and int(now, 16) == state and host.endswith("017F")
        return found

    def close(self) -> None:
        for one in (*self._fill, self.listener):
            one.close()


def key_of(number: int) -> str:
    return sphinx.base58(hashlib.sha256(bytes([number % 256, number // 256])).digest()[:31] + b"\x01")


def with_others(
    layer: int, hosts: list[str], change: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> Callable[[Topology], None]:
    """Once all mixes are there: beside the honest one of a layer, which may be changed, one at each of the hosts."""

    def edit(topology: Topology) -> None:
        mixes = topology["mixNodes"]
        if len(mixes) < 3:
            return
        ours = next(mix for mix in mixes if mix["layer"] == layer)
        others = [{**ours, "host": host, "pubKey": key_of(number)} for number, host in enumerate(hosts)]
        topology["mixNodes"] = [mix for mix in mixes if mix is not ours] + [change(ours), *others]

    return edit


@pytest.fixture
def fake() -> Iterator[Callable[..., FakeDirectory]]:
    made: list[FakeDirectory] = []

    def make(edit: Callable[[Topology], None]) -> FakeDirectory:
        made.append(FakeDirectory(edit=edit))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[Port]:
    made = Port(accepts=getattr(request, "param", False))
    yield made
    made.close()


def few(program: str, *words: str) -> list[str]:
    return ["prlimit", f"--nofile={FEW}:{FEW}", str(programs.find(program)), *words]


def flood(net: Devnet, sender: Planted, port: Port, count: int) -> None:
    """A packet to the first mix for each of the next hops at the port."""
    first = sender.hop(net.mixes[0])
    hops = [sphinx.Hop.at(port.address(number), key_of(number), 0) for number in range(count)]
    packets = [sphinx.build([first, hop], sender.key, b"x") for hop in hops]
    with socket.create_connection(("127.0.0.1", net.mixes[0].port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"".join(packets))


def test_next_hops_whose_connects_hang(
    network: Callable[..., Devnet], fake: Callable[..., FakeDirectory], port: Port
) -> None:
    """A mix has 64 descriptors, and packets for 150 next hops that swallow connects. The one that took a packet before,
    an original that gets a connection for each, takes all others, too."""
    count = 150
    hosts = [port.address(number) for number in range(count)]
    directory = fake(with_others(2, hosts, lambda mix: {**mix, "version": "0.4.0"}))
    net = network(clients=0, instead={"mix-0": few("nym-mixnode", "run")}, directory=directory.url)
    sender, route = Planted(net), [*net.mixes, net.provider]
    assert fate(net, sender.send_along(route)) == ("drop", "unknown_recipient", 4)
    flood(net, sender, port, count)
    net.wait_until(lambda: port.connections(SYN_SENT) >= STRANGERS, "connects hang")
    for number in range(20):
        digest = sender.send_along(route, message=bytes([number]))
        assert fate(net, digest) == ("drop", "unknown_recipient", 4)
        assert port.connections(SYN_SENT) <= STRANGERS
    said = ended(net)["mix-0"]
    assert said["peer_unreachable"] + said["shutting_down"] == count, said
    assert said["connections_full"] > 0, said


@pytest.mark.parametrize("port", [True], indirect=True)
def test_next_hops_that_never_read(
    network: Callable[..., Devnet], fake: Callable[..., FakeDirectory], port: Port
) -> None:
    """Each of them takes one packet and keeps its connection: who is silent longest makes room, also for one that is
    sent to for the first time, and no packet is lost."""
    count = 100
    directory = fake(with_others(2, [port.address(number) for number in range(count)]))
    net = network(clients=0, instead={"mix-0": few("nym-mixnode", "run")}, directory=directory.url)
    sender, route = Planted(net), [*net.mixes, net.provider]
    flood(net, sender, port, count)
    net.wait_until(lambda: port.connections(ESTABLISHED) >= SHARE - 1, "connections are kept")
    for number in range(5):
        digest = sender.send_along(route, message=bytes([number]))
        assert fate(net, digest) == ("drop", "unknown_recipient", 4)
        assert port.connections(ESTABLISHED) <= SHARE
    said = ended(net)["mix-0"]
    assert said["peer_unreachable"] == said["pending_full"] == 0, said
    assert said["connections_full"] >= count - SHARE, said


def test_first_mixes_whose_connects_hang(
    network: Callable[..., Devnet], fake: Callable[..., FakeDirectory], port: Port
) -> None:
    """A client has 64 descriptors, and 300 first mixes that swallow connects: its user is served and gets his mail."""
    directory = fake(with_others(1, [port.address(number) for number in range(300)]))
    net = network(
        clients=1,
        instead={"client-0": few("nym-client", "websocket")},
        options={"client": ["--poll-interval", "50 ms", "--loop-rate", "100 / s"]},
        directory=directory.url,
    )
    client = net.clients[0].running()
    net.wait_until(lambda: "cannot be reached" in client.output(), "connects hang")
    for number in range(5):
        with WebSocket(net.clients[0].port) as user:
            text = f"letter {number}"
            Planted(net, f"sender-{number}").send_along([*net.mixes, net.provider], user.own_address(), text.encode())
            net.wait_until(lambda told=text, at=user: told in at.fetch(), f"{text!r} arrives")  # type: ignore[misc]
            assert port.connections(SYN_SENT) <= STRANGERS
    said = ended(net)["client-0"]
    assert said["peer_unreachable"] > 0 and said["connections_full"] > 0, said


def test_names_that_do_not_resolve(network: Callable[..., Devnet], fake: Callable[..., FakeDirectory]) -> None:
    """Three hundred names of mixes take ten seconds each to say that they have no address. The one that has one is
    asked for before most of them."""
    program = programs.find("nym-mixnode").read_bytes()
    if b"__asan_init" in program or b"__tsan_init" in program:
        pytest.skip("a sanitizer has to be loaded before the resolver that stands in")
    hosts = [f"a{number}.hangs.example:1" for number in range(300)]
    hosts += [f"a.hangs{number}.example:1" for number in range(7)]

    def named(mix: dict[str, Any]) -> dict[str, Any]:
        return {**mix, "host": f"z.good.example:{mix['host'].rsplit(':')[-1]}"}

    slow = ["env", f"LD_PRELOAD={MUTANTS / 'libslow-names.so'}"]
    instead = {
        "mix-0": [*slow, str(programs.find("nym-mixnode")), "run"],
        "client-0": [*slow, str(programs.find("nym-client")), "websocket"],
        "client-1": [*slow, str(programs.find("nym-client")), "tcpsocket"],
    }
    net = network(directory=fake(with_others(2, hosts, named)).url, instead=instead)
    with honest(net):
        pass
    ended(net)
