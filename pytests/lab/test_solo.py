# SPDX-License-Identifier: Apache-2.0
"""One program of a recorded run again, alone: `mixlab replay FILE --node NAME`, and gdb on it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Everything that an inbox alone does not tell: programs that share a host, a restart with a folder
# full of mail, a clock that steps, reads in pieces.
SCENARIO = """
[scenario]
name = "solo"
about = "Can every program be had again alone?"
duration = "14 s"
seed = 11

[mixnet]
width = 1
clients = 2

[link.default]
latency = { dist = "uniform", min = "5 ms", max = "30 ms" }
fragment = "seeded"

[[traffic]]
from = "client[0]"
to = "client[1]"
rate = "2 / s"
size = 200
window = ["4 s", "10 s"]

[[at]]
t = "6 s"
do = "crash"
on = "provider-0"
for = "1 s"

[[at]]
t = "8 s"
do = "step-clock"
on = "mix-0"
by = "3 s"

[[expect]]
that = "layer-order"
"""


@dataclass(frozen=True)
class Recorded:
    mixlab: Path
    file: Path

    def run(self, *words: str, said: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.mixlab, *words],
            input=said,
            stdin=None if said is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            cwd=cwd,
            check=False,
        )

    def solo(self, node: str, *words: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("replay", str(self.file), "--node", node, *words, said=said)

    def rows(self, sql: str, *values: object) -> list[tuple]:
        with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as db:
            return db.execute(sql, values).fetchall()

    def programs(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT DISTINCT name FROM life JOIN node ON node.id = life.node")]


@pytest.fixture(scope="module")
def recorded(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A run with full payloads; its recording has moved, and its scenario file is gone."""
    made, kept = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("kept")
    (made / "solo.toml").write_text(SCENARIO)
    out = Recorded(bin_folder / "mixlab", kept / "moved.sqlite")
    ran = out.run("run", "solo.toml", "--set", 'record.payload="full"', "--out", "run.sqlite", cwd=made)
    assert ran.returncode == 0, ran.stdout
    shutil.move(made / "run.sqlite", out.file)
    shutil.rmtree(made)
    yield out


def test_every_program_does_the_same_again_alone(recorded: Recorded) -> None:
    programs = recorded.programs()
    assert {"directory", "mix-0", "mix-2", "provider-0", "client-0", "client-1"} <= set(programs)
    assert any("talk" in name for name in programs)
    for name in programs:
        again = recorded.solo(name)
        assert again.returncode == 0, f"{name}: {again.stdout}"
        (activations,) = recorded.rows(
            "SELECT count(*) FROM event JOIN node ON node.id = event.node WHERE name = ? AND kind = 'activation'", name
        )[0]
        lives = ", 2 lives" if name == "provider-0" else ""
        assert again.stdout == f"identical: {activations} activations of {name}{lives}\n"


def test_one_life_of_a_program_that_was_restarted(recorded: Recorded) -> None:
    second = recorded.solo("provider-0", "--life", "2")
    assert re.fullmatch(r"identical: \d+ activations of provider-0\n", second.stdout), second.stdout
    third = recorded.solo("provider-0", "--life", "3")
    assert third.returncode == 2
    assert "'provider-0' was never started in it, or not so often" in third.stdout


def changed_programs(recorded: Recorded, folder: Path, name: str, old: bytes, new: bytes) -> Recorded:
    """The same tools, with one program changed: a string in it."""
    shutil.copytree(recorded.mixlab.parent, folder)
    binary = (folder / name).read_bytes()
    assert binary.count(old) == 1 and len(old) == len(new)
    (folder / name).write_bytes(binary.replace(old, new))
    return Recorded(folder / "mixlab", recorded.file)


