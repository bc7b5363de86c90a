# SPDX-License-Identifier: Apache-2.0
"""What it costs to have a run again, and to find where two recordings part. For scripts/bench.sh."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

BOUND = 1.1
DIFF_S = 1.0
EVENTS = 100_000
SCENARIO = """
[scenario]
name = "again"
duration = "{duration} s"
seed = 1
[mixnet]
width = 3
clients = 8
loop_rate = "10 / s"
[link.default]
latency = "20 ms"
loss = "1/1000"
"""


def wall(words: list[str], expected: str, status: int = 0) -> float:
    begun = time.monotonic()
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    took = time.monotonic() - begun
    if done.returncode != status or expected not in done.stdout:
        raise SystemExit(f"bench.sh: {' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return took


def replay_beside_run(mixlab: str, folder: str) -> float:
    """In pairs, one after the other, so that a busy machine is busy for both."""
    scenario, file = f"{folder}/again.toml", f"{folder}/again.sqlite"
    Path(scenario).write_text(SCENARIO.format(duration=30), encoding="utf-8")
    ratios = []
    for _ in range(5):
        run = wall([mixlab, "run", scenario, "--out", file, "--force"], "chain ")
        again = wall([mixlab, "replay", file], "identical: ")
        ratios.append(again / run)
    with sqlite3.connect(file) as db:
        events = db.execute("select max(seq) from checkpoint").fetchone()[0]
    print(f"a run of {events} events, recorded, judged and sealed, and its replay, five times in turn:")
    print("  replay / run  " + "  ".join(f"{ratio:.2f}" for ratio in ratios))
    return statistics.median(ratios)


def diff_among_many(mixlab: str, folder: str) -> float:
    """One changed event in a recording of at least 100,000."""
    scenario, left = f"{folder}/many.toml", f"{folder}/many.sqlite"
    duration = 60
    while True:
        Path(scenario).write_text(SCENARIO.format(duration=duration), encoding="utf-8")
        wall([mixlab, "run", scenario, "--out", left, "--force"], "chain ")
        with sqlite3.connect(left) as db:
            events = db.execute("select max(seq) from checkpoint").fetchone()[0]
        db.close()
        if events >= EVENTS:
            break
        duration = duration * EVENTS // events + 10
    right = f"{folder}/other.sqlite"
    shutil.copy(left, right)
    planted = events * 618 // 1000
    with sqlite3.connect(right) as db:
        changed = """update event set detail = replace(detail, '"entropy": ', '"entropy": 9') where seq = ?"""
        db.execute(changed, (planted,))
        db.execute("update checkpoint set chain = 'other' where seq > ?", (planted,))
    db.close()
    took = [wall([mixlab, "diff", left, right, "--first"], f"part at event {planted}", 1) for _ in range(5)]
    whole = wall([mixlab, "diff", left, right], f"part at event {planted}", 1)
    print(f"a planted difference at event {planted} of {events}:")
    each = "  ".join(f"{s:.3f}" for s in took)
    print(f"  found in s  {each}; with both sides compared as wholes {whole:.2f} s")
    return statistics.median(took)


def main() -> int:
    mixlab, folder = sys.argv[1:3]
    ratio = replay_beside_run(mixlab, folder)
    found = diff_among_many(mixlab, folder)
    print(f"replay takes {ratio:.2f} of its run (bound {BOUND}): {'PASS' if ratio <= BOUND else 'MISS'}")
    print(f"diff finds the event in {found:.3f} s (bound {DIFF_S}): {'PASS' if found <= DIFF_S else 'MISS'}")
    return 0 if ratio <= BOUND and found <= DIFF_S else 1


sys.exit(main())
