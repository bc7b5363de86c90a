# SPDX-License-Identifier: Apache-2.0
"""Promises about chance: what clients ask of mixes, and when they send. The words are on the methods of run.Run.

A promise is judged by several tests at once (stats.py), corrected for their number. What was judged is returned, so
that whoever reads a pass knows how small an error it would have shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from . import durations, stats
from .run import Inconclusive, Violated, said_in_full
from .stats import Judged

if TYPE_CHECKING:
    from .run import Run

__tracebackhide__ = said_in_full

_LEAST = 100
"""Fewer samples are not judged."""
_WINDOWS = 200


def _verdict(run: Run, promise: str, judged: list[Judged]) -> list[Judged]:
    wrong = stats.rejected(judged)
    if wrong:
        lines = [f"{promise}: {len(wrong)} of {len(judged)} tests reject it, at {stats.ALPHA:g} together", ""]
        lines += [f"  {one}" for one in wrong]
        raise Violated("\n".join([*lines, "", f"recording: {run.path}"]))
    return judged


# Delays. ------------------------------------------------------------------------------------------------------


def _delays(run: Run) -> dict[str, list[list[tuple[int, int]]]]:
    """{class: [a packet's (delay asked, node sent to next) at layer 1, 2, ..]}, packets in order of their making."""
    handled = {
        digest: (delay, following, out)
        for digest, delay, following, out in run.sql(
            "select digest_in, delay_ns, next_address, digest_out from handled where verdict = 'forward'"
        )
    }
    packets: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
    names: dict[str, int] = {}
    for kind, digest in run.sql("select class, digest from made where sent_ns is not null order by created_ns, id"):
        way, at = [], digest
        while at in handled:
            delay, following, at = handled[at]
            way.append((delay, names.setdefault(following, len(names))))
        packets[kind].append(way)
    return packets


def delays(run: Run, mean: str | int, hold: bool) -> list[Judged]:
    if hold:
        _held(run)
    mean_ns, packets = durations.nanoseconds(mean), _delays(run)
    layers = max((len(way) for ways in packets.values() for way in ways), default=0)
    judged: list[Judged] = []
    for layer in range(layers):
        asked = {kind: [way[layer][0] for way in ways if len(way) > layer] for kind, ways in packets.items()}
        asked = {kind: values for kind, values in asked.items() if len(values) >= _LEAST}
        for kind, values in asked.items():
            judged.append(stats.fits(f"delays of {kind} in layer {layer + 1}", values, stats.exponential(mean_ns)))
        for one, other in combinations(sorted(asked), 2):
            judged.append(stats.same_law(f"delays of {one} and {other} in layer {layer + 1}", asked[one], asked[other]))
    ways = [way for kind in packets for way in packets[kind] if len(way) == layers]
    if not judged or len(ways) < _LEAST:
        raise Inconclusive(f"delays cannot be judged: fewer than {_LEAST} packets of a class\n\nrecording: {run.path}")
    for layer in range(layers - 1):
        here, there = f"layer {layer + 1}", f"layer {layer + 2}"
        now, then = [way[layer][0] for way in ways], [way[layer + 1][0] for way in ways]
        judged.append(stats.unrelated(f"delay in {here} and in {there}", now, then))
        targets = [way[layer][1] for way in ways]
        if len(set(targets)) > 1:
            judged.append(stats.unrelated(f"delay in {here} and next hop", now, targets))
    first = [way[0][0] for way in ways]
    judged.append(stats.unrelated("delay of a packet and of the next", first[:-1], first[1:]))
    return _verdict(run, "delays asked of mixes", judged)


def _held(run: Run) -> None:
    """Exact: never early, and on time unless it waited for the first connection to its next hop."""
    if run.clock != "virtual":
        raise Inconclusive(f"only the lab's clock tells to the nanosecond\n\nrecording: {run.path}")
    wrong = run.sql(
        "with opened as (select node, next_address, min(sent_ns) as at_ns from handled group by 1, 2)"
        " select node.name, received_ns, delay_ns, sent_ns from handled h join node on node.id = h.node"
        "  join opened on opened.node = h.node and opened.next_address = h.next_address"
        " where verdict = 'forward' and sent_ns - received_ns is not delay_ns"
        "  and not (sent_ns = at_ns and sent_ns - received_ns > delay_ns) order by received_ns"
    )
    for name, received, delay, sent in wrong:
        raise Violated(
            f"held delays: {name} took a packet at {durations.text(received)} that asked for {durations.text(delay)},"
            f" and sent it after {durations.text(sent - received)}; expected neither earlier nor later"
            f" ({len(wrong)} were not held to the nanosecond)\n\nrecording: {run.path}"
        )


# Sending times. -----------------------------------------------------------------------------------------------


def sending(run: Run, client: str, loop_rate: float, send_rate: float) -> list[Judged]:
    rows = run.sql(
        "select created_ns, class = 'loop' from made where node = ? and class <> 'injected' order by created_ns",
        run.node_id(client),
    ).rows()
    if len(rows) < 4 * _LEAST:
        raise Inconclusive(f"{client} sent {len(rows)} packets: too few to judge\n\nrecording: {run.path}")
    start, end = rows[0][0], run.end_ns
    streams = {
        "loops": ([time for time, is_loop in rows if is_loop], loop_rate),
        "real stream": ([time for time, is_loop in rows if not is_loop], send_rate),
        "both streams": ([time for time, _ in rows], loop_rate + send_rate),
    }
    judged: list[Judged] = []
    for name, (times, rate) in streams.items():
        gaps = [after - before for before, after in pairwise(times)]
        judged.append(stats.fits(f"gaps, {name}", gaps, stats.exponential(1e9 / rate)))
        judged.append(stats.uncorrelated(f"gaps, {name}, one after the other", gaps))
        judged.append(stats.fits(f"times, {name}", times, stats.uniform(start, end)))
        judged.append(stats.dispersed(f"counts, {name}", _counts(times, start, end)))
    return _verdict(run, f"Poisson sending of {client}", judged)


def _counts(times: Iterable[int], start: int, end: int) -> list[int]:
    counts = [0] * _WINDOWS
    for time in times:
        counts[min(_WINDOWS - 1, (time - start) * _WINDOWS // (end - start))] += 1
    return counts


def no_burst(run: Run, client: str, rate: float, window: str | int) -> Judged:
    """The fullest window, of all that begin with a packet, holds no more than chance puts there."""
    width = durations.nanoseconds(window)
    times = run.sql("select created_ns from made where node = ? order by 1", run.node_id(client)).column()
    most, first = 0, 0
    for last, time in enumerate(times):
        while time - times[first] > width:
            first += 1
        most = max(most, last - first + 1)
    mean = rate * width / 1e9
    p = min(1.0, len(times) * stats.poisson_above(most - 1, mean))
    sees = next(k for k in range(1, 10_000) if len(times) * stats.poisson_above(k - 1, mean) < stats.ALPHA)
    seen = f"at most {most} in {durations.text(width)}"
    return _verdict(run, f"no bursts of {client}", [Judged("bursts", len(times), p, seen, sees, "a burst")])[0]