def test_a_changed_program_is_caught_where_it_first_does_something_else(recorded: Recorded, tmp_path: Path) -> None:
    """The planted change: the path to which a mixnode posts its metrics, first after some seconds."""
    old, new = b"/api/metrics/mix-", b"/api/metricz/mix-"
    changed = changed_programs(recorded, tmp_path / "bin", "nym-mixnode", old, new)
    parted = changed.solo("mix-1")
    assert parted.returncode == 1, parted.stdout
    # The truth, from the recording's own bytes: the first segment with that path from that node.
    (sent,) = recorded.rows(
        "SELECT min(s.sent_ns) FROM segment s JOIN node n ON n.id = s.from_node WHERE n.name = 'mix-1' "
        "AND instr(s.payload, ?) > 0",
        b"POST /api/metrics/mix",
    )[0]
    (event,) = recorded.rows(
        "SELECT e.seq FROM event e JOIN node n ON n.id = e.node WHERE n.name = 'mix-1' AND e.time_ns = ? "
        "AND e.kind = 'activation'",
        sent,
    )[0]
    assert f"event {event}, at " in parted.stdout, parted.stdout
    assert "mix-1 does something else than it did then\n  outbox\n" in parted.stdout
    assert "note  nym-mixnode is another build than the recorded one" in parted.stdout
    assert re.search(r"put out then.*\n  sends to directory on connection \d+: \d+ bytes", parted.stdout)
    assert re.search(r"puts out now:\n(  .*\n)*  sends on socket \d+: \d+ bytes", parted.stdout)
    # Another node of the same build that never does this is as it was.
    assert changed.solo("client-0").returncode == 0


def damaged(recorded: Recorded, path: Path, sql: str) -> Recorded:
    shutil.copy(recorded.file, path)
    with sqlite3.connect(path) as db:
        assert db.execute(sql).rowcount > 0
    return Recorded(recorded.mixlab, path)


def test_a_changed_recording_is_told_from_a_changed_program(recorded: Recorded, tmp_path: Path) -> None:
    to_mix = "SELECT s.id FROM segment s JOIN node n ON n.id = s.to_node WHERE n.name = 'mix-0' AND s.size = 1372"
    packets = f"id IN ({to_mix})"
    flipped = damaged(
        recorded, tmp_path / "flipped.sqlite", f"UPDATE payload SET bytes = zeroblob(1372) WHERE {packets}"
    )
    sealed = flipped.solo("mix-0")
    assert sealed.returncode == 2 and "changed or damaged" in sealed.stdout
    flipped = flipped.solo("mix-0", "--anyway")
    assert flipped.returncode == 3
    assert re.search(r"inbox of event \d+ is not the one that the event names: the file was changed", flipped.stdout)
    gone = damaged(recorded, tmp_path / "gone.sqlite", f"DELETE FROM payload WHERE {packets}").solo("mix-0", "--anyway")
    assert gone.returncode == 3
    assert re.search(r"event \d+: segment \d+ is not in the recording", gone.stdout)
    late = damaged(
        recorded,
        tmp_path / "late.sqlite",
        "DELETE FROM folder_file WHERE path LIKE '%.pem' AND life = (SELECT max(life.seq) FROM life JOIN node "
        "ON node.id = life.node WHERE name = 'client-0')",
    ).solo("client-0", "--anyway")
    assert late.returncode == 1, late.stdout
    assert "client-0 does something else than it did then" in late.stdout


