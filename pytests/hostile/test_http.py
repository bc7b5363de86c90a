# SPDX-License-Identifier: Apache-2.0
"""What anybody can do to the directory's memory, its console and those who watch it, without breaking a rule."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import select
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from hostilekit import PATIENCE_S, Door, closed, doors, ended, honest, is_sanitized, memory_kib
from mixlab import Devnet, sphinx
from mixlab.process import wait_until
from mixlab.websocket import WebSocket

MIB = 1024 * 1024
MIXES, PROVIDERS = "/api/presence/mixnodes", "/api/presence/mixproviders"


def key(number: int) -> str:
    return sphinx.base58(number.to_bytes(32, "big"))


def mix(number: int, **what: object) -> bytes:
    """Of a version that nobody routes through."""
    host = f"10.0.{number >> 8}.{number & 255}:1789"
    return json.dumps({"host": host, "pubKey": key(number), "layer": 1, "version": "0.3.0", **what}).encode()


def request(path: str, body: bytes, announced: int | None = None) -> bytes:
    size = len(body) if announced is None else announced
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + body


def post(door: Door, path: str, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("POST", path, body)
        return connection.getresponse().status


@contextlib.contextmanager
def strangers(door: Door, count: int, says: bytes, deaf: bool = False) -> Iterator[list[socket.socket]]:
    """So many connections from another address, each of which says this and reads nothing."""
    with contextlib.ExitStack() as held:
        made = []
        for _ in range(count):
            one = held.enter_context(socket.socket())
            one.settimeout(PATIENCE_S)
            if deaf:  # Small segments, so that the system takes little for whoever does not read.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            one.bind(("127.0.0.2", 0))
            one.connect(("127.0.0.1", door.port))
            with contextlib.suppress(ConnectionError):  # Broken off in the middle.
                one.sendall(says)
            made.append(one)
        yield made


def answered(connections: list[socket.socket]) -> int:
    """How many of them have something to read."""
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLIN)
    return len(poller.poll(0))


def flood(door: Door, what: bytes, count: int) -> Counter[str]:
    """The same request again and again on one connection; the statuses of the answers."""
    statuses: Counter[str] = Counter()
    with door.connect() as connection:
        for _ in range(0, count, 200):
            connection.sendall(what * 200)
            replies = b""
            while replies.count(b"HTTP/1.1 ") < 200 or not replies.endswith(b"}"):
                chunk = connection.recv(1 << 20)
                assert chunk, replies[-200:]
                replies += chunk
            statuses.update(status.decode() for status in re.findall(rb"HTTP/1\.1 (\d+)", replies))
    return statuses


def test_large_bodies_that_never_end(network: Callable[..., Devnet]) -> None:
    """What is only announced holds nothing, and what one machine sends holds its share: a provider with every account
    it may have is heard all the same."""
    net = network()
    door = doors(net)["directory"]
    accounts = [{"pubKey": key(2**255 + number)} for number in range(10_000)]
    listeners = {"clientListener": "10.1.0.1:1", "mixnetListener": "10.1.0.1:2", "version": "0.3.0"}
    full = json.dumps({**listeners, "pubKey": key(7), "registeredClients": accounts}).encode()
    assert len(full) > 512 * 1024
    before = memory_kib(door.node)
    with honest(net), strangers(door, 80, request(PROVIDERS, b"{", announced=MIB)):
        assert post(door, PROVIDERS, full) == 201
        with strangers(door, 80, request(PROVIDERS, b" " * (MIB - 1), announced=MIB)) as nearly:
            wait_until(lambda: closed(nearly) >= 60, "who sends more than his share is refused", PATIENCE_S)
            if not is_sanitized(door.node):
                assert memory_kib(door.node) - before < 40 * 1024
            assert post(door, PROVIDERS, full) == 201
    said = ended(net)["directory"]
    assert said["bodies_full"] >= 60, said


def test_pages_that_nobody_reads(network: Callable[..., Devnet]) -> None:
    """Five hundred are asked for the page that lists four thousand mixes, and nobody reads: it is one text."""
    net = network()
    door = doors(net)["directory"]
    with honest(net):
        many = b"".join(request(MIXES, mix(number, location="x" * 64)) for number in range(1, 4001))
        with door.connect() as connection:
            connection.sendall(many)
            replies = b""
            while replies.count(b"HTTP/1.1 201") < 4000:
                chunk = connection.recv(1 << 20)
                assert chunk, replies[-200:]
                replies += chunk
        before = memory_kib(door.node)
        with strangers(door, 500, b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", deaf=True) as deaf:
            wait_until(lambda: answered(deaf) == 500, "every page has begun to come", PATIENCE_S)
            if not is_sanitized(door.node):
                assert memory_kib(door.node) - before < 32 * 1024
    ended(net)


def test_a_flood_does_not_take_the_watchers_away(network: Callable[..., Devnet]) -> None:
    """Refusals are told by number, and whoever is slower than what happens is told what he missed: both watchers are
    there when it is over, and hear what happens then. The console says how much it left out."""
    net = network()
    door = doors(net)["directory"]
    with (
        honest(net),
        WebSocket(door.port, path="/ws/live") as live,
        WebSocket(door.port, path="/ws") as old,
    ):
        kinds: Counter[str] = Counter()

        def heard() -> dict[str, Any]:
            text: dict[str, Any] = json.loads(live.receive_text())
            kinds[text["kind"]] += 1
            return text

        assert flood(door, request(MIXES, b"nonsense"), 10_000) == {"400": 10_000}
        refused = 0
        while refused < 10_000:
            text = heard()
            refused += text["count"] if text["kind"] == "more" else text["kind"] == "refused"
        assert 20 <= kinds["refused"] <= 1000 and not kinds["missed"], kinds
        assert flood(door, request(MIXES, mix(1)), 10_000) == {"201": 10_000}
        assert post(door, MIXES, mix(2)) == 201
        while True:
            text = heard()
            if text["kind"] in ("node", "nodes") and key(2) in json.dumps(text):
                break
        assert kinds["missed"] >= 1, kinds
        assert kinds["hello"] == kinds["nodes"] == 1 + kinds["missed"], kinds
        assert "received" in old.receive_text()
        lines = door.node.running().output().splitlines()
    seconds = Counter(line[:19] for line in lines if re.match(r"\d{4}-\d\d-\d\dT", line))
    assert max(seconds.values()) <= 256 + 1, seconds.most_common(3)
    assert any(re.search(r"Z and \d{3,} lines more in this second$", line) for line in lines), lines[-3:]
    said = ended(net)["directory"]
    assert said["slow_reader"] == 0 and said["bad_entry"] == 10_000, said


def test_a_page_whose_name_was_made_to_mean_this_machine(network: Callable[..., Devnet]) -> None:
    """It watches what anybody may, and no loops."""
    net = network()
    port = doors(net)["directory"].port

    def hello(authority: str) -> dict[str, object]:
        with WebSocket(port, path="/ws/live", origin=f"http://{authority}", authority=authority) as live:
            told: dict[str, object] = json.loads(live.receive_text())
            return told

    with honest(net):
        for ours in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert hello(ours)["loops"] is True, ours
        for strange in (f"evil.example:{port}", f"localhost.evil.example:{port}", f"127.0.0.1.evil.example:{port}"):
            assert hello(strange)["loops"] is False, strange
    ended(net)
