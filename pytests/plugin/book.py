# SPDX-License-Identifier: Apache-2.0
"""Writes recordings by hand, so that each promise meets a recording that keeps it and ones that break it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mixlab import Run, programs, recording

MS = 1_000_000
S = 1_000 * MS


class Book:
    """A recording of a network with two mixes a layer, a provider and two clients."""

    def __init__(self, path: Path, end_ns: int = 60 * S) -> None:
        self.path, self._end_ns, self._packets = path, end_ns, 0
        self.writer = recording.create(path, programs.schema_file())
        self.writer.execute("pragma synchronous = off")
        self.nodes: dict[str, int] = {}
        for layer in (1, 2, 3):
            for letter in "ab":
                self.node(f"mix-{layer}{letter}", "mix", layer)
        self.node("provider", "provider", 4)
        self.node("alice", "client", 0)
        self.node("bob", "client", 0)

    def node(self, name: str, role: str, layer: int | None) -> None:
        number = len(self.nodes) + 1
        self.nodes[name] = number
        self.writer.execute(
            "insert into node (id, name, role, layer, address, public_key) values (?, ?, ?, ?, ?, ?)",
            number,
            name,
            role,
            layer,
            f"127.0.0.1:{number}",
            f"key of {name}",
        )

    def made(self, sender: str, first: str, digest: bytes, at: int, kind: str, recipient: str) -> None:
        self.writer.execute(
            "insert into made (node, created_ns, sent_ns, digest, class, recipient, first_address)"
            " values (?,?,?,?,?,?,?)",
            self.nodes[sender],
            at,
            at,
            digest,
            kind,
            f"key of {recipient}",
            f"127.0.0.1:{self.nodes[first]}",
        )

    def handled(
        self,
        node: str,
        received: int,
        digest: bytes,
        to: str | None,
        out: bytes | None,
        verdict: str,
        reason: str | None,
    ) -> None:
        self.writer.execute(
            "insert into handled (node, received_ns, digest_in, sent_ns, digest_out, next_address, delay_ns, verdict,"
            " reason) values (?,?,?,?,?,?,?,?,?)",
            self.nodes[node],
            received,
            digest,
            received + MS if out else None,
            out,
            f"127.0.0.1:{self.nodes[to]}" if to else None,
            0 if to else None,
            verdict,
            reason,
        )

    def packet(
        self,
        route: Sequence[str],
        at: int = 0,
        *,
        kind: str = "loop",
        recipient: str | None = None,
        drop: str | None = None,
        silent: bool = False,
        vanish: bool = False,
        home_after: int | None = 100 * MS,
    ) -> bytes:
        """One packet along `route`, the sender first.

        `drop` is the reason for which the last of the route refuses it; a `silent` sender writes nothing; with
        `vanish` the last of the route never sees it; a loop that was stored comes home after `home_after`.
        Returns the digest of its first hop.
        """
        sender, *nodes = route
        self._packets += 1
        digests = [hashlib.blake2b(f"{self._packets}/{i}".encode(), digest_size=16).digest() for i in range(len(nodes))]
        if not silent:
            self.made(sender, nodes[0], digests[0], at, kind, recipient or sender)
        for i, node in enumerate(nodes):
            last = i + 1 == len(nodes)
            if last and vanish:
                break
            if not last:
                self.handled(node, at + (2 * i + 1) * MS, digests[i], nodes[i + 1], digests[i + 1], "forward", None)
            else:
                verdict = "drop" if drop else "store"
                self.handled(node, at + (2 * i + 1) * MS, digests[i], None, None, verdict, drop)
        stored = not (drop or vanish or silent) and nodes[-1] == "provider"
        if stored and kind in ("loop", "cover") and home_after is not None:
            self.fetched(sender, at + home_after, kind, digests[0])
        return digests[0]

    def fetched(self, node: str, at: int, kind: str, digest: bytes | None = None) -> None:
        local = None if digest else self.writer.now_ns()
        self.writer.execute(
            "insert into fetched (node, time_ns, digest, local_id, class) values (?, ?, ?, ?, ?)",
            self.nodes[node],
            at,
            digest,
            local,
            kind,
        )

    def honest(self, loops: int = 20) -> Book:
        """`loops` loops a second apart that come home."""
        for i in range(loops):
            letter = "ab"[i % 2]
            self.packet(["alice", f"mix-1{letter}", f"mix-2{letter}", f"mix-3{letter}", "provider"], i * S)
        return self

    def close(self) -> Run:
        self.writer.finish()
        # The run's length is the book's, not that of the test.
        patch = recording.Writer(self.path, 0)
        patch.execute("update run set duration_ns = ?", self._end_ns)
        patch._db.close()
        return Run(self.path)
