# SPDX-License-Identifier: Apache-2.0
"""Making a devnet recording: the file with its tables, and the `run` row that every other program counts from.

The one who makes the file fixes the origin: `epoch` from the real-time clock and the origin of every `_ns` from
the monotonic clock, read together. Programs then write their own rows into the same file (WAL). What is read
back is run.py's business.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sqlite3
import time
from pathlib import Path

from . import __version__

_BUSY_S = 30.0

# The lab's table of the same name, so that checks read one spelling; a devnet's faults are what a test did.
_FAULT = """
CREATE TABLE fault (
  id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, verb TEXT NOT NULL, target TEXT NOT NULL
);
"""


class Writer:
    """The maker's own connection: faults while the run lasts, its end at the end. One thread."""

    def __init__(self, path: Path, origin_ns: int) -> None:
        self.path, self._origin_ns = path, origin_ns
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)

    def now_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) - self._origin_ns

    def execute(self, query: str, *values: object) -> None:
        self._db.execute(query, values)

    def execute_script(self, script: str) -> None:
        self._db.executescript(script)

    def fault(self, verb: str, target: str) -> None:
        self.execute("insert into fault (time_ns, verb, target) values (?, ?, ?)", self.now_ns(), verb, target)

    def finish(self, verdict: str = "finished") -> None:
        """Sets the duration and the verdict, which says that the recording is complete, and lets go of the file."""
        self.execute("update run set duration_ns = ?, verdict = ?", self.now_ns(), verdict)
        self._db.execute("pragma wal_checkpoint(truncate)")
        # One plain file is left, unless somebody else still writes: a reader cannot clear a WAL away.
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("pragma journal_mode = delete")
        self._db.close()


def create(path: Path, schema: Path, manifest: dict[str, object] | None = None) -> Writer:
    """Makes the recording `path` (0600: it links senders to receivers). FileExistsError when it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    origin_ns, epoch_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time_ns()
    known = {"kernel": platform.release(), "machine": platform.machine(), **(manifest or {})}
    writer = Writer(path, origin_ns)
    writer.execute_script(schema.read_text(encoding="utf-8") + _FAULT)
    writer.execute(
        "insert into run (id, clock, epoch, origin_ns, tool_version, manifest) values (1, 'wall', ?, ?, ?, ?)",
        _iso(epoch_ns),
        origin_ns,
        f"mixlab {__version__}",
        json.dumps(known, sort_keys=True),
    )
    return writer


def _iso(epoch_ns: int) -> str:
    seconds, rest = divmod(epoch_ns, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 10**6:03d}Z"
