# SPDX-License-Identifier: Apache-2.0
"""What somebody on the wire sees of a client in a lab run, and the promises about it: sizes, and that what a user
does changes nothing. The words of the promises are on the methods of run.Run.

Reads `segment` and the events of kind "connection", which only the lab writes; never `made`, which is the truth.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import durations
from .run import Inconclusive, Violated, said_in_full

if TYPE_CHECKING:
    from .run import Run

__tracebackhide__ = said_in_full

PACKET, REGISTER, PULL = 1372, 34, 66
MESSAGES_A_PULL = 5
_SHOWN = 6


@dataclass(frozen=True)
class Sending:
    """One client's side of the wire, in order of time (ns)."""

    packets: list[tuple[int, int, str]] = field(default_factory=list)
    """(time, bytes, first hop) of what it sent to mixes."""
    requests: list[tuple[int, int]] = field(default_factory=list)
    """(time, bytes) of what it sent to its provider."""
    connections: list[tuple[int, str]] = field(default_factory=list)
    """(time, address) of connections that were opened to either."""


def sending(run: Run, client: str) -> Sending:
    if not run.has("segment"):
        raise Inconclusive(f"only a lab run shows the wire\n\nrecording: {run.path}")
    me = run.node_id(client)
    rows = run.sql(
        "select s.sent_ns, s.size, b.name, b.role from segment s join node b on b.id = s.to_node"
        " where s.from_node = ? and b.role in ('mix', 'provider') order by s.sent_ns, s.id",
        me,
    )
    packets = [(time, size, name) for time, size, name, role in rows if role == "mix"]
    requests = [(time, size) for time, size, _, role in rows if role == "provider"]
    # Of its host: the client itself tells where its user finds it.
    host = run.sql("select address from node where name = ?", f"{client}.init").column()
    if not host:
        raise Inconclusive(f"no {client}.init tells the address of {client}'s host\n\nrecording: {run.path}")
    nodes = _hosts_of_nodes(run)
    opened = [
        (time, target)
        for time, source, target in _connections(run)
        if _host(source) == host[0] and _host(target) in nodes
    ]
    if not packets:
        raise Inconclusive(f"{client} sent no packet to a mix\n\nrecording: {run.path}")
    return Sending(packets, requests, opened)


def _connections(run: Run) -> Iterator[tuple[int, str, str]]:
    """(time, from, to) of every connection, addresses with ports."""
    for time, detail in run.sql("select time_ns, detail from event where kind = 'connection' order by seq"):
        told = json.loads(detail)
        yield time, told["from"], told["to"]


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _hosts_of_nodes(run: Run) -> set[str]:
    """Where a mix or a provider listens, whatever the port."""
    listeners = run.sql("select address from node where role in ('mix', 'provider')").column()
    return {_host(address) for address in listeners}


def same_sending(run: Run, other: Run, client: str) -> None:
    """Exact: the first difference is the report."""
    if (run.seed, run.end_ns) != (other.seed, other.end_ns):
        raise ValueError(f"runs of seeds {run.seed} and {other.seed}, or of unlike length, cannot be compared")
    one, two = sending(run, client), sending(other, client)
    for what, a, b in (
        ("packets to layer 1 (time, bytes, first hop)", one.packets, two.packets),
        ("requests to the provider (time, bytes)", one.requests, two.requests),
        ("connections (time, address)", one.connections, two.connections),
    ):
        if list(a) != list(b):
            raise Violated(_parting(run, other, client, what, a, b))


def _parting(run: Run, other: Run, client: str, what: str, a: Sequence[object], b: Sequence[object]) -> str:
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    lines = [
        f"non-interference: what {client} sends depends on what its user does",
        f"{what}: {len(a)} and {len(b)}, the first to differ is number {at}; expected equal sequences",
        "",
    ]
    for name, sequence in (("one run", a), ("other run", b)):
        lines += [f"  {name}:"]
        lines += [f"    {'->' if i == at else '  '} {i}: {sequence[i]}" for i in _around(at, len(sequence))]
    return "\n".join([*lines, "", f"recordings: {run.path}", f"            {other.path}"])


