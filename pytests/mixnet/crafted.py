# SPDX-License-Identifier: Apache-2.0
"""Packets that no client would make, for programs of the lab to send at planned times: the keys of a lab's nodes
follow from the seed, so they are read from a short run, and the packets are made before the run that sends them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from mixlab import Run, sphinx

MS = 1_000_000
S = 1000 * MS


@dataclass
class Crafter:
    """Makes packets to nodes that `keys` knows; its chance is its own and seeded."""

    keys: dict[str, tuple[str, str]]
    """{node: (address, public key)}"""
    chance: random.Random = field(default_factory=lambda: random.Random(4))

    @classmethod
    def of(cls, run: Run) -> Crafter:
        rows = run.sql("select name, address, public_key from node where role in ('mix', 'provider')")
        return cls({name: (address, key) for name, address, key in rows})

    def packet(self, *route: str, secret: int | None = None) -> bytes:
        """Along these nodes, held a millisecond by each, for a recipient whom no provider knows."""
        hops = [sphinx.Hop.at(*self.keys[node], MS) for node in route]
        room = sphinx.BETA - 60 * (len(hops) - 1) - 52
        drawn = secret if secret is not None else self.chance.randrange(2**251, sphinx.ORDER)
        recipient = self.chance.randbytes(32)
        return sphinx.build(hops, recipient, b"crafted", secret=drawn, padding=self.chance.randbytes(room))


@dataclass
class Post:
    """What one host sends: (time, node, bytes)."""

    lines: list[tuple[int, str, bytes]] = field(default_factory=list)

    def send(self, time_ns: int, node: str, packet: bytes) -> bytes:
        """Plans it; the digest under which recordings know it."""
        self.lines.append((time_ns, node, packet))
        return sphinx.digest(packet)

    def write(self, path: Path, keys: dict[str, tuple[str, str]]) -> None:
        lines = [f"{time} {keys[node][0]} {packet.hex()}" for time, node, packet in sorted(self.lines)]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")


def with_alpha(packet: bytes, alpha: bytes) -> bytes:
    return alpha + packet[32:]


def flipped(packet: bytes, byte: int, mask: int) -> bytes:
    return packet[:byte] + bytes([packet[byte] ^ mask]) + packet[byte + 1 :]
