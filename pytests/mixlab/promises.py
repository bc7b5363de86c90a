# SPDX-License-Identifier: Apache-2.0
"""What a mixnet promises, each as a check over one recording. The words are on the methods of run.Run.

How a check is written: it counts what it judged, finds the violations in order of time, and counts what it could
not judge. It passes only when it judged something, found no violation and left nothing unjudged. Comparisons are
`is not`, never `<>`: with NULL the latter is neither true nor false, and a check would look away.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from . import durations
from .run import Inconclusive, Result, Violated, said_in_full

if TYPE_CHECKING:
    from .run import Run

__tracebackhide__ = said_in_full

_SHOWN = 10


def _violated(run: Run, promise: str, expected: str, bad: Result) -> Violated:
    """The report: promise, expected, the first bad rows, the first bad packet's whole life, the file."""
    lines = [f"{promise}: {len(bad)} violation(s); expected {expected}", "", bad.table(_SHOWN)]
    packet = bad.column("packet")[0] if "packet" in bad.columns else None
    if packet is None and "digest" in bad.columns:
        packet = next(iter(run.sql("select packet from hop where digest = ?", bad.column("digest")[0]).column()), None)
    if packet is not None:
        hops = run.hops_of(packet).table(_SHOWN)
        lines += ["", f"all hops of packet {packet}, the first of them (mixlab trace FILE --packet {packet}):", hops]
    lines += ["", f"recording: {run.path}"]
    return Violated("\n".join(lines))


def _inconclusive(run: Run, promise: str, why: str, rows: Result | None = None) -> Inconclusive:
    shown = "" if rows is None or not len(rows) else "\n\n" + rows.table(_SHOWN)
    return Inconclusive(f"{promise} cannot be judged: {why}{shown}\n\nrecording: {run.path}")


_HOP = """
select h.packet, h.hop, coalesce(a.name, 'unknown') as sender, h.from_layer,
       coalesce(b.name, 'unknown') as receiver,
       h.to_layer, h.sent_ns, h.received_ns, h.verdict, h.reason
  from hop h left join node a on a.id = h.from_node left join node b on b.id = h.to_node"""


_FIRST = " order by coalesce(h.sent_ns, h.received_ns), h.packet, h.hop"
_WRONG_LAYER = "h.from_layer is not null and h.to_layer is not null and h.to_layer is not h.from_layer + 1"
_NO_SENDER = "h.from_layer is null and h.to_layer >= 2"

# A killed program takes its last unwritten rows along, so that what it sent just before seems to have no sender.
_KILL_SHADOW_NS = 2 * 10**9
_IN_SHADOW = """exists (select 1 from run join fault on fault.verb = 'crash'
  where run.clock = 'wall' and abs(fault.time_ns - h.received_ns) <= :shadow)"""


def layer_order(run: Run, allow_unjudged: int) -> None:
    spared = _IN_SHADOW if run.has("fault") else "0"
    broken = f" where ({_WRONG_LAYER}) or ({_NO_SENDER} and not {spared})"
    bad = run.sql(_HOP + broken + _FIRST, shadow=_KILL_SHADOW_NS)
    if len(bad):
        raise _violated(run, "layer order", "every hop from layer i to layer i + 1, by a sender that is known", bad)
    if run.sql("select count(*) from hop where from_layer is not null and to_layer is not null").scalar() == 0:
        raise _inconclusive(run, "layer order", "no hop was recorded at both ends")
    unjudged = run.sql(_HOP + " where h.from_layer is null or h.to_layer is null" + _FIRST)
    if len(unjudged) > allow_unjudged:
        why = f"{len(unjudged)} hop(s) by senders into layer 1, or to receivers, that did not record (or were killed)"
        raise _inconclusive(run, "layer order", why, unjudged)


