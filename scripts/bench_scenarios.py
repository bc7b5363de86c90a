# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios one after the other and prints how much faster than a clock they go. For scripts/bench.sh."""

import json
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path


def run(mixlab: str, scenario: str, recording: str) -> str:
    """One line about one run: wall time from start to verdict, processor time of the lab and its nodes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    words = [mixlab, "run", scenario, "--json", "--out", recording]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = json.loads(done.stdout)
    if not result["chain"]:
        raise SystemExit(f"{scenario}: {result['problem']}")
    hops = sqlite3.connect(recording).execute("select count(*) from wire_packet").fetchone()[0]
    virtual = result["duration_ns"] / 1e9
    return (
        f"{result['scenario']:22} {virtual:9.0f} {wall:8.2f} {cpu:8.2f} {virtual / wall:8.1f} {virtual / cpu:8.1f}"
        f" {result['activations']:11} {hops:8} {result['verdict']:>8}"
    )


def main() -> None:
    mixlab, folder, *scenarios = sys.argv[1:]
    print("scenario               virtual s   wall s    cpu s  virt/wall virt/cpu activations     hops  verdict")
    for number, scenario in enumerate(scenarios):
        recording = f"{folder}/{number}.sqlite"
        print(run(mixlab, scenario, recording), flush=True)
        Path(recording).unlink()


main()
