# SPDX-License-Identifier: Apache-2.0
"""What devnet tests plant into a network, and how they look at a running script."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from mixlab import Devnet, Node, programs, recording, sphinx

CHECKOUT = next(programs.checkouts(Path(__file__).resolve().parent))
SCRIPT = CHECKOUT / "scripts" / "run_local_network.sh"

# Clients that fetch often, so that tests wait for the network and not for the next pull.
QUICK = {"client": ["--poll-interval", "100 ms", "--mean-delay", "20 ms", "--loop-rate", "4 / s"]}


class Planted:
    """A sender of our own that speaks to any node directly. With `records` it writes what it sends into the
    network's recording, as an honest client would; without, it is a stranger."""

    def __init__(self, net: Devnet, name: str = "planted", records: bool = True) -> None:
        self.net, self.name, self.secret = net, name, sphinx.new_secret()
        self.key = sphinx.public_key(self.secret)
        self.writer: recording.Writer | None = None
        if records:
            with net.run as run:
                origin = run.sql("select origin_ns from run").scalar()
            self.writer = recording.Writer(net.record, origin)
            self.writer.execute(
                "insert into node (name, role, layer, address, public_key) values (?, 'client', 0, ?, ?)",
                name,
                "127.0.0.1:1",
                sphinx.base58(self.key),
            )

    def hop(self, node: Node, delay_ns: int = 0) -> sphinx.Hop:
        """`node` with the key the directory shows now."""
        topology = self.net.topology()
        if node.role == "mix":
            entry = topology.mix_at(node.address)
        else:
            entry = next((e for e in topology.providers if e["mixnetListener"] == node.address), None)
        if entry is None:
            raise LookupError(f"the topology does not show {node.name}")
        return sphinx.Hop.at(node.address, entry["pubKey"], delay_ns)

    def packet(self, route: Sequence[Node], destination: str | None = None, message: bytes = b"planted") -> bytes:
        """A packet along `route`, whatever its layers."""
        to = self.key if destination is None else sphinx.unbase58(destination)
        return sphinx.build([self.hop(node) for node in route], to, message)

    def send(self, packet: bytes, to: Node) -> bytes:
        """Sends the packet to `to`, on a connection of its own; its digest."""
        with socket.create_connection(("127.0.0.1", to.port), timeout=30) as connection:
            if self.writer:
                now = self.writer.now_ns()
                self.writer.execute(
                    "insert into made (node, created_ns, sent_ns, digest, class, recipient, first_address)"
                    " select id, ?, ?, ?, 'injected', public_key, ? from node where name = ?",
                    now,
                    now,
                    sphinx.digest(packet),
                    to.address,
                    self.name,
                )
            connection.sendall(packet)
        return sphinx.digest(packet)

    def send_along(self, route: Sequence[Node], destination: str | None = None, message: bytes = b"planted") -> bytes:
        return self.send(self.packet(route, destination, message), route[0])


def fate(net: Devnet, digest: bytes) -> tuple[str, str | None, int | None]:
    """(verdict, reason, layer) of the last node that a packet reached, given the digest of its first hop. Waits
    until the packet is not on its way any more."""

    def last() -> tuple[str, str | None, int | None] | None:
        with net.run as run:
            rows = run.sql(
                "select verdict, reason, to_layer from hop where packet = (select packet from hop where digest = ?)"
                " and verdict in ('drop', 'store')",
                digest,
            ).rows()
        return rows[0] if rows else None

    net.wait_until(last, "the planted packet's fate is recorded")
    found = last()
    assert found is not None
    return found


class Script:
    """run_local_network.sh as a person would start it, its output in a file."""

    def __init__(self, folder: Path, *words: str, build: bool = False, record: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.record = folder, record or folder / "script.sqlite"
        self.out = folder / "screen"
        argv = [str(SCRIPT), *words, *([] if build else ["--no-build"]), "--record", str(self.record)]
        with self.out.open("wb") as screen:
            self.process = subprocess.Popen(
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def screen(self) -> str:
        return self.out.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, text: str, within_s: float = 90) -> str:
        """Until the screen shows `text`; the screen."""
        deadline = time.monotonic() + within_s
        while text not in self.screen():
            if self.process.poll() is not None and text not in self.screen():
                raise AssertionError(
                    f"the script ended with {self.process.returncode} before it said {text!r}:\n{self.screen()}"
                )
            if time.monotonic() > deadline:
                raise AssertionError(f"the script did not say {text!r} in {within_s:g} s:\n{self.screen()}")
            select.select([], [], [], 0.02)
        return self.screen()

    def ready(self) -> Script:
        self.wait_for("Ctrl-C stops the network.")
        return self

    def children(self) -> dict[int, str]:
        """{pid: command line} of everything it started that lives."""
        return children_of(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGINT, within_s: float = 60) -> int:
        """Sends the signal and waits; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Terminal:
    """The script at a terminal of its own: keys can be typed, and the terminal can go away."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.record = folder / "terminal.sqlite"
        self._master, slave = pty.openpty()

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [str(SCRIPT), *words, "--no-build", "--record", str(self.record)],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - no thread of ours runs here
        )
        os.close(slave)
        self._seen = ""

    def wait_for(self, text: str, within_s: float = 90) -> str:
        deadline = time.monotonic() + within_s
        while text not in self._seen:
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"the terminal did not show {text!r} in {within_s:g} s:\n{self._seen}")
            try:
                self._seen += os.read(self._master, 65536).decode("utf-8", "replace")
            except OSError:  # The script has ended.
                raise AssertionError(f"the terminal never showed {text!r}:\n{self._seen}") from None
        return self._seen

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def hang_up(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def children_of(pid: int) -> dict[int, str]:
    """{pid: command line} of the living children of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_gone(pids: Sequence[int], within_s: float = 30) -> list[int]:
    """Waits until every process is gone; those that are not."""
    deadline = time.monotonic() + within_s
    left = []
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        os.close(handle)
        if not ready:
            left.append(pid)
    return left