def test_mistakes_are_named(recorded: Recorded, tmp_path: Path) -> None:
    nobody = recorded.solo("mix-9")
    assert nobody.returncode == 2
    assert "it has no program 'mix-9'; it has directory, mix-0, mix-1" in nobody.stdout
    (tmp_path / "s.toml").write_text(SCENARIO)
    ran = recorded.run("run", "s.toml", "--out", "digests.sqlite", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    digests = Recorded(recorded.mixlab, tmp_path / "digests.sqlite")
    refused = digests.solo("mix-0")
    assert refused.returncode == 2
    assert "it keeps digests only" in refused.stdout
    assert "replay FILE --full OUT" in refused.stdout
    wrong = recorded.solo("mix-0", "--until", "soon")
    assert wrong.returncode == 2
    assert "--until: " in wrong.stdout and "soon" in wrong.stdout


def test_a_recording_of_digests_is_had_again_in_full(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO)
    ran = recorded.run("run", "s.toml", "--seed", "3", "--out", "digests.sqlite", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    (tmp_path / "s.toml").unlink()
    chain = re.search(r"chain (\w{64})", ran.stdout)
    words = ["replay", "digests.sqlite", "--full", "full.sqlite"]
    full = recorded.run(*words, cwd=tmp_path)
    assert chain and full.stdout == f"the same run in full: full.sqlite, chain {chain[1]}\n"
    assert recorded.run(*words, cwd=tmp_path).returncode == 2  # nothing is overwritten
    alone = recorded.run("replay", "full.sqlite", "--node", "mix-2", cwd=tmp_path)
    assert alone.returncode == 0 and alone.stdout.startswith("identical: "), alone.stdout


def test_a_pack_is_used_for_one_program_too(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copy(recorded.file, tmp_path / "kept.sqlite")
    packed = recorded.run("pack", str(tmp_path / "kept.sqlite"))
    assert packed.returncode == 0, packed.stdout
    old, new = b"/api/metrics/mix-", b"/api/metricz/mix-"
    changed = changed_programs(recorded, tmp_path / "bin", "nym-mixnode", old, new)
    alone = Recorded(changed.mixlab, tmp_path / "kept.sqlite").solo("mix-1")
    assert alone.returncode == 0, alone.stdout
    assert "are those of" in alone.stdout and "identical: " in alone.stdout


def test_until_stops_before_an_event_and_shows_what_is_waited_for(recorded: Recorded) -> None:
    stopped = recorded.solo("mix-0", "--until", "9 s")
    assert stopped.returncode == 0, stopped.stdout
    first, rest = stopped.stdout.split("\n", 1)
    found = re.fullmatch(r"stopped before event (\d+), at ([\d.]+) s; mix-0 is process \d+", first)
    assert found and float(found[2]) >= 9
    assert re.search(r"thread \d+ waits in epoll_wait since ", rest)
    same = recorded.solo("mix-0", "--until", found[1])
    assert same.stdout.startswith(f"stopped before event {found[1]}, ")


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed (scripts/setup.sh all)")
def test_gdb_goes_through_virtual_time_and_changes_nothing(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # nobody's .gdbinit
    told = recorded.solo(
        "mix-0",
        "--gdb",
        said="""lab next
lab packet
bt
lab until "9 s"
lab now
break mix::mixnode::Relay::take
lab end
bt 2
delete
lab end
""",
    )
    assert told.returncode == 0, told.stdout
    stops = re.findall(r"\[virtual time ([\d.]+) s\] *(.*)", told.stdout)
    (started,) = recorded.rows("SELECT seq + 1 FROM life JOIN node ON node.id = life.node WHERE name = 'mix-0'")[0]
    assert stops[0][1] == f"event {started}"
    assert stops[1][1].endswith(", a packet comes in")
    assert float(stops[2][0]) >= 9 and f"\n(gdb) {stops[2][0]} s\n" in told.stdout
    assert stops[3][1] == "" and float(stops[3][0]) >= float(stops[2][0])  # the user's own breakpoint
    assert "lab_debug_stop" in told.stdout and "Breakpoint 1, mix::mixnode::Relay::take" in told.stdout
    assert "the recording of mix-0 ends here" in told.stdout
    assert re.search(r"identical: \d+ activations of mix-0\n$", told.stdout), told.stdout[-400:]


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed (scripts/setup.sh all)")
def test_gdb_begins_at_a_time_and_may_be_left(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    told = recorded.solo("provider-0", "--gdb", "--life", "2", "--until", "10 s", said="lab now\nquit\n")
    assert told.returncode == 0, told.stdout
    at = re.search(r"\[virtual time ([\d.]+) s\] event \d+", told.stdout)
    assert at and 10 <= float(at[1]) < 11
    assert re.search(r"identical: \d+ activations of provider-0, then left\n$", told.stdout)
