# SPDX-License-Identifier: Apache-2.0
"""What the lab costs beside the packets it carries. For scripts/bench.sh; every line is a ratio of one run.

Wall times are from the first to the last activation, starting the programs included.
"""

import json
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SCENARIO = """[scenario]
name = "bench"
duration = "{duration}"

[mixnet]
width = {width}
clients = {clients}
loop_rate = "{rate} / s"
send_rate = "{rate} / s"

[link.default]
latency = "20 ms"

[record]
payload = "{payload}"

[[expect]]
that = "conservation"
"""


class MemoryWatch(threading.Thread):
    """Looks at the children of a process until it ends: (private dirty memory, PSS) in KiB, the largest of each program."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid, self.over = pid, threading.Event()
        self.largest: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        while not self.over.wait(0.2):
            try:
                children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
            except OSError:
                return
            for child in children:
                try:
                    program = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0")[0]
                    text = Path(f"/proc/{child}/smaps_rollup").read_text(encoding="ascii")
                except OSError:
                    continue  # it has just ended
                fields = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]}
                here = int(fields.get("Private_Dirty", 0)), int(fields.get("Pss", 0))
                name = Path(program).name
                self.largest[name] = max(self.largest.get(name, (0, 0)), here)


class Bench:
    def __init__(self, mixlab: str, sphinx: str, folder: str) -> None:
        self.mixlab, self.sphinx, self.folder = mixlab, sphinx, Path(folder)

    def primitive_us(self) -> tuple[float, float]:
        """Microseconds of a peel, and of building a packet for three mixes and a provider."""
        text = subprocess.run([self.sphinx], capture_output=True, text=True, check=False).stdout
        peel, build = (re.search(rf"^{what}: ([0-9.]+) us", text, re.M) for what in ("peel.*?", "build, 4 hops"))
        if peel is None or build is None:
            raise SystemExit("bench_sphinx does not print what a peel and a build take")
        return float(peel.group(1)), float(build.group(1))

    def run(self, *, width: int = 2, clients: int = 3, rate: int = 2, duration: str = "60 s",
            payload: str = "digest", look: bool = False) -> dict[str, Any]:
        scenario, recording = self.folder / "bench.toml", self.folder / "bench.sqlite"
        scenario.write_text(SCENARIO.format(duration=duration, width=width, clients=clients, rate=rate, payload=payload),
                            encoding="utf-8")
        recording.unlink(missing_ok=True)
        lab = subprocess.Popen([self.mixlab, "run", str(scenario), "--json", "--out", str(recording)],
                               stdout=subprocess.PIPE, text=True)
        watch = MemoryWatch(lab.pid) if look else None
        if watch:
            watch.start()
        output = lab.communicate()[0]
        if watch:
            watch.over.set()
            watch.join()
        result = json.loads(output)
        if not result["chain"]:
            raise SystemExit(result["problem"])
        with sqlite3.connect(recording) as db:
            def count(sql: str) -> int:
                return db.execute(sql).fetchone()[0]

            hops = count("select count(*) from wire_packet")
            built = count("select count(*) from made")
            peeled = count("select count(*) from handled")
        return {"wall": result["wall_s"], "activations": result["activations"],
                "hops": hops, "built": built, "peeled": peeled, "memory": watch.largest if watch else {}}


def main() -> None:
    bench = Bench(*sys.argv[1:4])
    peel, build = bench.primitive_us()
    few, many = bench.run(rate=2), bench.run(rate=20)
    marginal = (many["activations"] - few["activations"]) / (many["hops"] - few["hops"])
    print("2x3, 3 clients, 60 s: 4 and 40 packets/s a client")
    print(f"  activations {few['activations']} and {many['activations']}, hops {few['hops']} and {many['hops']}")
    print(f"  marginal activations a packet and hop  {marginal:.2f} (at most 2.2)")
    chores = few["activations"] - marginal * few["hops"]
    print(f"  chores (presence, polls, topology)     {chores / few['activations']:.0%} of those at 4 packets/s")

    over = marginal > 2.2
    print("\n2x3, 3 clients, 80 + 80 packets/s a client: wall time over peels and builds alone")
    for payload, bound in (("digest", 1.35), ("full", 1.45)):
        run = bench.run(rate=80, payload=payload)
        again, build_again = bench.primitive_us()
        alone = (run["peeled"] * (peel + again) + run["built"] * (build + build_again)) / 2e6
        print(f"  payload {payload:7} {run['hops']} hops, {run['wall']:.1f} s over {alone:.1f} s"
              f"  {run['wall'] / alone:.2f} (at most {bound})")
        over = over or run["wall"] / alone > bound

    print("\na client for every two mixes, 4 packets/s each: wall time a hop beside that of 6 mixes")
    start = bench.run(width=66, clients=99, duration="1 s")
    small, large = bench.run(width=2, clients=3, rate=20), bench.run(width=66, clients=99, rate=20, duration="10 s")
    seen = bench.run(width=66, clients=99, rate=20, duration="10 s", look=True)
    ratio = (large["wall"] - start["wall"]) / large["hops"] / (small["wall"] / small["hops"])
    print(f"  299 programs: {start['wall']:.1f} s for the first second, start included (at most 10)")
    print(f"  299 programs over 11: {ratio:.2f} (at most 1.5)")
    for name, (dirty, pss) in sorted(seen["memory"].items()):
        print(f"  {name:17} {dirty / 1024:.2f} MiB private dirty (under 4), {pss / 1024:.2f} MiB PSS (under 8)")
        over = over or dirty >= 4096 or pss >= 8192
    raise SystemExit(1 if over or ratio > 1.5 or start["wall"] > 10 else 0)


main()
