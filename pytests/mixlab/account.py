# SPDX-License-Identifier: Apache-2.0
"""The books of each node over time: what came in on the wire must have gone out, been stored, been dropped for a
reason, or be held. In and out are what the lab saw on the wire; the rest is what the node says of itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import durations
from .run import Inconclusive, Violated, said_in_full

if TYPE_CHECKING:
    from .run import Run

__tracebackhide__ = said_in_full

_SHOWN = 8


@dataclass
class Entry:
    """One node in one interval. `more_held` may be negative."""

    came: int = 0
    went: int = 0
    stored: int = 0
    dropped: int = 0
    more_held: int = 0

    @property
    def missing(self) -> int:
        return self.came - self.went - self.stored - self.dropped - self.more_held


def entries(run: Run, interval: str | int) -> dict[tuple[str, int], Entry]:
    """{(node, number of the interval): its entry}, of mixes and providers."""
    if not run.has("wire_packet"):
        raise Inconclusive(f"only a lab run saw the wire\n\nrecording: {run.path}")
    step = durations.nanoseconds(interval)
    names = dict(run.sql("select id, name from node where role in ('mix', 'provider')").rows())
    books: dict[tuple[str, int], Entry] = defaultdict(Entry)
    for source, target, sent, delivered in run.sql(
        "select from_node, to_node, sent_ns, case when fate is null then delivered_ns end from wire_packet"
    ):
        if source in names:
            books[names[source], sent // step].went += 1
        if target in names and delivered is not None:
            books[names[target], delivered // step].came += 1
    for node, received, sent, verdict in run.sql("select node, received_ns, sent_ns, verdict from handled"):
        entry = books[names[node], received // step]
        if verdict == "forward":
            entry.more_held += 1
            if sent is not None:
                books[names[node], sent // step].more_held -= 1
        elif verdict == "store":
            entry.stored += 1
        else:
            entry.dropped += 1
    return dict(books)


def balanced(run: Run, interval: str | int, settle: str | int) -> int:
    """Every entry's sum comes out, or Violated. How many entries there were. What ends later than `settle` before the
    run does is left out: a program that does not say what it holds when it is stopped never will."""
    step = durations.nanoseconds(interval)
    last = (run.end_ns - durations.nanoseconds(settle)) // step
    books = {(name, number): entry for (name, number), entry in entries(run, interval).items() if number < last}
    if not books:
        raise Inconclusive(f"no node handled a packet\n\nrecording: {run.path}")
    wrong = sorted((number, name) for (name, number), entry in books.items() if entry.missing)
    if not wrong:
        return len(books)
    lines = [f"accounts: {len(wrong)} of {len(books)} do not come out; expected came = went + stored + dropped + held"]
    for number, name in wrong[:_SHOWN]:
        lines.append(f"  {name}, from {durations.text(number * step)}: {books[name, number]}")
    raise Violated("\n".join([*lines, "", f"recording: {run.path}"]))
