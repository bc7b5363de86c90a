# SPDX-License-Identifier: Apache-2.0
"""What a recording costs: bytes a hop by table, and CPU of the thread that writes. For scripts/bench.sh."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

from bench_lab import Bench, Verdicts

SHORT, LONG = "10 s", "60 s"


def look(recording: Path) -> dict[str, Any]:
    with sqlite3.connect(recording) as db:
        bytes_sent, hops = (db.execute(sql).fetchone()[0] for sql in
                            ("select sum(size) from segment", "select count(*) from wire_packet"))
        tables = dict(db.execute("select name, sum(pgsize - unused) from dbstat group by name"))
    return {"file": recording.stat().st_size, "sent": bytes_sent, "hops": hops, "tables": tables}


def main() -> None:
    bench, verdicts = Bench(*sys.argv[1:4]), Verdicts()
    recording = bench.folder / "bench.sqlite"
    for payload in ("digest", "full"):
        few = (bench.run(rate=20, payload=payload, duration=SHORT), look(recording))[1]
        run = bench.run(rate=20, payload=payload, duration=LONG, look=True)
        many = look(recording)
        grown, hops, sent = (many[key] - few[key] for key in ("file", "hops", "sent"))
        print(f"2x3, 3 clients, 40 packets/s a client, payload {payload}: {LONG} beside {SHORT}")
        print(f"  {grown} bytes more for {hops} hops and {sent} bytes on the wire")
        if payload == "digest":
            verdicts.bound("bytes of the recording a hop", grown / hops, 300)
        else:
            verdicts.bound("bytes of the recording a byte sent", grown / sent, 1.3)
        costs = {name: (size - few["tables"].get(name, 0)) / hops for name, size in many["tables"].items()}
        print("  of these, a hop: " + ", ".join(f"{name} {cost:.1f}" for name, cost in
                                                sorted(costs.items(), key=lambda c: -c[1]) if cost >= 0.5))
        print(f"  the writing thread: {run['writer_s'] / run['hops'] * 1e6:.1f} us of CPU a hop,"
              f" {run['writer_s'] / run['wall']:.0%} of the run's wall time\n")
    raise SystemExit(1 if verdicts.missed else 0)


main()
