# SPDX-License-Identifier: Apache-2.0
"""A recording alone, moved to another folder, is enough to have its run again; what was changed is named."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from labkit import NOBODY

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.toml"))
LOOPS = ROOT / "scenarios" / "loop_1x3.toml"


def call(mixlab: Path, *words: str | Path, cwd: Path, said: str = "", user: int | None = None,
         environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    who: dict[str, object] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    return subprocess.run(  # type: ignore[call-overload]
        [str(mixlab), *map(str, words)],
        input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, cwd=cwd, check=False,
        env={**os.environ, **(environment or {})}, **who,
    )


def record(mixlab: Path, folder: Path, scenario: Path = LOOPS, *words: str) -> Path:
    recording = folder / "moved.sqlite"
    ran = call(mixlab, "run", scenario, "--out", recording, *words, cwd=ROOT)
    assert ran.returncode in (0, 1, 4), ran.stdout
    return recording


@pytest.fixture
def mixlab(bin_folder: Path) -> Path:
    return bin_folder / "mixlab"


@pytest.fixture(scope="module")
def original(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    return record(bin_folder / "mixlab", tmp_path_factory.mktemp("original"), LOOPS, "--seed", "3")


@pytest.fixture
def recording(original: Path, tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    return shutil.copy(original, tmp_path / "elsewhere" / "moved.sqlite")


def change(recording: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(recording)) as db, db:
        db.execute(statement)
        assert db.total_changes > 0


def one(recording: Path, sql: str) -> tuple:
    with contextlib.closing(sqlite3.connect(f"file:{recording}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchone()


# ---- the same again ----


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_replays_from_another_folder(mixlab: Path, scenario: Path, tmp_path: Path) -> None:
    recording = record(mixlab, tmp_path, scenario)
    deep = tmp_path / ("a-folder-with-quite-a-long-name-" * 2)
    deep.mkdir()
    shutil.move(recording, deep / "moved.sqlite")
    seen = call(mixlab, "replay", "moved.sqlite", cwd=deep, environment={"TZ": "Asia/Tokyo", "NOISE": "x" * 3000})
    assert seen.returncode == 0, seen.stdout
    events, chain = one(deep / "moved.sqlite", "select (select max(seq) from checkpoint), chain from run")
    assert seen.stdout.endswith(f"identical: {events} events, chain {chain}\n"), seen.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")
def test_another_user_replays_it(bin_folder: Path, recording: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
        if folder.name.startswith("pytest-of-"):
            break
    programs = tmp_path / "programs"
    shutil.copytree(bin_folder, programs)
    theirs = recording.parent
    for path in (theirs, recording):
        os.chown(path, NOBODY, NOBODY)
    seen = call(programs / "mixlab", "replay", recording, cwd=theirs, user=NOBODY, environment={"TMPDIR": str(theirs)})
    assert seen.returncode == 0, seen.stdout
    assert "identical: " in seen.stdout


def test_a_replay_writes_nothing(mixlab: Path, recording: Path) -> None:
    before = recording.read_bytes()
    assert call(mixlab, "replay", recording, cwd=recording.parent).returncode == 0
    assert recording.read_bytes() == before
    assert [path.name for path in recording.parent.iterdir()] == ["moved.sqlite"]


# ---- what is not as it was ----


def test_a_changed_event_is_refused_and_shown_with_its_neighbours(mixlab: Path, recording: Path) -> None:
    change(recording, "update event set detail = replace(detail, '\"entropy\": ', '\"entropy\": 7') where seq = 700")
    seen = call(mixlab, "replay", recording, cwd=recording.parent)
    assert seen.returncode == 2
    assert "was changed or damaged after its run" in seen.stdout
    anyway = call(mixlab, "replay", recording, "--anyway", cwd=recording.parent)
    assert anyway.returncode == 1, anyway.stdout
    assert "the runs part at event 700\n" in anyway.stdout
    assert len(re.findall(r"^  both +(\d+) ", anyway.stdout, re.M)) == 10
    assert re.search(r"^  both +699 ", anyway.stdout, re.M)
    assert re.search(r"what differs there\n  entropy\n    recorded: 7(\d+)\n    seen now: \1\n", anyway.stdout)


def test_another_seed_parts_at_its_first_activation_that_draws(mixlab: Path, recording: Path) -> None:
    change(recording, "update run set seed = 4")
    seen = call(mixlab, "replay", recording, "--anyway", cwd=recording.parent)
    assert seen.returncode == 1, seen.stdout
    assert "part at event" in seen.stdout


def test_a_recording_that_goes_on_is_a_difference(mixlab: Path, recording: Path) -> None:
    last = one(recording, "select max(seq) from event")[0]
    change(recording, f"insert into event (seq, time_ns, node, kind, detail) values ({last + 1}, 1, 1, 'exit', '{{}}')")
    seen = call(mixlab, "replay", recording, "--anyway", cwd=recording.parent)
    assert seen.returncode == 1, seen.stdout
    assert f"part at event {last + 1}\n" in seen.stdout and "the run has ended" in seen.stdout


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_flipped_byte_is_found_wherever_it_is(mixlab: Path, recording: Path, share: float) -> None:
    data = bytearray(recording.read_bytes())
    data[int(len(data) * share)] ^= 0x20
    recording.write_bytes(data)
    seen = call(mixlab, "replay", recording, cwd=recording.parent)
    assert seen.returncode == 2, seen.stdout
    assert "changed or damaged" in seen.stdout or "is not a recording, or is damaged" in seen.stdout


def test_a_truncated_file_and_an_incomplete_one_say_so(mixlab: Path, recording: Path) -> None:
    unfinished = shutil.copy(recording, recording.with_name("x.sqlite.incomplete"))
    seen = call(mixlab, "replay", unfinished, cwd=recording.parent)
    assert seen.returncode == 2 and "of a run that did not end" in seen.stdout
    recording.write_bytes(recording.read_bytes()[:-20_000])
    seen = call(mixlab, "replay", recording, cwd=recording.parent)
    assert seen.returncode == 2 and "is truncated: " in seen.stdout


def test_a_devnets_recording_says_so(mixlab: Path, recording: Path) -> None:
    change(recording, "update run set clock = 'wall', chain = null")
    seen = call(mixlab, "replay", recording, cwd=recording.parent)
    assert seen.returncode == 2 and "is a devnet's recording" in seen.stdout


def changed_bin(bin_folder: Path, folder: Path) -> Path:
    """The same programs, but for a mixnode that posts its metrics elsewhere."""
    shutil.copytree(bin_folder, folder)
    mixnode = folder / "nym-mixnode"
    was = mixnode.read_bytes()
    assert was.count(b"/api/metrics/mix-") == 1
    mixnode.write_bytes(was.replace(b"/api/metrics/mix-", b"/api/metricz/mix-"))
    return folder / "mixlab"


def test_a_changed_binary_is_named_and_found_at_its_first_other_event(
    bin_folder: Path, recording: Path, tmp_path: Path
) -> None:
    other = changed_bin(bin_folder, tmp_path / "bin")
    seen = call(other, "replay", recording, cwd=tmp_path)
    assert seen.returncode == 1, seen.stdout
    note = r"^note  nym-mixnode is another than the recorded one: SHA-256 \w{12}\.\.\. in "
    assert re.search(note, seen.stdout, re.M)
    assert re.search(r"what differs there\n  outbox\n", seen.stdout)
    assert re.search(r"^     > +\d+ .* mix-0 +activation", seen.stdout, re.M)


def test_a_pack_has_the_run_again_when_the_programs_have_changed(
    bin_folder: Path, recording: Path, tmp_path: Path
) -> None:
    """Programs, libraries and the dynamic loader are those of the pack."""
    packed = call(bin_folder / "mixlab", "pack", recording, cwd=tmp_path)
    assert packed.returncode == 0, packed.stdout
    pack = Path(f"{recording}.pack")
    assert {path.name for path in (pack / "bin").iterdir()} >= {"mixlab", "nym-mixnode", "nym-client"}
    assert {path.name for path in (pack / "lib").iterdir()} >= {"libc.so.6", "ld-linux-x86-64.so.2"}
    other = changed_bin(bin_folder, tmp_path / "bin")
    seen = call(other, "replay", recording, cwd=tmp_path)
    assert seen.returncode == 0, seen.stdout
    assert "identical: " in seen.stdout and f"are those of {pack}" in seen.stdout
    maps = mapped_at_a_stop(other, recording)
    libraries = {path for path in maps if ".so" in Path(path).name}
    assert len(libraries) > 5
    # The shim belongs to the lab that runs; everything else comes from the pack.
    assert {path for path in libraries if not path.startswith(str(pack))} == {str(other.parent / "libmixlab-shim.so")}


def mapped_at_a_stop(mixlab: Path, recording: Path) -> set[str]:
    """Files mapped into mix-0 while the replay stands still at 3 s."""
    with subprocess.Popen(
        [mixlab, "replay", recording, "--until", "3 s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin and running.stdout
        said = ""
        while "(mixlab) " not in said:
            piece = running.stdout.read(1)
            assert piece, said
            said += piece
        pid = re.search(r"^  mix-0  running, pid (\d+)", said, re.M)
        assert pid, said
        maps = Path(f"/proc/{pid[1]}/maps").read_text(encoding="utf-8")
        running.communicate("q\n", timeout=60)
        assert running.returncode == 130
    return set(re.findall(r" (/\S+)$", maps, re.M))


# ---- standing still ----


def stops(output: str) -> list[str]:
    return re.findall(r"^stopped at .*", output, re.M)


def test_a_replay_stands_still_at_a_hop_steps_and_goes_back(mixlab: Path, recording: Path) -> None:
    """The truth about the hop is in the recording."""
    packet, came, node = one(
        recording,
        "select packet, received_ns, name from hop join node on node.id = to_node where to_layer = 2 and packet > 3 "
        "order by packet limit 1",
    )
    hop = f"hop(packet={packet}, layer=2)"
    seen = call(mixlab, "replay", recording, "--until", hop, said=f"n\nb {hop}\nc\n", cwd=recording.parent)
    assert seen.returncode == 0, seen.stdout
    assert seen.stdout.count(f"packet {packet} has come to {node}, layer 2") == 2
    first, stepped, back = stops(seen.stdout)
    assert first.startswith(f"stopped at {came / 1e9:.9f} s") and back == first
    assert stepped != first
    assert re.search(rf"^  {node}  running, pid \d+, \d+ activations, wakes ", seen.stdout, re.M)
    assert re.search(r"^    timer \d+  due ", seen.stdout, re.M)
    assert re.search(r"^    socket \d+  listening 10\.1\.0\.\d:1789, 0 not accepted", seen.stdout, re.M)
    assert re.search(r"^  the first \d+ events were as they were before", seen.stdout, re.M)
    assert "identical: " in seen.stdout


def test_a_run_that_stood_still_is_the_same_run(mixlab: Path, recording: Path, tmp_path: Path) -> None:
    chain = one(recording, "select chain from run")[0]
    said = "n\nn\nu 500\nb 2 s\nu 4 s\nc\n"
    words = ["run", LOOPS, "--seed", "3", "--out", tmp_path / "held.sqlite", "--until", "3 s"]
    held = call(mixlab, *words, said=said, cwd=ROOT)
    assert held.returncode == 0, held.stdout
    assert len(stops(held.stdout)) == 6
    assert one(tmp_path / "held.sqlite", "select chain from run")[0] == chain


def test_it_listens_to_a_terminal(mixlab: Path, recording: Path) -> None:
    ours, theirs = pty.openpty()
    words = [str(mixlab), "replay", str(recording), "--until", "2 s"]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as running:
        os.close(theirs)
        said, answers = b"", [b"u 40\n", b"c\n"]
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # it has ended
                break
            said += piece
            if said.count(b"(mixlab) ") + len(answers) == 3 and answers:
                os.write(ours, answers.pop(0))
        assert running.wait(60) == 0, said.decode()
    os.close(ours)
    assert b"stopped at 2.000000000 s" in said and b"identical: " in said


# ---- where two recordings part ----


def test_diff_tells_event_packet_and_what_follows(mixlab: Path, recording: Path, tmp_path: Path) -> None:
    """The planted difference: a mix that pauses for two seconds."""
    text = LOOPS.read_text(encoding="utf-8")
    worse = tmp_path / "worse.toml"
    worse.write_text(text + '\n[[at]]\nt = "8 s"\ndo = "pause"\non = "mix-1"\nfor = "2 s"\n', encoding="utf-8")
    other = tmp_path / "other.sqlite"
    assert call(mixlab, "run", worse, "--seed", "3", "--out", other, cwd=ROOT).returncode in (0, 1)
    event = one(other, "select seq from event where kind = 'fault' order by seq limit 1")[0]
    seen = call(mixlab, "diff", recording, other, cwd=tmp_path)
    assert seen.returncode == 1, seen.stdout
    assert f"the runs part at event {event}\n" in seen.stdout
    assert "as wholes they differ in\n" in seen.stdout
    # Without the fault itself, and without times: what mix-1 did next.
    later = call(mixlab, "diff", recording, other, "--ignore", "fault", "--node", "mix-1", "--json", cwd=tmp_path)
    said = json.loads(later.stdout)
    assert said["event"] > event and said["a"]["node"] == "mix-1"
    assert said["a"]["time_ns"] >= 8_000_000_000 and said["b"]["time_ns"] >= 10_000_000_000
    assert len(said["before"]) == 10 and len(said["after_a"]) == 10
    assert said["packet_a"]["id"] > 0 and said["packet_a"]["way"][0]["hop"] == 0
    assert call(mixlab, "diff", recording, recording, cwd=tmp_path).returncode == 0

