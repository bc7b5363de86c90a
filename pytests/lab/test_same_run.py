# SPDX-License-Identifier: Apache-2.0
"""The same scenario and seed is the same run, whatever surrounds it: two oracles, the chain and the memory.

The chain is a digest of all that can be observed; the memory is a digest of every writable page of every node at its
end, which also sees what never came out.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from pathlib import Path

import pytest

from labkit import NOBODY, Bench, Outcome, Surroundings, busy_machine
from mixlab import programs


def test_the_run_holds_its_expectations(baseline: Outcome) -> None:
    assert baseline.status == 0, baseline.output


def test_a_second_run_has_the_same_chain_and_memory(bench: Bench, baseline: Outcome) -> None:
    again = bench.run()
    assert (again.chain, again.memory) == (baseline.chain, baseline.memory)


def test_a_busy_machine_changes_neither_chain_nor_memory(bench: Bench, baseline: Outcome) -> None:
    with busy_machine():
        loaded = bench.run()
    assert (loaded.chain, loaded.memory) == (baseline.chain, baseline.memory)


def test_the_other_trap_changes_nothing_seen(bench: Bench, baseline: Outcome) -> None:
    assert bench.run("--trap", "sud").chain == baseline.chain


def test_without_interposition_nothing_seen_changes(bench: Bench, baseline: Outcome) -> None:
    assert bench.run("--no-interpose").chain == baseline.chain


def test_another_folder_and_environment_change_nothing(bench: Bench, baseline: Outcome, tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-quite-a-long-name-" * 3)
    deep.mkdir()
    noise = {f"NOISE_{i}": "x" * 97 for i in range(40)}
    noise |= {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "TMPDIR": str(deep), "HOME": "/nowhere"}
    noise |= {"MALLOC_ARENA_MAX": "7", "OPENSSL_CONF": "/nowhere", "LD_BIND_NOW": "1"}
    elsewhere = bench.run(surroundings=Surroundings(cwd=deep, environment=noise), folder=deep)
    assert (elsewhere.chain, elsewhere.memory) == (baseline.chain, baseline.memory)


def test_open_descriptors_limits_and_umask_change_nothing(bench: Bench, baseline: Outcome) -> None:
    odd = bench.run(surroundings=Surroundings(descriptors=70, stack_unlimited=True, umask=0o077))
    assert (odd.chain, odd.memory) == (baseline.chain, baseline.memory)


MODES = """
[scenario]
name = "modes"
about = "Whose modes do files have?"
duration = "3 s"

[mixnet]
clients = 1

[[program]]
host = "one"
name = "makes"
command = ["/usr/bin/touch", "made"]
files = { "sub/given" = "given" }

[[program]]
host = "one"
name = "looks"
start = "1 s"
command = ["/usr/bin/stat", "-c", "%n %a", ".", "sub", "sub/given", "made"]
expect_exit = 0
"""


def test_files_have_modes_of_nobodys(bin_folder: Path, tmp_path: Path) -> None:
    """Neither the umask nor what a folder hands down to all in it (its default ACL) shows in a node's folder."""
    bench = Bench(bin_folder, tmp_path)
    bench.scenario.write_text(MODES, encoding="utf-8")
    given = tmp_path / "given"
    given.touch()
    given.chmod(0o640)
    generous = tmp_path / "generous"
    generous.mkdir(mode=0o2700)
    everybody = b"".join(struct.pack("<HHI", who, 7, 0xFFFFFFFF) for who in (0x01, 0x04, 0x20))
    with contextlib.suppress(OSError):  # a file system without ACLs
        os.setxattr(generous, "system.posix_acl_default", struct.pack("<I", 2) + everybody)
    plain = bench.run()
    odd = [
        bench.run(surroundings=Surroundings(umask=0o077)),
        bench.run(surroundings=Surroundings(umask=0)),
        bench.run(surroundings=Surroundings(environment={"TMPDIR": str(generous)})),
    ]
    with sqlite3.connect(f"file:{plain.recording}?mode=ro", uri=True) as base:
        said = base.execute("select line from log join node on node.id = log.node where node.name = 'looks'").fetchall()
    assert said == [(". 700",), ("sub 755",), ("sub/given 640",), ("made 644",)]
    assert {run.chain for run in odd} == {plain.chain}