def _judge_share(run: Run, promise: str, made: str, done: str, ratio: Fraction, limit: int) -> None:
    """At least `ratio` of the packets where `made` holds, and that are due, have `done` at most `limit` after."""
    last = run.end_ns - limit
    total = run.sql(f"select count(*) from packet where {made} and created_ns <= ?", last).scalar()
    if total == 0:
        span, end = durations.text(limit), durations.text(run.end_ns)
        raise _inconclusive(run, promise, f"none was made {span} or more before the run's end ({end})")
    late = run.sql(
        "select p.id as packet, p.class, node.name as origin, p.created_ns, p.stored_ns, p.returned_ns,"
        " p.outcome, p.reason"
        f" from packet p left join node on node.id = p.origin where {made} and p.created_ns <= :last"
        f" and (p.{done} is null or p.{done} - p.created_ns > :limit) order by p.created_ns",
        last=last,
        limit=limit,
    )
    in_time = total - len(late)
    if Fraction(in_time, total) < ratio:
        expected = f"{ratio} of {total} within {durations.text(limit)}, in time {in_time}"
        raise _violated(run, promise, expected, late)


def loops_delivered(run: Run, ratio: float | str | Fraction, within: str | int, packet_class: str) -> None:
    classes = {"loop": "class = 'loop'", "any": "class in ('loop', 'cover')"}
    if packet_class not in classes:
        raise ValueError(f'packet_class is "loop" or "any", not {packet_class!r}')
    share, limit = durations.ratio(ratio), durations.nanoseconds(within)
    _judge_share(run, "loops come home", classes[packet_class], "returned_ns", share, limit)


# The receiving client cannot tell which packet brought a message, so its fetches are compared by number.
_FETCHES = """
select node.name as recipient,
       (select count(*) from packet where class = 'real' and recipient = node.public_key) as made,
       (select count(*) from packet where class = 'real' and recipient = node.public_key
           and stored_ns + :limit <= :end) as stored,
       (select count(*) from fetched where fetched.node = node.id and class = 'real') as fetched
  from node where node.role = 'client'
"""


def real_delivered(run: Run, ratio: float | str | Fraction, within: str | int, exactly_once: bool) -> None:
    promise = "real messages arrive"
    share, limit = durations.ratio(ratio), durations.nanoseconds(within)
    _judge_share(run, promise, "class = 'real'", "stored_ns", share, limit)
    query = f"select * from ({_FETCHES}) where fetched < stored * :share"
    missing = run.sql(query, limit=limit, end=run.end_ns, share=float(share))
    if len(missing):
        raise _violated(run, promise, f"{share} of what a provider stored fetched by its recipient", missing)
    if exactly_once:
        twice = run.sql(f"select * from ({_FETCHES}) where fetched > made", limit=limit, end=run.end_ns)
        if len(twice):
            raise _violated(run, promise + " exactly once", "nobody fetches more messages than were made", twice)


def conservation(run: Run, settle: str | int) -> None:
    promise = "conservation"
    if run.sql("select count(*) from packet").scalar() == 0:
        raise _inconclusive(run, promise, "no packet was recorded")
    double = run.sql("select id as packet, count(*) as rows from packet group by id having count(*) > 1")
    if len(double):
        raise _violated(run, promise, "one outcome for each packet", double)
    unexplained = run.sql(
        "select id as packet, class, created_ns, outcome, reason from packet where"
        " outcome not in ('delivered', 'dropped', 'in_flight') or outcome is null"
        " or (outcome is 'dropped') is not (reason is not null) order by created_ns"
    )
    if len(unexplained):
        raise _violated(run, promise, "one of three outcomes, and a reason exactly for what was dropped", unexplained)
    if run.has("wire_packet"):
        _wire_is_reported(run, durations.nanoseconds(settle))
    lost = run.sql(
        "select id as packet, class, created_ns, stored_ns, outcome from packet where outcome = 'in_flight'"
        " and created_ns <= ? order by created_ns",
        run.end_ns - durations.nanoseconds(settle),
    )
    if not len(lost):
        return
    faults = run.has("fault") and run.sql("select count(*) from fault").scalar()
    if run.clock == "wall" and faults:
        raise _inconclusive(run, promise, f"{len(lost)} packet(s) in flight after something was killed", lost)
    raise _violated(run, promise, "every packet delivered or dropped with a reason", lost)


