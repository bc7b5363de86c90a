# SPDX-License-Identifier: Apache-2.0
"""How devnet tests look at a running script; what they plant into a network is mixlab.planted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from mixlab import programs

CHECKOUT = next(programs.checkouts(Path(__file__).resolve().parent))
SCRIPT = CHECKOUT / "scripts" / "run_local_network.sh"

# Clients that fetch often, so that tests wait for the network and not for the next pull.
QUICK = {"client": ["--poll-interval", "100 ms", "--mean-delay", "20 ms", "--loop-rate", "4 / s"]}


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
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # gone since
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
