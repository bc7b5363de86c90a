# SPDX-License-Identifier: Apache-2.0
"""One recording, read-only: questions in SQL, and the promises of a mixnet as assertions.

The same class opens the recording of a lab run and of a devnet, finished or still growing. Tables, views and
columns are listed in the README of src/record; times are integer nanoseconds since the start of the run.

An assertion has three outcomes: it returns, it raises `Violated`, or it raises `Inconclusive` when the recording
cannot tell (nothing to judge, senders that did not record, a killed node). Both are AssertionErrors: what cannot
be judged never passes.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from .stats import Judged
    from .wire import Sending


class Violated(AssertionError):
    """The recording shows that a promise was broken."""


class Inconclusive(AssertionError):
    """The recording cannot show whether a promise was kept."""


def said_in_full(error: Any) -> bool:
    """What pytest asks before it shows our own frames: a broken promise is told in its message, not in our code."""
    return isinstance(error.value, Violated | Inconclusive)


__tracebackhide__ = said_in_full


class Result:
    """What a query returned. Fetched whole when the query ran."""

    def __init__(self, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        self.columns = columns
        self._rows = rows

    def rows(self) -> list[tuple[Any, ...]]:
        return self._rows

    def scalar(self) -> Any:
        """The one value of the one row. ValueError when the result has another shape."""
        if len(self._rows) != 1 or len(self.columns) != 1:
            raise ValueError(f"expected one value, got {len(self._rows)} row(s) of {len(self.columns)} column(s)")
        return self._rows[0][0]

    def column(self, name: str | None = None) -> list[Any]:
        """One column as a list: the only one, or that of `name`."""
        if name is None and len(self.columns) != 1:
            raise ValueError(f"which column? {', '.join(self.columns)}")
        index = 0 if name is None else self.columns.index(name)
        return [row[index] for row in self._rows]

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self._rows]

    def table(self, limit: int = 20) -> str:
        """Columns aligned for people; NULL is shown as such, bytes as hex."""
        shown = [[_cell(value) for value in row] for row in self._rows[:limit]]
        widths = [max(len(name), *(len(row[i]) for row in shown), 0) for i, name in enumerate(self.columns)]
        lines = [list(self.columns), *shown]
        text = "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
        )
        left = len(self._rows) - len(shown)
        return text + (f"\n... and {left} more" if left > 0 else "")

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    return value.hex() if isinstance(value, bytes) else str(value)


class Run:
    """A recording. Opened when the first question is asked; `close` it or use `with` when many are open."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"no recording at {self.path}")
        self._db: sqlite3.Connection | None = None

    def sql(self, query: str, *parameters: Any, **named: Any) -> Result:
        """Any SQL that only reads. Values go in as ? or :name, never into the text."""
        if self._db is None:
            self._db = sqlite3.connect(f"file:{quote(str(self.path.resolve()))}?mode=ro", uri=True, timeout=30.0)
        try:
            cursor = self._db.execute(query, named or parameters)
            columns = tuple(entry[0] for entry in cursor.description or ())
            return Result(columns, cursor.fetchall())
        except sqlite3.Error as error:
            raise type(error)(f"{error}\n  in: {query.strip()}\n  recording: {self.path}") from None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    # About the run. -----------------------------------------------------------------------------------------

    def has(self, table: str) -> bool:
        """Whether the recording has a table or view of that name (a devnet's lacks the lab's)."""
        return bool(self.sql("select count(*) from sqlite_master where name = ?", table).scalar())

    @property
    def seed(self) -> int | None:
        value = self.sql("select seed from run").scalar()
        return None if value is None else int(value)

    @property
    def chain(self) -> str | None:
        """The event chain in hex; None for a devnet."""
        value = self.sql("select chain from run").scalar()
        return value.hex() if isinstance(value, bytes) else value

    @property
    def clock(self) -> str:
        """'virtual' (the lab) or 'wall' (a devnet)."""
        return str(self.sql("select clock from run").scalar())

    @property
    def finished(self) -> bool:
        return self.sql("select verdict from run").scalar() is not None

    @property
    def end_ns(self) -> int:
        """The run's duration; while it lasts, the latest time in the recording."""
        duration = self.sql("select duration_ns from run").scalar()
        if duration is not None:
            return int(duration)
        latest = self.sql(
            "select max(t) from (select max(sent_ns) t from made union all select max(received_ns) from handled"
            " union all select max(time_ns) from fetched)"
        ).scalar()
        return int(latest or 0)

    def node_id(self, name: str) -> int:
        return int(self.sql("select id from node where name = ?", name).scalar())

    # Numbers that many tests ask for. -----------------------------------------------------------------------

    def hops_by_layer(self) -> dict[tuple[int | None, int | None], int]:
        """{(from_layer, to_layer): number of hops}."""
        rows = self.sql("select from_layer, to_layer, count(*) from hop group by 1, 2")
        return {(source, target): count for source, target, count in rows}

    def drops(self) -> dict[str, int]:
        """{reason: number of packets refused}."""
        return dict(self.sql("select reason, count(*) from hop where verdict = 'drop' group by 1").rows())

    def loops_home(self, made_after_ns: int = -1) -> int:
        """Loops that came home, of those made after that time. Reads two raw tables: cheap enough to poll."""
        query = (
            "select count(*) from made where class = 'loop' and created_ns > ?"
            " and exists (select 1 from fetched where fetched.digest = made.digest)"
        )
        return int(self.sql(query, made_after_ns).scalar())

    def hops_of(self, packet: int) -> Result:
        """One packet's life."""
        return self.sql("select * from hop where packet = ? order by hop, sent_ns", packet)

    # Promises. ----------------------------------------------------------------------------------------------

    def assert_layer_order(self, allow_unjudged: int = 0) -> None:
        """Every hop goes from layer i to layer i + 1 (properties: S1). A packet whose sender nobody recorded is a
        violation at layer 2 and above, and unjudged at layer 1: more than `allow_unjudged` such is Inconclusive."""
        from . import promises

        promises.layer_order(self, allow_unjudged)

    def assert_loops_delivered(
        self, ratio: float | str | Fraction = 1, within: str | int = "10 s", packet_class: str = "loop"
    ) -> None:
        """At least `ratio` of the loops came home no later than `within` after they were made. Loops made so
        late that the run ended before their time was up are left out. "any" counts fillers, too."""
        from . import promises

        promises.loops_delivered(self, ratio, within, packet_class)

    def assert_real_delivered(
        self, ratio: float | str | Fraction = 1, within: str | int = "10 s", exactly_once: bool = False
    ) -> None:
        """As assert_loops_delivered for users' messages; with `exactly_once` none came home twice."""
        from . import promises

        promises.real_delivered(self, ratio, within, exactly_once)

    def assert_conservation(self, settle: str | int = "10 s") -> None:
        """Every packet has exactly one outcome and every drop a reason (S10). A packet still in flight that was
        made more than `settle` before the end is lost without account: a violation, or Inconclusive in a devnet
        in which something was killed. In a lab recording every packet on the wire is reported at both ends."""
        from . import promises

        promises.conservation(self, settle)

    def assert_no_drops(self, besides: Iterable[str] = ()) -> None:
        """No packet was refused, but for the reasons in `besides`, and what the end of the run took down."""
        from . import promises

        promises.no_drops(self, frozenset(besides))

    def assert_no_resend_taken(self, same: Iterable[Iterable[bytes]] = ()) -> None:
        """No node takes a packet twice (S4). Copies are known by their digests; `same` names digests of one packet
        in other bytes (another alpha of one shared secret, another payload), as whoever crafted them knows."""
        from . import promises

        promises.no_resend_taken(self, [list(variants) for variants in same])

    # Promises about the wire and about chance: lab runs only. -------------------------------------------------

    def sending(self, client: str) -> Sending:
        """What the wire shows of a client: packets to layer 1, requests to its provider, connections."""
        from . import wire

        return wire.sending(self, client)

    def assert_same_sending(self, other: Run, client: str) -> None:
        """Non-interference (S8): in two runs of one seed, whatever the client's user did in each, time, size and
        first hop of its packets, time and size of its requests to the provider, and its connections are equal."""
        from . import wire

        wire.same_sending(self, other, client)

    def assert_size_uniform(self) -> Counter[tuple[str, int]]:
        """Size uniformity (S3): whole packets and nothing else between clients, mixes and providers, on one
        connection for each pair; requests of one size; five messages in every reply. Known of the 0.4 wire, and
        let pass: how long the messages of a reply are. Returns {(link, bytes): how often}. For runs without
        restarts, on links that neither cut reads nor lose; needs [record] payload = "full"."""
        from . import wire

        return wire.size_uniform(self)

    def assert_delay_law(self, mean: str | int, hold: bool = True) -> list[Judged]:
        """Delays (S6): those asked of mixes are exponential with this mean, for each class and layer, whatever the
        class, the next hop and the delays before; with `hold`, those kept are the ones asked, to the nanosecond.
        Returns what was judged: how many samples, and the smallest error they would show."""
        from . import laws

        return laws.delays(self, mean, hold)

    def assert_poisson_sending(self, client: str, loop_rate: float, send_rate: float) -> list[Judged]:
        """Sending times (S7): two Poisson streams of these rates (a second), loops and the rest, from the client's
        first packet on. Returns what was judged."""
        from . import laws

        return laws.sending(self, client, loop_rate, send_rate)

    def assert_no_burst(self, client: str, rate: float, window: str | int = "10 ms") -> Judged:
        """No window holds more of a client's packets than a Poisson process of that rate (a second) puts into one:
        what was missed while it stood still is not made up for (S7)."""
        from . import laws

        return laws.no_burst(self, client, rate, window)

    def assert_accounts(self, interval: str | int = "1 s", settle: str | int = "1 s") -> int:
        """For every node and interval: what the wire brought is what the wire took, was stored, was dropped for a
        reason, or is held more than before (S10), up to `settle` before the end. For runs in which nothing was
        killed. Returns how many sums came out."""
        from . import account

        return account.balanced(self, interval, settle)