# A lab recording saw the wire: what a node says it sent and received must be what the wire carried. Equal digests
# are counted. What came or went in the last moments may still wait in the node to be told of, hence two counts.
# A packet that came to a node and has a fate was in it, unread or held, when it ended: it could tell no more.
_RECEIVED = """
with wire as (
  select to_node as node, digest, count(*) as n, sum(delivered_ns <= :due) as due, min(delivered_ns) as at_ns
    from wire_packet where delivered_ns is not null and fate is null group by 1, 2
), told as (
  select node, digest_in as digest, count(*) as n, min(received_ns) as at_ns from handled group by 1, 2
)
"""
_SENT = """
with wire as (
  select from_node as node, digest, count(*) as n, sum(sent_ns <= :due) as due, min(sent_ns) as at_ns
    from wire_packet group by 1, 2
), told as (
  select node, digest, count(*) as n, min(sent_ns) as at_ns
    from (select node, digest, sent_ns from made where sent_ns is not null
          union all select node, digest_out, sent_ns from handled where sent_ns is not null) group by 1, 2
)
"""
_DIFFERS = """
select coalesce(w.at_ns, t.at_ns) as at_ns, coalesce(node.name, '?') as node,
       coalesce(w.n, 0) as on_the_wire, coalesce(t.n, 0) as reported, coalesce(w.digest, t.digest) as digest
  from wire w full join told t on w.digest = t.digest and w.node = t.node
  left join node on node.id = coalesce(w.node, t.node)
 where coalesce(w.due, 0) > coalesce(t.n, 0) or coalesce(t.n, 0) > coalesce(w.n, 0)
 order by 1
"""


def _wire_is_reported(run: Run, settle: int) -> None:
    for what, query in (("received", _RECEIVED), ("sent", _SENT)):
        differing = run.sql(query + _DIFFERS, due=run.end_ns - settle)
        if len(differing):
            expected = f"what each node reports as {what} equal to what the wire carried"
            raise _violated(run, "conservation", expected, differing)


# The end of a run is no refusal: what a program still holds when it is told to stop, and in the lab what is on a
# connection that the end takes down.
_AT_THE_END = """exists (select 1 from wire_packet w
  where w.digest = h.digest and w.fate = h.reason and w.ended_ns >= (select duration_ns from run))"""


def no_drops(run: Run, besides: frozenset[str]) -> None:
    allowed = sorted(besides | {"shutting_down"})
    marks = ", ".join("?" for _ in allowed)
    spared = _AT_THE_END if run.has("wire_packet") else "0"
    broken = f" where h.verdict = 'drop' and h.reason not in ({marks}) and not {spared}"
    bad = run.sql(_HOP + broken + _FIRST, *allowed)
    if len(bad):
        expected = "no packet refused" + (f" but for {', '.join(sorted(besides))}" if besides else "")
        raise _violated(run, "no drops", expected, bad)
    if run.sql("select count(*) from hop").scalar() == 0:
        raise _inconclusive(run, "no drops", "no hop was recorded")


_TAKEN_TWICE = """
select node.name as node, hex({digest}) as {digest}, count(*) as taken, min(received_ns) as first_ns,
       max(received_ns) as last_ns
  from handled join node on node.id = handled.node
 where verdict in ('forward', 'store') and {digest} is not null group by node, {digest} having count(*) > 1"""


def no_resend_taken(run: Run, same: list[list[bytes]]) -> None:
    promise, expected = "resends", "each packet taken once by a node, whatever it was sent as"
    for digest in ("digest_in", "digest_out"):
        bad = run.sql(_TAKEN_TWICE.format(digest=digest) + " order by last_ns")
        if len(bad):
            raise _violated(run, promise, expected, bad)
    for variants in same:
        marks = ", ".join("?" for _ in variants)
        bad = run.sql(
            "select node.name as node, count(*) as taken, group_concat(hex(digest_in)) as digests from handled"
            f" join node on node.id = handled.node where verdict in ('forward', 'store') and digest_in in ({marks})"
            " group by node.id having count(*) > 1",
            *variants,
        )
        if len(bad):
            raise _violated(run, promise, expected, bad)
        met = run.sql(f"select count(*) from handled where digest_in in ({marks})", *variants).scalar()
        if met < 2:
            raise _inconclusive(run, promise, f"of {len(variants)} variants of a packet nodes met {met}")
