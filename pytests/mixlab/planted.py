# SPDX-License-Identifier: Apache-2.0
"""Packets that a test plants into a network: any route, any content, and what became of them."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from . import recording, sphinx
from .devnet import Devnet, Node


class Planted:
    """A sender of our own that speaks to any node directly. With `records` it writes what it sends into the
    network's recording, as an honest client would; without, it is a stranger."""

    def __init__(self, net: Devnet, name: str = "planted", records: bool = True) -> None:
        self.net, self.name, self.secret = net, name, sphinx.new_secret()
        self.key = sphinx.public_key(self.secret)
        self.writer: recording.Writer | None = None
        if records:
            with net.run as run:
                origin = run.sql("select origin_ns from run").scalar()
            self.writer = recording.Writer(net.record, origin)
            self.writer.execute(
                "insert into node (name, role, layer, address, public_key) values (?, 'client', 0, ?, ?)",
                name,
                "127.0.0.1:1",
                sphinx.base58(self.key),
            )

    def hop(self, node: Node, delay_ns: int = 0) -> sphinx.Hop:
        """`node` with the key the directory shows now."""
        topology = self.net.topology()
        if node.role == "mix":
            entry = topology.mix_at(node.address)
        else:
            entry = next((e for e in topology.providers if e["mixnetListener"] == node.address), None)
        if entry is None:
            raise LookupError(f"the topology does not show {node.name}")
        return sphinx.Hop.at(node.address, entry["pubKey"], delay_ns)

    def packet(self, route: Sequence[Node], destination: str | None = None, message: bytes = b"planted") -> bytes:
        """A packet along `route`, whatever its layers."""
        to = self.key if destination is None else sphinx.unbase58(destination)
        return sphinx.build([self.hop(node) for node in route], to, message)

    def send(self, packet: bytes, to: Node) -> bytes:
        """Sends the packet to `to`, on a connection of its own; its digest."""
        with socket.create_connection(("127.0.0.1", to.port), timeout=30) as connection:
            if self.writer:
                now = self.writer.now_ns()
                self.writer.execute(
                    "insert into made (node, created_ns, sent_ns, digest, class, recipient, first_address)"
                    " select id, ?, ?, ?, 'injected', public_key, ? from node where name = ?",
                    now,
                    now,
                    sphinx.digest(packet),
                    to.address,
                    self.name,
                )
            connection.sendall(packet)
        return sphinx.digest(packet)

    def send_along(self, route: Sequence[Node], destination: str | None = None, message: bytes = b"planted") -> bytes:
        return self.send(self.packet(route, destination, message), route[0])


def fate(net: Devnet, digest: bytes) -> tuple[str, str | None, int | None]:
    """(verdict, reason, layer) of the last node that a packet reached, given the digest of its first hop. Waits
    until the packet is not on its way any more."""

    def last() -> tuple[str, str | None, int | None] | None:
        with net.run as run:
            rows = run.sql(
                "select verdict, reason, to_layer from hop where packet = (select packet from hop where digest = ?)"
                " and verdict in ('drop', 'store')",
                digest,
            ).rows()
        return rows[0] if rows else None

    net.wait_until(last, "the planted packet's fate is recorded")
    found = last()
    assert found is not None
    return found
