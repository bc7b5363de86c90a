# SPDX-License-Identifier: Apache-2.0
"""Directories and providers that lie to the nodes and clients that ask them (8.1: what stops an original client)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from fakes import FakeDirectory, FakeProvider, Lie, Topology

from hostilekit import ended, honest
from mixlab import Devnet, sphinx
from mixlab.websocket import WebSocket

NOBODY = sphinx.base58(bytes([7]) * 32)


def http(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n") -> bytes:
    return (head % len(body) if b"%d" in head else head) + body


def edited(change: Callable[[Topology], None]) -> Lie:
    def lie(topology: Topology) -> str:
        copy = json.loads(json.dumps(topology))
        change(copy)
        return json.dumps(copy)

    return lie


def without_layer_2(topology: Topology) -> None:
    topology["mixNodes"] = [mix for mix in topology["mixNodes"] if mix["layer"] != 2]


def nobody_but(kind: str) -> Lie:
    return edited(lambda topology: topology.update({key: [] for key in topology if key != kind}))


ANSWERS: dict[str, Lie] = {
    "nothing": lambda _: b"",
    "not HTTP": lambda _: b"\x16\x03\x01\x02\x00" * 100,
    "a page": lambda _: "<html>Welcome to the hotel network</html>",
    "an error": lambda _: b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    "a redirect": lambda _: b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "not modified": lambda _: b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "cut off": lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{",
    "a body without end": lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "a header without end": lambda _: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
    "an empty text": lambda _: "",
    "null": lambda _: "null",
    "deep": lambda _: "[" * 100_000,
    "no arrays": lambda _: "{}",
    "null arrays": lambda _: '{"cocoNodes":null,"mixNodes":null,"mixProviderNodes":null}',
    "wrong types": lambda _: '{"cocoNodes":{},"mixNodes":7,"mixProviderNodes":"x"}',
    "not UTF-8": lambda _: http(b'{"cocoNodes":[],"mixNodes":[{"host":"\xff\xfe"}],"mixProviderNodes":[]}'),
    "nobody": nobody_but(""),
    "only mixes": nobody_but("mixNodes"),
    "only providers": nobody_but("mixProviderNodes"),
    "a gap in the layers": edited(without_layer_2),
    "a million brackets": lambda _: "[" + "[]," * 300_000 + "[]]",
}


def strange_entries(topology: Topology) -> None:
    """Beside every honest entry a number of those that stop an original, or would mislead us."""
    mix, provider = dict(topology["mixNodes"][0]), dict(topology["mixProviderNodes"][0])
    for key in ("", "1", "0OIl", "z" * 31, "z" * 200, sphinx.base58(bytes(31)), sphinx.base58(b"\xff" * 33), 7, None):
        topology["mixNodes"].append({**mix, "pubKey": key})
        topology["mixProviderNodes"].append({**provider, "pubKey": key})
    for layer in (0, 5, 99, -1, 2**32 + 1, 2**64, 1.5, "1", None):
        topology["mixNodes"].append({**mix, "pubKey": NOBODY, "layer": layer})
    for host in ("", "nowhere", "nowhere.invalid:1", ":1", "127.0.0.1:", "127.0.0.1:99999", "a b:1", "\0:1", 7, None):
        topology["mixNodes"].append({**mix, "pubKey": NOBODY, "host": host})
        topology["mixProviderNodes"].append({**provider, "pubKey": NOBODY, "clientListener": host})
        topology["mixProviderNodes"].append({**provider, "pubKey": NOBODY, "mixnetListener": host})
    for version in ("", "x", "0.3.0", "1.0.0", "0.4", "0.4.0" * 100, None):
        topology["mixNodes"].append({**mix, "pubKey": NOBODY, "version": version})
        topology["mixProviderNodes"].append({**provider, "pubKey": NOBODY, "version": version})
    for clients in (None, 7, [None], [{}], [{"pubKey": "0"}], [{"pubKey": NOBODY}] * 20_000):
        topology["mixProviderNodes"].append({**provider, "pubKey": NOBODY, "registeredClients": clients})
    topology["mixNodes"] += [{}, None, 7, [], mix, mix]  # type: ignore[list-item]
    topology["cocoNodes"] += [{}, {"host": None}]


@pytest.fixture
def fake() -> Iterator[Callable[..., FakeDirectory]]:
    made: list[FakeDirectory] = []

    def make(*words: object, **rest: object) -> FakeDirectory:
        made.append(FakeDirectory(*words, **rest))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_answers_that_are_no_topology(network: Callable[..., Devnet], fake: Callable[..., FakeDirectory]) -> None:
    """Each of them goes to one of six mixes or two clients, which goes on with the last good topology, or waits for
    its first; then all hear the truth."""
    directory = fake(list(ANSWERS.values()))
    quick = ["--poll-interval", "50 ms", "--mean-delay", "10 ms"]
    net = network(6, clients=2, directory=directory.url, options={"client": quick})
    net.wait_until(lambda: len(directory.told) == len(ANSWERS), "every lie was told", 90)
    seen = directory.truths
    net.wait_until(lambda: directory.truths > seen, "the truth is told again")
    with honest(net):
        pass
    ended(net)


def test_entries_that_nobody_can_use(network: Callable[..., Devnet], fake: Callable[..., FakeDirectory]) -> None:
    """All at once, beside the honest ones, for as long as the network runs: they are skipped, once and aloud."""
    directory = fake(edit=lambda topology: strange_entries(topology) if len(topology["mixNodes"]) >= 3 else None)
    net = network(directory=directory.url)
    with honest(net):
        mix, client = net.mixes[0].running(), net.clients[0].running()
        net.wait_until(lambda: "entries nobody can use" in mix.output(), "a mix says so")
        net.wait_until(lambda: "entries nobody can use" in client.output(), "a client says so")
    ended(net)


def endless() -> Iterator[bytes]:
    for _ in range(10_000):
        yield b"\xff" * 65536


def reply(count: int, sizes: list[int], bodies: bytes) -> bytes:
    return count.to_bytes(2, "big") + b"".join(size.to_bytes(2, "big") for size in sizes) + bodies


def test_replies_of_a_provider_that_lies(network: Callable[..., Devnet], fake: Callable[..., FakeDirectory]) -> None:
    """8.1: a count above 32767 stops an original client."""
    real = b"a message at last"
    replies = [
        b"",
        b"\x00",
        b"bad foomp",
        reply(32768, [], b""),
        reply(0xFFFF, [0xFFFF] * 3, b"x"),
        reply(0x8000, [0] * 0x8000, b""),
        reply(2, [10, 10], b"x" * 19),
        reply(1, [10], b"x" * 11),
        reply(5, [0, 0, 0, 0, 0], b""),
        reply(0, [], b""),
        endless,
        reply(1, [len(real)], real),
        reply(0, [], b""),
    ]
    provider = FakeProvider(replies)

    def only_ours(topology: Topology) -> None:
        for entry in topology["mixProviderNodes"]:
            entry["clientListener"] = provider.address

    try:
        net = network(clients=1, instead={}, directory=fake(edit=only_ours).url)
        client = net.clients[0]
        with WebSocket(client.port) as socket:
            net.wait_until(lambda: real.decode() in socket.fetch(), "the one good message is fetched")
        assert provider.pulls >= len(replies) - 1
        said = client.running()
        assert client.stop() == 0
        assert "failed" in said.output()
        client.start()  # So that the end of the network finds everybody alive.
    finally:
        provider.close()
    ended(net)
