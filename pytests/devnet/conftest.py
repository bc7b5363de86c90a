# SPDX-License-Identifier: Apache-2.0
"""Networks for tests: made on free ports, ended with the test, their logs and recording shown when it fails."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mixlab import Devnet
from netkit import CHECKOUT, QUICK, Script

_nets: list[Devnet] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for number, net in enumerate(_nets):
            report.sections.append((f"devnet {number}: {net.record}", net.logs()))
            _keep(net, item.name, number)
    return report


def _keep(net: Devnet, test: str, number: int) -> None:
    """A copy of the recording under results/, with what its writers have not folded in yet."""
    if not net.record.exists():
        return
    name = "".join(c if c.isalnum() else "-" for c in test).strip("-")
    target = CHECKOUT / "results" / f"failed-{name}-{number}.sqlite"
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(net.record)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _networks() -> Iterator[Callable[..., Devnet]]:
    made: list[Devnet] = []

    def make(mixes: int = 3, clients: int = 0, **rest: Any) -> Devnet:
        net = Devnet(mixes, clients, **{"options": QUICK, **rest})
        made.append(net)
        _nets.append(net)
        return net.start()

    yield make
    for net in made:
        net.close()
        _nets.remove(net)


@pytest.fixture
def network() -> Iterator[Callable[..., Devnet]]:
    """`network(mixes, clients)`: a network of the test's own, to be harmed."""
    yield from _networks()


@pytest.fixture(scope="module")
def shared_network() -> Iterator[Callable[..., Devnet]]:
    """The same for a whole module, to be left as found."""
    yield from _networks()


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[..., Script]]:
    """`script("6", "--clients", "1")`: run_local_network.sh, ended with the test."""
    started: list[Script] = []

    def start(*words: str, **rest: Any) -> Script:
        started.append(Script(tmp_path / f"script-{len(started)}", *words, **rest))
        return started[-1]

    yield start
    for one in started:
        one.close()
