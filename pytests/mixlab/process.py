# SPDX-License-Identifier: Apache-2.0
"""One started program that cannot outlive us, and waiting for conditions without sleeping through them.

A child gets the parent-death signal SIGKILL (not a polite one: it must work on a child that is stopped or hung,
too) and a session of its own, so that a terminal's Ctrl-C reaches only us and we choose the order in which the
children end. The signal is bound to the *thread* that started the child: start children from a thread that
stays. Output of both streams goes to one log file.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_POLL_MS = 10


class ChildDied(RuntimeError):
    """A program ended while somebody waited for what it was to do."""


class ConditionNotMet(TimeoutError):
    """A condition did not come true in the time it was given."""


class Child:
    """A running (or ended) program."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.log = log
        parent = os.getpid()

        def die_with_parent() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:  # It died between fork and prctl.
                os._exit(127)

        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - we start children from one thread
            )
        self.pidfd = os.pidfd_open(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal, None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    def stop(self, patience_s: float = 10.0) -> int:
        """SIGTERM; SIGKILL when it is still there after `patience_s`. Returns the exit status."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return self.wait(patience_s)

    def wait(self, patience_s: float) -> int:
        """Waits for the end; SIGKILL after `patience_s`."""
        try:
            status = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._close()
        return status

    def _close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def output(self) -> str:
        """What this start of the program has written so far."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return "(its log was removed)"

    def obituary(self, lines: int = 15) -> str:
        """How it ended, with the end of its log."""
        status = self.status
        if status is None:
            how = "is running"
        elif status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
        else:
            how = f"ended with status {status}"
        tail = "\n".join("    " + line for line in self.output().splitlines()[-lines:]) or "    (it wrote nothing)"
        return f"{self.name} {how}\n  command: {' '.join(self.argv)}\n  log {self.log}:\n{tail}"


def wait_until(condition: Callable[[], object], what: str, within_s: float, watch: Iterable[Child] = ()) -> None:
    """Returns as soon as `condition()` is true. ChildDied when one of `watch` ends first, ConditionNotMet after
    `within_s`. The condition is asked again every few milliseconds, and at once when a child ends."""
    children = list(watch)
    deadline = time.monotonic() + within_s
    while True:
        asked = time.monotonic()
        if condition():
            return
        cost_ms = (time.monotonic() - asked) * 1000
        for child in children:
            if not child.alive:
                raise ChildDied(f"while waiting until {what}: {child.obituary()}")
        left = deadline - time.monotonic()
        if left <= 0:
            raise ConditionNotMet(f"not within {within_s:g} s: {what}")
        poller = select.poll()
        for child in children:
            if child.pidfd >= 0:
                poller.register(child.pidfd, select.POLLIN)
        # A costly question is asked less often: the programs we wait for want the processor, too.
        poller.poll(min(max(_POLL_MS, 3 * cost_ms), left * 1000))