def test_copies_of_the_programs_elsewhere_change_nothing_seen(bench: Bench, baseline: Outcome, tmp_path: Path) -> None:
    assert bench.copied_to(tmp_path / "programs").run().chain == baseline.chain


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")
def test_another_user_changes_nothing_seen(bench: Bench, baseline: Outcome, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
        if folder.name.startswith("pytest-of-"):
            break
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    copy = bench.copied_to(tmp_path / "programs")
    copy.scenario = theirs / "honesty.toml"
    copy.scenario.write_text(bench.scenario.read_text(encoding="utf-8"), encoding="utf-8")
    nobody = copy.run(
        surroundings=Surroundings(user=NOBODY, cwd=theirs, environment={"TMPDIR": str(theirs)}), folder=theirs
    )
    assert nobody.chain == baseline.chain


def test_random_addresses_change_nothing_seen(bench: Bench, baseline: Outcome) -> None:
    """--check runs a second time with address randomisation on, on another CPU, in another folder."""
    checked = bench.run("--check")
    assert checked.status == 0, checked.output
    assert checked.chain == baseline.chain


@pytest.mark.all
def test_a_build_without_optimisation_changes_nothing_seen(bench: Bench, baseline: Outcome, tmp_path: Path) -> None:
    """Needs the preset `debug`: scripts/build.sh debug."""
    plain = bench.bin.parent.parent / "build-debug" / "bin"
    if not all((plain / name).exists() for name in programs.PROGRAMS):
        pytest.skip(f"no programs in {plain}; build with scripts/build.sh debug")
    other = bench.copied_to(tmp_path / "programs", others=plain)
    assert (other.bin / "nym-client").read_bytes() != (bench.bin / "nym-client").read_bytes()
    assert other.run().chain == baseline.chain


def test_another_seed_is_another_run(bench: Bench, baseline: Outcome) -> None:
    other = bench.run(seed=43)
    assert other.chain != baseline.chain
    assert other.memory != baseline.memory


def test_another_latency_is_another_run(bench: Bench, baseline: Outcome) -> None:
    assert bench.run("--set", "link.default.latency=21 ms").chain != baseline.chain


def test_every_packet_on_the_wire_is_joined_on_both_ends(baseline: Outcome) -> None:
    """The lab saw each packet itself: whoever sent it says so, and so does whoever got it.

    Senders are clients (`made`), mixes and providers (`handled.digest_out`); receivers are mixes and providers.
    """
    with sqlite3.connect(f"file:{baseline.recording}?mode=ro", uri=True) as base:
        (end,) = base.execute("select duration_ns from run").fetchone()
        crossings = base.execute(
            """
            select w.digest, w.sent_ns, w.delivered_ns,
              (select count(*) from made m where m.node = w.from_node and m.digest = w.digest)
              + (select count(*) from handled h where h.node = w.from_node and h.digest_out = w.digest) as sent,
              (select count(*) from handled h where h.node = w.to_node and h.digest_in = w.digest) as received
            from wire_packet w
            """
        ).fetchall()
    assert len(crossings) > 50
    unsent = [row for row in crossings if row[3] != 1]
    assert not unsent, f"{len(unsent)} of {len(crossings)} packets have no sender: {unsent[:3]}"
    unheard = [row for row in crossings if row[4] != 1 and row[2] is not None and row[2] < end]
    assert not unheard, f"{len(unheard)} of {len(crossings)} packets were not reported by their receiver: {unheard[:3]}"
