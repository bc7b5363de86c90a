# SPDX-License-Identifier: Apache-2.0
"""Children that cannot outlive us, ports that cannot collide."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mixlab import ports
from mixlab.process import Child, ChildDied, ConditionNotMet, wait_until


def test_waiting_ends_with_the_condition(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    child = Child("toucher", ["/bin/sh", "-c", f"echo hello; touch {marker}; exec sleep 1000"], tmp_path / "log")
    wait_until(marker.exists, "the marker appears", 60, [child])
    assert child.alive
    assert child.output() == "hello\n"
    child.kill()
    assert child.status == -signal.SIGKILL


def test_waiting_ends_with_the_log_when_a_child_dies(tmp_path: Path) -> None:
    child = Child("quitter", ["/bin/sh", "-c", "echo no such file >&2; exit 3"], tmp_path / "log")
    with pytest.raises(ChildDied, match=r"until never: quitter ended with status 3(.|\n)*no such file"):
        wait_until(lambda: False, "never", 60, [child])


def test_waiting_gives_up_and_says_for_what() -> None:
    with pytest.raises(ConditionNotMet, match=r"not within 0\.01 s: never"):
        wait_until(lambda: False, "never", 0.01)


def test_a_stopped_child_is_stopped_for_good(tmp_path: Path) -> None:
    child = Child("paused", ["/bin/sleep", "1000"], tmp_path / "log")
    child.signal(signal.SIGSTOP)
    assert child.stop() == -signal.SIGTERM


def test_a_child_that_will_not_listen_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    body = f"trap '' TERM; touch {ready}; while :; do read x < /dev/null || exec sleep 1000; done"
    child = Child("deaf", ["/bin/sh", "-c", body], tmp_path / "log")
    wait_until(ready.exists, "it does not listen any more", 60, [child])
    assert child.stop(patience_s=0.05) == -signal.SIGKILL


@pytest.mark.parametrize("paused", [False, True])
def test_children_die_with_their_parent_even_when_it_is_killed(tmp_path: Path, paused: bool) -> None:
    program = (
        "import pathlib, signal, sys, time; from mixlab.process import Child\n"
        "child = Child('sleeper', ['/bin/sleep', '1000'], pathlib.Path(sys.argv[1]))\n"
        + ("child.signal(signal.SIGSTOP)\n" if paused else "")
        + "print(child.pid, flush=True); time.sleep(1000)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    ended, _, _ = select.select([child], [], [], 60)
    os.close(child)
    assert ended


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        holder = ports.holder(port)
        assert holder is not None
        assert holder.pid == os.getpid()
        assert "pytest" in str(holder)
        assert not ports.is_free(port)
    assert ports.holder(port) is None
    assert ports.is_free(port)


def test_the_holder_of_an_ipv6_port_is_named() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        holder = ports.holder(server.getsockname()[1])
        assert holder is not None
        assert holder.pid == os.getpid()


def test_leases_never_share_a_port() -> None:
    leases = [ports.Lease(20) for _ in range(5)]
    taken = [port for lease in leases for port in lease.ports]
    assert len(taken) == len(set(taken)) == 100
    for lease in leases:
        lease.release()


def test_an_unbroken_lease_is_a_block_and_keeps_others_out() -> None:
    lease = ports.Lease(9, unbroken=True)
    first = lease.ports[0]
    assert lease.ports == tuple(range(first, first + 9))
    other = ports.Lease(1)
    assert not other._lock(first + 4), "leased already"
    other.release()
    lease.release()
