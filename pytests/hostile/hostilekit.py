# SPDX-License-Identifier: Apache-2.0
"""What attacks share: the doors of a network, somebody honest who must be served meanwhile, and what was counted."""

from __future__ import annotations

import contextlib
import re
import resource
import select
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixlab import Devnet, Node, sphinx
from mixlab.websocket import WebSocket

QUICK = {
    "client": ["--poll-interval", "50 ms", "--mean-delay", "10 ms", "--loop-rate", "4 / s", "--send-rate", "8 / s"]
}
MANY = 10_000
_SANITIZERS = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|CHECK failed", re.MULTILINE)
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Door:
    """A port that listens, and the program behind it."""

    name: str
    port: int
    node: Node

    def connect(self, timeout_s: float = PATIENCE_S) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)


def doors(net: Devnet) -> dict[str, Door]:
    """Every listening port of the network, by what it is for."""
    found = [Door("directory", net.directory.port, net.directory)] if net.directory else []
    found += [
        Door("mix", net.mixes[0].port, net.mixes[0]),
        Door("provider for mixes", net.layout.provider_mix, net.provider),
        Door("provider for clients", net.layout.provider_client, net.provider),
    ]
    found += [
        Door(name, client.port, client)
        for name, client in zip(("client websocket", "client socket"), net.clients, strict=False)
    ]
    return {door.name: door for door in found}


DOORS = (
    "directory",
    "mix",
    "provider for mixes",
    "provider for clients",
    "client websocket",
    "client socket",
)


# Somebody honest. ---------------------------------------------------------------------------------------------


class Honest:
    """Two users who were there before the attack: one asks client-0's websocket, the other client-1's socket."""

    def __init__(self, net: Devnet) -> None:
        self.net, self._sent = net, 0
        self.websocket = WebSocket(net.clients[0].port)
        self.socket = socket.create_connection(("127.0.0.1", net.clients[1].port), timeout=PATIENCE_S)
        self.socket.sendall(b"\x04")
        self.address = sphinx.base58(self.socket.recv(64))

    def fetch(self) -> list[bytes]:
        """What came to client-1, by the bytes of its socket."""
        self.socket.sendall(b"\x02")
        data = b""
        while True:
            data += self.socket.recv(65536)
            (count,) = struct.unpack(">H", data[:2])
            sizes = struct.unpack(f">{count}H", data[2 : 2 + 2 * count]) if len(data) >= 2 + 2 * count else None
            if sizes is not None and len(data) >= 2 + 2 * count + sum(sizes):
                break
        messages, at = [], 2 + 2 * count
        for size in sizes:
            messages.append(data[at : at + size])
            at += size
        return messages

    def message_arrives(self) -> None:
        """A message goes in at client-0's websocket, through three mixes and the provider, and out at client-1's
        socket: every kind of program had to do its work."""
        self._sent += 1
        text = f"letter {self._sent}"
        self.websocket.send(text, self.address)
        self.net.wait_until(lambda: text.encode() in self.fetch(), f"{text!r} arrives", PATIENCE_S)

    def directory_answers(self) -> None:
        assert self.net.directory_api.healthy()
        assert not self.net.missing()

    def close(self) -> None:
        self.websocket.close()
        self.socket.close()


@contextlib.contextmanager
def honest(net: Devnet) -> Iterator[Honest]:
    """Somebody whose message arrives before, and has to after, whatever is done inside."""
    users = Honest(net)
    try:
        users.message_arrives()
        yield users
        users.message_arrives()
        if net.directory:
            users.directory_answers()
    finally:
        users.close()


# What was counted. --------------------------------------------------------------------------------------------


def counted(node: Node) -> Counter[str]:
    """What a program that has ended says it refused and dropped, by reason."""
    assert node.child is not None and not node.alive, f"{node.name} still runs"
    found: Counter[str] = Counter()
    for line in node.child.output().splitlines():
        match = re.search(r"(?:[Rr]efused|Dropped|packets not sent): (\w+ \d+(?:, \w+ \d+)*)", line)
        for reason in match[1].split(", ") if match else ():
            name, number = reason.split(" ")
            found[name] += int(number)
    return found


def ended(net: Devnet) -> dict[str, Counter[str]]:
    """Stops the network, which must have lived until now; what each program counted."""
    dead = [node.name for node in net.nodes() if not node.alive]
    assert not dead, f"{dead} did not live"
    statuses = net.stop()
    assert set(statuses.values()) == {0}, statuses
    return {node.name: counted(node) for node in net.nodes()}


def complaints(net: Devnet) -> list[str]:
    """Lines in which a sanitizer or a CHECK of our own speaks."""
    return [
        f"{node.name}: {line}"
        for node in net.nodes()
        if node.child is not None
        for line in node.child.output().splitlines()
        if _SANITIZERS.search(line)
    ]


# Attacking. ---------------------------------------------------------------------------------------------------


def exchange(door: Door, data: bytes) -> bytes:
    """Sends, closes our side, and reads what comes until the other side has closed, too. A reset is an end."""
    with door.connect() as connection:
        with contextlib.suppress(OSError):  # Broken off, or not connected any more.
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            data += chunk
    return data


def reset(connection: socket.socket) -> None:
    """Closes with a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def closed(connections: Sequence[socket.socket]) -> int:
    """How many of them the other side has closed by now."""
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLIN | select.POLLRDHUP)
    return sum(1 for _, events in poller.poll(0) if events & (select.POLLRDHUP | select.POLLHUP | select.POLLERR))


def memory_kib(node: Node) -> int:
    """Private memory of the program now."""
    text = Path(f"/proc/{node.running().pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(n) for n in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE))


def is_sanitized(node: Node) -> bool:
    """Whether a sanitizer keeps its own books in this build: memory says nothing then."""
    program = Path(node.running().argv[0]).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def limit(node: Node, what: int, soft: int) -> int:
    """Sets a soft limit of a running program; the one before (which may be RLIM_INFINITY)."""
    before, hard = resource.prlimit(node.running().pid, what)
    resource.prlimit(node.running().pid, what, (soft, hard))
    return before


def handled(net: Devnet, node: Node) -> list[tuple[bytes, str, str | None]]:
    """(digest, verdict, reason) of every packet that the node has written down, in its order."""
    with net.run as run:
        query = (
            "select digest_in, verdict, reason from handled join node on node.id = handled.node"
            " where node.address = ? order by handled.id"
        )
        return run.sql(query, node.address).rows()
