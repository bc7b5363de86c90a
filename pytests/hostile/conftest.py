# SPDX-License-Identifier: Apache-2.0
"""Networks to be attacked: made on free ports, ended with the test, their logs shown when it fails."""

from __future__ import annotations

import resource
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from hostilekit import MANY, QUICK, complaints
from mixlab import Devnet, programs

# Scenarios that test_lab.py runs, and looks at more closely than their own expectations do.
collect_ignore_glob = ["*.toml"]

_nets: list[Devnet] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections += [(f"devnet {number}", net.logs()) for number, net in enumerate(_nets)]
    return report


def _networks() -> Iterator[Callable[..., Devnet]]:
    made: list[Devnet] = []

    def make(mixes: int = 3, clients: int = 2, **rest: Any) -> Devnet:
        client = str(programs.find("nym-client"))
        net = Devnet(mixes, clients, **{"options": QUICK, "instead": {"client-1": [client, "tcpsocket"]}, **rest})
        made.append(net)
        _nets.append(net)
        return net.start()

    yield make
    found = []
    for net in made:
        net.stop()
        found += complaints(net)
        net.close()
        _nets.remove(net)
    assert not found, "\n".join(found)


@pytest.fixture
def network() -> Iterator[Callable[..., Devnet]]:
    """`network()`: three mixnodes, a provider, client-0 with a websocket and client-1 with a TCP socket."""
    yield from _networks()


@pytest.fixture(scope="module")
def shared() -> Iterator[Devnet]:
    """The same, one for the whole module, without clients."""
    for make in _networks():
        yield make(clients=0, instead={})


@pytest.fixture
def many_descriptors() -> Iterator[int]:
    """Raises our own limit so far that MANY connections can be held; how many there may be."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY + 500
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"the hard limit of descriptors is {before[1]}: {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, before[1]))
    yield MANY
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