def _around(at: int, size: int) -> range:
    return range(max(0, at - _SHOWN // 2), min(size, at + _SHOWN // 2))


# Sizes. -------------------------------------------------------------------------------------------------------

_SEGMENTS = """
select case when a.role = 'client' and b.role = 'mix' then 'client to mix'
            when a.role = 'mix' and b.role = 'mix' then 'mix to mix'
            when a.role = 'mix' and b.role = 'provider' then 'mix to provider'
            when b.role = 'mix' or a.role = 'mix' then 'back to a sender'
            when a.role = 'client' and b.role = 'provider' then 'request'
            when a.role = 'provider' and b.role = 'client' then 'reply' end as link,
       s.sent_ns, s.size, a.name as sender, b.name as receiver, s.connection, s.payload
  from segment s join node a on a.id = s.from_node join node b on b.id = s.to_node
 where a.role in ('client', 'mix', 'provider') and b.role in ('client', 'mix', 'provider')
 order by s.sent_ns, s.id"""


def size_uniform(run: Run) -> Counter[tuple[str, int]]:
    if not run.has("segment"):
        raise Inconclusive(f"only a lab run shows the wire\n\nrecording: {run.path}")
    seen: Counter[tuple[str, int]] = Counter()
    replies: dict[int, bytes | None] = {}
    for link, time, size, sender, receiver, connection, payload in _writes(run):
        where = f"{link}, {sender} -> {receiver}, at {durations.text(time)}"
        if link == "reply":
            before = replies.get(connection, b"")
            replies[connection] = None if payload is None or before is None else before + payload
            continue
        if link in ("client to mix", "mix to mix", "mix to provider") and size % PACKET:
            raise _odd(run, where, f"{size} bytes", f"packets of {PACKET} bytes and nothing else")
        if link == "request" and size not in (REGISTER, PULL):
            raise _odd(run, where, f"{size} bytes", f"a pull of {PULL} bytes (or {REGISTER} to register)")
        if link == "back to a sender":
            raise _odd(run, where, f"{size} bytes", "no byte back to whoever sent a packet")
        seen[link, size] += 1
    for link in ("client to mix", "mix to mix", "mix to provider", "request"):
        if not any(known == link for known, _ in seen):
            raise Inconclusive(f"size uniformity cannot be judged: nothing went from {link}\n\nrecording: {run.path}")
    _replies(run, replies)
    _connections_told(run)
    return seen


_Write = tuple[str, int, int, str, str, int, bytes | None]


def _writes(run: Run) -> Iterator[_Write]:
    """As _SEGMENTS, what one connection carried off at one moment as one: packets that waited for a connection leave
    together, and TCP cuts them at 1460 bytes."""
    together: dict[tuple[int, int, str], _Write] = {}
    for link, time, size, sender, receiver, connection, payload in run.sql(_SEGMENTS):
        key = (time, connection, sender)
        first = together.get(key, (link, time, 0, sender, receiver, connection, b""))
        whole = None if payload is None or first[6] is None else first[6] + payload
        together[key] = (*first[:2], first[2] + size, *first[3:6], whole)
    yield from together.values()


def _odd(run: Run, where: str, observed: str, expected: str) -> Violated:
    return Violated(f"size uniformity: {where}: {observed}; expected {expected}\n\nrecording: {run.path}")


def _replies(run: Run, replies: dict[int, bytes | None]) -> None:
    """Always five messages. That their lengths show is known of the 0.4 wire, and no promise."""
    if any(bytes_ is None for bytes_ in replies.values()):
        raise Inconclusive(
            f'replies of the provider can be judged with [record] payload = "full" only\n\nrecording: {run.path}'
        )
    pulls = 0
    for connection, reply in replies.items():
        assert reply is not None
        if len(reply) == 32:  # the token of a registration
            continue
        count = int.from_bytes(reply[:2], "big")
        lengths = [int.from_bytes(reply[2 + 2 * i : 4 + 2 * i], "big") for i in range(count)]
        whole = len(reply) == 2 + 2 * count + sum(lengths)
        if count != MESSAGES_A_PULL or not whole:
            what = f"{count} messages" if whole else f"{len(reply)} bytes that are no reply"
            raise _odd(run, f"reply on connection {connection}", what, f"{MESSAGES_A_PULL} messages, dummies included")
        pulls += 1
    if not pulls:
        raise Inconclusive(f"size uniformity cannot be judged: no pull was answered\n\nrecording: {run.path}")


def _connections_told(run: Run) -> None:
    """Between two nodes that send packets there is one connection from first to last: when one ends says nothing."""
    pairs = Counter((_host(source), target) for _, source, target in _connections(run))
    listeners = set(run.sql("select address from node where role in ('mix', 'provider')").column())
    for (source, target), count in pairs.items():
        if target in listeners and count > 1:
            raise _odd(run, f"connections from {source} to {target}", str(count), "one, kept open whatever it carries")
