# SPDX-License-Identifier: Apache-2.0
"""Planted leaks, and the proof that both oracles can fail.

`leaks WHAT` prints something that a machine chooses. The C++ tests compare the traps; here the surroundings differ.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from labkit import NOBODY, Outcome, Surroundings, attempt, busy_machine


def _names(conformance: Path) -> list[str]:
    done = subprocess.run([conformance / "leaks"], capture_output=True, text=True, check=False)
    return done.stdout.split()


# Rows that nothing can close here: the instruction cannot be trapped. `mixlab doctor` lists them.
OPEN = {"rdrand_unasked", "rdrand_unsaid", "rdpid_unasked", "lsl_unasked", "x87_unasked"}


# And what only some machines leave open: CPUID that cannot be made to fault tells on which of its CPUs the program
# runs, and a vDSO that the kernel seals can be read.
OPEN_WITHOUT = {"cpuid faulting": "cpuid", "vdso": "vdso_found"}


def _abilities(bin_folder: Path) -> dict[str, dict[str, object]]:
    done = subprocess.run([bin_folder / "mixlab", "doctor", "--json"], capture_output=True, text=True, check=False)
    return {ability["name"]: ability for ability in json.loads(done.stdout)}


def test_no_leak_shows_in_other_surroundings(bin_folder: Path, conformance: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("another-folder-" * 9)
    deep.mkdir()
    odd = Surroundings(
        cwd=deep,
        environment={"TMPDIR": str(deep), "SECRET": "s" * 3001, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"},
        descriptors=40,
        stack_unlimited=True,
        umask=0o077,
        data_bytes=256 << 20,
    )
    leaking = {}
    abilities = _abilities(bin_folder)
    still_open = OPEN | {leak for name, leak in OPEN_WITHOUT.items() if not abilities[name]["available"]}
    names = [name for name in _names(conformance) if name not in still_open]
    assert len(names) > 25, names
    for name in names:
        here = attempt(bin_folder, [conformance / "leaks", name])
        there = attempt(bin_folder, [conformance / "leaks", name], surroundings=odd)
        if here != there:
            leaking[name] = [
                part for part in ("text", "chain", "memory") if getattr(here, part) != getattr(there, part)
            ]
    assert not leaking


def test_the_chain_can_fail(bin_folder: Path, conformance: Path) -> None:
    """RDRAND executed unasked cannot be trapped: printed, it is in the chain."""
    runs = {attempt(bin_folder, [conformance / "leaks", "rdrand_unasked"]).chain for _ in range(3)}
    if len(runs) == 1:
        pytest.skip("this CPU has no RDRAND")
    assert len(runs) == 3


def test_the_memory_sees_what_the_chain_does_not(bin_folder: Path, conformance: Path) -> None:
    """The same, kept to itself: one chain, three memories."""
    runs = [attempt(bin_folder, [conformance / "leaks", "rdrand_unsaid"]) for _ in range(3)]
    assert len({run.chain for run in runs}) == 1
    if len({run.memory for run in runs}) == 1:
        pytest.skip("this CPU has no RDRAND")
    assert len({run.memory for run in runs}) == 3


def test_when_a_library_was_last_read_does_not_show(bin_folder: Path, conformance: Path) -> None:
    """The loader asks each library's file numbers and times before the shim is there, and leaves them on the stack."""
    shim = bin_folder / "libmixlab-shim.so"
    kept = shim.stat()
    runs = []
    try:
        for read_ns in (kept.st_atime_ns, kept.st_atime_ns - 86_400_000_000_000):
            os.utime(shim, ns=(read_ns, kept.st_mtime_ns))
            runs.append(attempt(bin_folder, [conformance / "leaks", "entropy"]))
    finally:
        os.utime(shim, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert runs[0] == runs[1]


def test_another_file_system_shows_no_leak(bin_folder: Path, conformance: Path) -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        pytest.skip(f"no {shared} to write into")
    here, there = (
        attempt(bin_folder, [conformance / "leaks", "file_system"], surroundings=Surroundings(environment=folder))
        for folder in ({}, {"TMPDIR": str(shared)})
    )
    assert here == there


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")
@pytest.mark.parametrize("name", ["privileges", "auxiliary"])
def test_root_and_another_user_are_one_user(bin_folder: Path, conformance: Path, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # where anybody may read
        programs = Path(folder)
        programs.chmod(0o755)
        for program in (bin_folder / "lab-try", bin_folder / "libmixlab-shim.so", conformance / "leaks"):
            shutil.copy2(program, programs)
        here, there = (
            attempt(programs, [programs / "leaks", name], surroundings=Surroundings(user=user))
            for user in (None, NOBODY)
        )
    assert here == there


def test_where_the_last_x87_operation_was_is_open(bin_folder: Path, conformance: Path) -> None:
    """Where the processor does not keep it over a real switch: `mixlab doctor` says so."""
    with busy_machine():  # many real switches
        runs = {attempt(bin_folder, [conformance / "leaks", "x87_unasked"]).text for _ in range(3)}
    if len(runs) == 1:
        pytest.skip("this processor keeps it")
    assert len(runs) == 3


@pytest.mark.all
@pytest.mark.parametrize("name", ["thread_ids", "thread_order", "wake_order", "names"])
def test_many_runs_have_one_memory(bin_folder: Path, conformance: Path, name: str) -> None:
    """What shows once in hundreds: with functions bound at their first call, 1 of 300 runs of `thread_ids` differed."""
    first = attempt(bin_folder, [conformance / "leaks", name])
    others = (attempt(bin_folder, [conformance / "leaks", name]) for _ in range(1000))
    assert [i for i, other in enumerate(others) if other != first] == []


# Where each row of the checklist that has no leak above is listed open.
LISTED = (
    "rdrand without cpuid",
    "cpu number without cpuid",
    "vector registers in use",
    "another processor",
    "another kernel",
    "files outside",
)


def test_doctor_lists_what_is_open(bin_folder: Path) -> None:
    abilities = _abilities(bin_folder)
    for name in LISTED:
        assert not abilities[name]["available"], name
        assert abilities[name]["detail"], name
        assert abilities[name]["advice"], name
    for word in ("RDRAND", "RDPID", "LSL", "XGETBV", "FNSTENV", "x87"):
        assert any(word in str(ability["detail"]) for ability in abilities.values()), word


def test_a_recording_lists_what_is_open(baseline: Outcome) -> None:
    with sqlite3.connect(f"file:{baseline.recording}?mode=ro", uri=True) as base:
        manifest = json.loads(base.execute("select manifest from run").fetchone()[0])
    for name in LISTED:
        assert manifest["abilities"][name]["available"] is False, name
