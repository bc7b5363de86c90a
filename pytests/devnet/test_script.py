# SPDX-License-Identifier: Apache-2.0
"""scripts/run_local_network.sh as a person meets it: what it prints, refuses, and leaves behind."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mixlab import Devnet, Run, WebSocket, programs
from mixlab.directory import DirectoryApi
from mixlab.ports import Lease, is_free
from mixlab.process import Child, wait_until
from netkit import SCRIPT, Script, Terminal, children_of, wait_gone


@pytest.fixture
def base() -> Iterator[Callable[[int], int]]:
    """`base(count)`: the first of `count` free ports in a row."""
    leases: list[Lease] = []

    def first(count: int) -> int:
        leases.append(Lease(count, unbroken=True))
        return leases[-1].ports[0]

    yield first
    for lease in leases:
        lease.release()


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SCRIPT), *words], capture_output=True, text=True, timeout=120, check=False)


def test_help_tells_ports_options_and_how_it_ends() -> None:
    done = call("--help")
    assert done.returncode == 0
    for word in ("--clients", "--record", "--port-base", "--join", "9997", "Ctrl-C", "test networks"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("4",), "positive multiple of 3"),
        (("0",), "positive multiple of 3"),
        (("-3",), "-3"),
        (("three",), "three"),
        (("3", "--clients", "-1"), "--clients"),
        (("3", "--port-base", "65531"), "does not exist"),
        (("3", "--port-bsae", "1"), "--port-bsae"),
        (("3", "--directory", "localhost:8080"), "localhost:8080"),
    ],
)
def test_a_wrong_argument_is_refused_at_once_and_named(words: tuple[str, ...], complaint: str) -> None:
    done = call(*words, "--no-build")
    assert done.returncode == 2
    assert complaint in done.stderr


def test_it_draws_the_layers_and_the_printed_commands_work(
    script: Callable[..., Script], base: Callable[[int], int], tmp_path: Path
) -> None:
    first, port = base(9), base(1)
    net = script("6", "--port-base", str(first)).ready()
    screen = net.screen()
    for mix in range(6):
        assert f"127.0.0.1:{first + 3 + mix}" in screen
    assert f"http://localhost:{first}" in screen
    init, websocket = (shlex.split(line) for line in screen.splitlines() if line.startswith("  ") and "zorro" in line)
    assert websocket[-2:] == ["--record", str(net.record.relative_to(net.folder))]
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    subprocess.run(init, cwd=net.folder, env=env, check=True, stdout=subprocess.DEVNULL, timeout=60)
    client = Child("zorro", [*websocket, "--port", str(port)], tmp_path / "zorro.log", env, net.folder)
    with Run(net.record) as run:
        wait_until(lambda: run.loops_home() >= 5, "loops of a client started by hand come home", 60, [client])
    assert client.stop() == 0
    assert net.end() == 0
    # The seed's question, word for word.
    answer = subprocess.run(
        ["sqlite3", str(net.record), "select from_layer, to_layer, count(*) from hop group by 1, 2"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.rsplit("|", 1)[0] for line in answer.stdout.splitlines()] == ["0|1", "1|2", "2|3", "3|4"]
    assert re.search(r"loops: \d+ made, [1-9]\d* home", net.screen())
    assert "packets from programs that did not record: 0" in net.screen()
    assert stat.S_IMODE(net.record.stat().st_mode) == 0o600


def test_clients_have_sockets_and_keys_of_their_own(script: Callable[..., Script], base: Callable[[int], int]) -> None:
    first = base(8)
    net = script("3", "--clients", "2", "--port-base", str(first)).ready()
    addresses = set()
    for port in (first + 6, first + 7):
        assert f"ws://localhost:{port}" in net.screen()
        with WebSocket(port) as client:
            addresses.add(client.own_address())
    assert len(addresses) == 2
    with Run(net.record) as run:
        wait_until(lambda: run.loops_home() >= 3, "loops come home", 60)
    assert net.end() == 0
    run.close()
    again = Run(net.record)
    assert again.finished
    again.assert_layer_order()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_its_end_stops_everything_it_started_and_nothing_else(
    script: Callable[..., Script], base: Callable[[int], int], number: signal.Signals, network: Callable[..., Devnet]
) -> None:
    bystander = network(3)
    first = base(7)
    net = script("3", "--clients", "1", "--port-base", str(first)).ready()
    children = net.children()
    assert len(children) == 6, children
    status = net.end(number)
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    assert wait_gone(list(children)) == []
    assert all(is_free(first + i) for i in range(7))
    assert all(node.alive for node in bystander.nodes())
    assert bystander.missing() == []
    if number != signal.SIGKILL:
        assert f"stopped ({number.name})" in net.screen()


@pytest.mark.parametrize("gesture", ["Ctrl-C", "closing the window"])
def test_at_a_terminal_it_shows_loops_coming_home_and_ends_with_it(
    tmp_path: Path, base: Callable[[int], int], gesture: str
) -> None:
    terminal = Terminal(tmp_path, "3", "--clients", "1", "--port-base", str(base(7)))
    try:
        terminal.wait_for("Ctrl-C stops the network.")
        terminal.wait_for("loops sent")
        children = children_of(terminal.process.pid)
        assert len(children) == 6
        if gesture == "Ctrl-C":
            terminal.type(b"\x03")
            assert "stopped (SIGINT)" in terminal.wait_for("recording: ")
        else:
            terminal.hang_up()
        assert terminal.process.wait(60) == 0
        assert wait_gone(list(children)) == []
        assert Run(terminal.record).finished
    finally:
        terminal.close()


def test_a_signal_during_the_start_stops_it_too(script: Callable[..., Script], base: Callable[[int], int]) -> None:
    net = script("3", "--port-base", str(base(6)))
    wait_until(net.children, "it has started something", 60)
    children = net.children()
    net.end(signal.SIGINT)
    assert wait_gone(list(children)) == []


def test_two_networks_run_side_by_side(script: Callable[..., Script], base: Callable[[int], int]) -> None:
    bases = [base(7), base(7)]
    nets = [script("3", "--clients", "1", "--port-base", str(first)) for first in bases]
    for net in nets:
        net.ready()
    runs = [Run(net.record) for net in nets]
    for run in runs:
        wait_until(lambda run=run: run.loops_home() >= 3, "loops come home in both", 60)
        run.close()
    for first in bases:
        hosts = {mix["host"] for mix in DirectoryApi(f"http://127.0.0.1:{first}").topology().mixes}
        assert hosts == {f"127.0.0.1:{first + 3 + i}" for i in range(3)}
    for net, run in zip(nets, runs, strict=True):
        assert net.end() == 0
        run.assert_layer_order()


def test_a_port_that_is_held_is_named_with_its_holder(
    script: Callable[..., Script], base: Callable[[int], int]
) -> None:
    first = base(6)
    with socket.create_server(("127.0.0.1", first + 4)):
        net = script("3", "--port-base", str(first))
        assert net.process.wait(60) == 1
    assert f"port {first + 4}, mix-1's, is held by process {os.getpid()} (" in net.screen()
    assert "--port-base" in net.screen()
    assert not net.record.exists()


def test_a_directorys_port_held_by_something_else_is_named_too(
    script: Callable[..., Script], base: Callable[[int], int]
) -> None:
    first = base(6)
    with socket.create_server(("127.0.0.1", first)) as server:
        server.settimeout(0)
        net = script("3", "--port-base", str(first))
        assert net.process.wait(60) == 1
    assert f"port {first}, the directory's, is held by process {os.getpid()}" in net.screen()
    assert "does not answer as a directory" in net.screen()


def test_an_empty_directory_is_used_and_left_alone_and_one_with_nodes_only_with_join(
    script: Callable[..., Script], base: Callable[[int], int], tmp_path: Path
) -> None:
    first, second = base(6), base(6)
    argv = [str(programs.find("nym-directory")), "--host", "127.0.0.1", "--port", str(first)]
    directory = Child("directory", argv, tmp_path / "directory.log")
    url = f"http://127.0.0.1:{first}"
    api = DirectoryApi(url)
    wait_until(api.healthy, "the directory answers", 60, [directory])
    net = script("3", "--port-base", str(first)).ready()
    assert "it ran already, and will not be stopped" in net.screen()
    assert len(net.children()) == 4

    refused = script("3", "--port-base", str(second), "--directory", url)
    assert refused.process.wait(60) == 1
    assert "already has 4 node(s)" in refused.screen()
    assert "--join" in refused.screen()

    joined = script("3", "--port-base", str(second), "--directory", url, "--join").ready()
    assert "(3 of these mixnodes belong to another network" in joined.screen()
    assert len(api.topology().mixes) == 6
    assert joined.end() == 0
    assert net.end() == 0
    assert api.healthy()
    directory.kill()


def test_a_recording_that_exists_is_not_touched(
    script: Callable[..., Script], base: Callable[[int], int], tmp_path: Path
) -> None:
    record = tmp_path / "mine.sqlite"
    record.write_bytes(b"mine")
    net = script("3", "--port-base", str(base(6)), record=record)
    assert net.process.wait(60) == 1
    assert "never overwritten" in net.screen()
    assert record.read_bytes() == b"mine"


def test_a_program_that_dies_is_told_and_the_others_go_on(
    script: Callable[..., Script], base: Callable[[int], int]
) -> None:
    net = script("3", "--port-base", str(base(6))).ready()
    (victim,) = [pid for pid, command in net.children().items() if "nym-sfw-provider" in command]
    os.kill(victim, signal.SIGKILL)
    net.wait_for("provider-0 was ended by SIGKILL")
    assert len(net.children()) == 4
    assert net.end() == 0
