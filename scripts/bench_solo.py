# SPDX-License-Identifier: Apache-2.0
"""What one program of a 60-node run costs alone, beside its share of the run. For scripts/bench.sh."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

BOUND = 2.0
SCENARIO = """
[scenario]
name = "sixty"
duration = "60 s"
seed = 1
[mixnet]
width = 14
clients = 16
loop_rate = "6 / s"
[link.default]
latency = "20 ms"
[record]
payload = "full"
"""


def cpu_of(words: list[str], expected: str) -> float:
    """Processor seconds, of the lab and all its programs: equal work, whoever else uses the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or expected not in done.stdout:
        raise SystemExit(f"bench.sh: {' '.join(words)} failed:\n{done.stdout}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    mixlab, folder = sys.argv[1:3]
    scenario, file = f"{folder}/sixty.toml", f"{folder}/sixty.sqlite"
    Path(scenario).write_text(SCENARIO)
    run_s = cpu_of([mixlab, "run", scenario, "--out", file], "chain ")
    db = sqlite3.connect(file)
    nodes = db.execute("SELECT count(*) FROM node").fetchone()[0]
    activations = (
        "SELECT n.name, count(*) FROM event e JOIN node n ON n.id = e.node WHERE kind = 'activation' GROUP BY 1"
    )
    counts = dict(db.execute(activations))
    total = sum(counts.values())
    print(f"a run of {nodes} programs: {total} activations, {run_s:.2f} s of processor time, recording included")
    print("program       activations  share s  start s  alone s  alone less start / share")
    worst = 0.0
    for name in ("mix-0", "mix-20", "provider-0", "client-3"):
        replay = [mixlab, "replay", file, "--node", name]
        start = min(cpu_of([*replay, "--until", "0 s"], "stopped before") for _ in range(3))
        alone = min(cpu_of(replay, "identical") for _ in range(3))
        share = run_s * counts[name] / total
        ratio = (alone - start) / share
        worst = max(worst, ratio)
        print(f"{name:12} {counts[name]:12} {share:8.3f} {start:8.3f} {alone:8.3f} {ratio:8.2f}")
    verdict = "PASS" if worst <= BOUND else "MISS"
    print(f"solo replay, less its start, is at most {worst:.2f} of its share of the run (bound {BOUND}): {verdict}")
    return 0 if worst <= BOUND else 1


sys.exit(main())
