# SPDX-License-Identifier: Apache-2.0
"""What a recording saw, in one screen: packets per link, loops home, drops by reason, who did not record."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from . import screen
from .run import Run

_MOST_LINKS = 24

_LAYERS = """select from_layer, to_layer, count(*) as packets, count(received_ns) as received
  from hop group by 1, 2 order by from_layer is null, 1, 2"""
_LINKS = """select coalesce(a.name, 'unknown') as sender, coalesce(b.name, 'unknown') as receiver, count(*) as packets
  from hop left join node a on a.id = hop.from_node left join node b on b.id = hop.to_node
 group by 1, 2 order by min(coalesce(from_layer, 99)), 1, 2"""
_UNRECORDED = "select count(*) from hop where from_node is null"
_LOOPS = (
    """select count(*), count(returned_ns), coalesce(sum(outcome = 'dropped'), 0) from packet where class = 'loop'"""
)
_ROUND_TRIP = """select (returned_ns - created_ns) / 1000000 from packet
 where class = 'loop' and returned_ns is not null order by 1"""


def _layer(value: int | None) -> str:
    return "?" if value is None else str(value)


def text(run: Run) -> str:
    """The summary; says so when nothing was recorded."""
    layers = run.sql(_LAYERS).rows()
    if not layers:
        return "No packet was recorded: no client ran, or none with --record."
    lines = ["packets by layer (sent -> received by):"]
    for source, target, packets, received in layers:
        lost = f"   {packets - received} not received" if packets > received else ""
        lines.append(f"  {_layer(source)} -> {_layer(target)}  {packets:>8}{lost}")
    links = run.sql(_LINKS)
    if len(links) <= _MOST_LINKS:
        lines += ["packets per link:", *("  " + line for line in links.table(_MOST_LINKS).splitlines())]
    else:
        lines.append(f"packets per link: {len(links)} links; see the view `hop` of the recording")
    lines += [_loops(run), _drops(run)]
    unknown = run.sql(_UNRECORDED).scalar()
    lines.append(f"packets from programs that did not record: {unknown}")
    return "\n".join(lines)


def _loops(run: Run) -> str:
    ((made, home, dropped),) = run.sql(_LOOPS).rows()
    line = f"loops: {made} made, {home} home, {dropped} dropped, {made - home - dropped} on their way"
    if home:
        times = run.sql(_ROUND_TRIP).column()
        line += f"; median round trip {times[len(times) // 2]} ms"
    return line


def _drops(run: Run) -> str:
    drops = run.drops()
    if not drops:
        return "drops: none"
    return "drops: " + ", ".join(f"{reason} {count}" for reason, count in sorted(drops.items()))


class StatusLine:
    """One line at the bottom of a terminal that is written over; the recording is asked every few seconds."""

    _EVERY = 8  # Updates between two looks.

    def __init__(self, record: Path) -> None:
        self._run, self._turn = Run(record), 0

    def update(self) -> None:
        self._turn += 1
        if self._turn % self._EVERY:
            return
        try:
            made, home = self._run.sql(
                "select (select count(*) from made where class = 'loop'),"
                " (select count(*) from fetched where class = 'loop')"
            ).rows()[0]
            hops = self._run.sql("select count(*) from handled").scalar()
        except sqlite3.Error:
            return  # Somebody writes just now; the next look will do.
        screen.write(f"\r\x1b[Kloops sent {made}, home {home}; packets handled {hops}")

    def clear(self) -> None:
        screen.write("\r\x1b[K")
