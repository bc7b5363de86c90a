# SPDX-License-Identifier: Apache-2.0
"""TCP ports: which are free, which process holds one that is not, and leases so that two networks never collide.

Free ports are taken below the range the system hands to outgoing connections: a port in that range can be
taken by anybody's connect() between our look and a node's bind(). A lease is an abstract unix socket that bears
the port's number: it needs no file, and goes when its owner does, however it dies.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOWEST, FALLBACK_HIGHEST = 10_000, 32_000
_LISTEN = "0A"


@dataclass(frozen=True)
class Holder:
    """Who holds a port, as far as /proc lets us see: another user's process is known by user only."""

    pid: int | None
    command: str
    uid: int

    def __str__(self) -> str:
        if self.pid is None:
            return f"a process of user {_user_name(self.uid)}, which only that user or root may look at"
        return f"process {self.pid} ({self.command})"


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _sockets_of_port(port: int) -> Iterator[tuple[str, int]]:
    """(inode, uid) of every listening TCP socket on `port`, IPv4 and IPv6."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                yield fields[9], int(fields[7])


def _command_line(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "gone"
    line = " ".join(word.decode("utf-8", "replace") for word in words if word)
    return line if len(line) <= 120 else line[:117] + "..."


def holder(port: int) -> Holder | None:
    """The process that listens on `port`, or None when nobody does."""
    sockets = dict(_sockets_of_port(port))
    if not sockets:
        return None
    wanted = {f"socket:[{inode}]" for inode in sockets}
    for process in Path("/proc").glob("[0-9]*"):
        if any(link in wanted for link in _open_files(process)):
            return Holder(int(process.name), _command_line(process.name), next(iter(sockets.values())))
    return Holder(None, "", next(iter(sockets.values())))


def _open_files(process: Path) -> Iterator[str]:
    """What a process has open; nothing when it ended meanwhile or is somebody else's."""
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        with contextlib.suppress(OSError):  # Closed meanwhile.
            yield str(descriptor.readlink())


def is_free(port: int) -> bool:
    """Whether a node could bind `port` on 127.0.0.1 now. A port in TIME_WAIT is free, as it is for the nodes."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _highest() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0]) - 1
    except (OSError, ValueError):
        return FALLBACK_HIGHEST


class Lease:
    """`count` free ports of 127.0.0.1 that no other Lease on this machine holds, until `release`; with
    `unbroken` one after the other."""

    def __init__(self, count: int, unbroken: bool = False) -> None:
        self._locks: list[socket.socket] = []
        self.ports: tuple[int, ...] = ()
        highest = max(_highest(), LOWEST + 1000)
        taken: list[int] = []
        tries = min(highest - LOWEST - count, 50 * count + 500)
        for start in random.SystemRandom().sample(range(LOWEST, highest - count), k=tries):
            if unbroken:
                self.release()
                taken = [port for port in range(start, start + count) if self._lock(port)]
            elif self._lock(start):
                taken.append(start)
            if len(taken) == count:
                break
        if len(taken) < count:
            self.release()
            raise RuntimeError(f"found no {count} free ports between {LOWEST} and {highest}")
        self.ports = tuple(taken)

    def _lock(self, port: int) -> bool:
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0mixlab-port-{port}")
        except OSError:
            lock.close()
            return False
        if not is_free(port):
            lock.close()
            return False
        self._locks.append(lock)
        return True

    def release(self) -> None:
        for lock in self._locks:
            lock.close()
        self._locks.clear()
