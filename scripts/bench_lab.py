# SPDX-License-Identifier: Apache-2.0
"""What the lab costs beside the packets it carries. For scripts/bench.sh; every bound is a ratio of one run.

Wall times are from the first to the last activation, starting the programs included.
"""

import json
import re
import sqlite3
import statistics
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

# A machine's neighbours come and go within a minute: what a bound is about is measured so often.
ROUNDS, ROUNDS_OF_MANY = 5, 3
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
that = "layer-order"
"""


class Watch(threading.Thread):
    """Looks at a lab and its children until it ends: (private dirty memory, PSS) in KiB, the largest of each program;
    seconds of CPU of the lab's threads but the first."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid, self.over = pid, threading.Event()
        self.largest: dict[str, tuple[int, int]] = {}
        self.writer_s = 0.0

    def run(self) -> None:
        while not self.over.wait(0.5):
            try:
                children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
            except OSError:
                return
            self.writer_s = max(self.writer_s, sum(map(self.cpu_s, Path(f"/proc/{self.pid}/task").glob("*"))))
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

    def cpu_s(self, task: Path) -> float:
        if task.name == str(self.pid):
            return 0.0
        try:
            return int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        except OSError:
            return 0.0


class Bench:
    def __init__(self, mixlab: str, sphinx: str, folder: str) -> None:
        self.mixlab, self.sphinx, self.folder = mixlab, sphinx, Path(folder)

    def primitive_us(self) -> tuple[float, float]:
        """Microseconds of a peel, and of building a packet for three mixes and a provider."""
        text = subprocess.run([self.sphinx], capture_output=True, text=True, check=False).stdout
        kinds = ("peel.*?", "build, 4 hops")
        peel, build = (re.search(rf"^{kind}: ([0-9.]+) us", text, re.MULTILINE) for kind in kinds)
        if peel is None or build is None:
            raise SystemExit("bench_sphinx does not print what a peel and a build take")
        return float(peel.group(1)), float(build.group(1))

    def run(self, *, width: int = 2, clients: int = 3, rate: int = 2, duration: str = "60 s",
            payload: str = "digest", look: bool = False) -> dict[str, Any]:
        scenario, recording = self.folder / "bench.toml", self.folder / "bench.sqlite"
        text = SCENARIO.format(duration=duration, width=width, clients=clients, rate=rate, payload=payload)
        scenario.write_text(text, encoding="utf-8")
        recording.unlink(missing_ok=True)
        lab = subprocess.Popen([self.mixlab, "run", str(scenario), "--json", "--out", str(recording)],
                               stdout=subprocess.PIPE, text=True)
        watch = Watch(lab.pid) if look else None
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
                "hops": hops, "built": built, "peeled": peeled, "memory": watch.largest if watch else {},
                "writer_s": watch.writer_s if watch else 0.0}


class Verdicts:
    """Figures beside their bounds; `missed` when one does not hold."""

    def __init__(self) -> None:
        self.missed = False

    def bound(self, what: str, seen: float, limit: float, relation: str = "at most") -> None:
        holds = seen < limit if relation == "under" else seen <= limit
        self.missed = self.missed or not holds
        print(f"  {what:62} {seen:8.2f}  ({relation} {limit:g})  {'PASS' if holds else 'MISS'}", flush=True)


def activations(bench: Bench, verdicts: Verdicts) -> None:
    few, many = bench.run(rate=2), bench.run(rate=20)
    marginal = (many["activations"] - few["activations"]) / (many["hops"] - few["hops"])
    print("2x3, 3 clients, 60 s: 4 and 40 packets/s a client")
    print(f"  activations {few['activations']} and {many['activations']}, hops {few['hops']} and {many['hops']}")
    verdicts.bound("marginal activations a packet and hop", marginal, 2.2)
    chores = few["activations"] - marginal * few["hops"]
    print(f"  chores (presence, polls, topology): {chores / few['activations']:.0%} of those at 4 packets/s")


def overhead(bench: Bench, verdicts: Verdicts) -> None:
    print("\n2x3, 3 clients, 80 + 80 packets/s a client: wall time over peels and builds alone, five times in turn")
    ratios: dict[str, list[float]] = {"digest": [], "full": []}
    for _ in range(ROUNDS):
        for payload, seen in ratios.items():
            peel, build = bench.primitive_us()
            run = bench.run(rate=80, payload=payload)
            again, build_again = bench.primitive_us()
            alone = (run["peeled"] * (peel + again) + run["built"] * (build + build_again)) / 2e6
            seen.append(run["wall"] / alone)
            print(f"  {run['hops']} hops, payload {payload}: {run['wall']:.2f} s over {alone:.2f} s, {seen[-1]:.2f}",
                  flush=True)
    for payload, limit in (("digest", 1.35), ("full", 1.45)):
        verdicts.bound(f"overhead, payload {payload}, the median", statistics.median(ratios[payload]), limit)


def many_nodes(bench: Bench, verdicts: Verdicts) -> None:
    """Wall time a hop is marginal, of a longer run over a shorter one, so that starting is in neither."""
    print("\na client for every two mixes, 10 packets/s each: 198 mixes, 99 clients beside 6 and 3")
    large = {"width": 66, "clients": 99, "rate": 5}
    start = bench.run(**large, duration="1 s")
    verdicts.bound("seconds for the first second, start of 299 programs included", start["wall"], 10, "under")
    ratios = []
    for _ in range(ROUNDS_OF_MANY):
        hop_us = []
        for sizes, short, long in (({"width": 2, "clients": 3, "rate": 5}, "10 s", "130 s"), (large, "10 s", "24 s")):
            less, more = bench.run(**sizes, duration=short), bench.run(**sizes, duration=long)
            hops, activations = (more[what] - less[what] for what in ("hops", "activations"))
            hop_us.append((more["wall"] - less["wall"]) / hops * 1e6)
            print(f"  {sizes['width'] * 3} mixes: {hops} hops from {short} to {long},"
                  f" {hop_us[-1]:.0f} us and {activations / hops:.2f} activations a hop", flush=True)
        ratios.append(hop_us[1] / hop_us[0])
    verdicts.bound("wall time a hop, 299 programs over 11, the median", statistics.median(ratios), 1.5)
    seen = bench.run(**large, duration="6 s", look=True)
    for name, (dirty, pss) in sorted(seen["memory"].items()):
        verdicts.bound(f"MiB private dirty, largest {name}", dirty / 1024, 4, "under")
        verdicts.bound(f"MiB PSS, largest {name}", pss / 1024, 8, "under")


def main() -> None:
    bench, verdicts = Bench(*sys.argv[1:4]), Verdicts()
    activations(bench, verdicts)
    overhead(bench, verdicts)
    many_nodes(bench, verdicts)
    raise SystemExit(1 if verdicts.missed else 0)


if __name__ == "__main__":
    main()
