# SPDX-License-Identifier: Apache-2.0
"""A devnet: the four programs as real processes on loopback TCP and the real clock.

    with Devnet(mixes=3, clients=2) as net:
        alice, bob = (client.connect() for client in net.clients)
        alice.send("hello", bob.own_address())
        net.wait_until(lambda: bob.fetch(), "the message arrives")
        net.stop()
        net.run.assert_layer_order()

Everything waits on conditions and ends at once, with the log, when a program dies that was to fulfil one.
Nothing here outlives the process that made it (see process.py). Start and stop from one thread.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import layout as layouts
from . import ports, programs, recording
from .directory import DirectoryApi, Topology
from .layout import HOST, Layout
from .process import Child, ChildDied, wait_until
from .run import Run
from .websocket import WebSocket, WebSocketError

READY_S = 60.0  # A ceiling for machines under load; readiness itself takes a fraction of a second.


class Node:
    """One program of the devnet, running or not."""

    def __init__(self, net: Devnet, name: str, role: str, argv: Sequence[str], port: int, layer: int | None) -> None:
        self.net, self.name, self.role, self.port, self.layer = net, name, role, port, layer
        self.argv = list(argv)
        self.env: dict[str, str] = {}
        self.child: Child | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.alive

    def running(self) -> Child:
        if self.child is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self.child

    def start(self) -> None:
        """Starts the program; returns before it is ready (Devnet.wait_ready)."""
        if self.alive:
            raise RuntimeError(f"{self.name} runs already")
        log = self.net.folder / "logs" / f"{self.name}.log"
        self.child = Child(self.name, self.argv, log, {**os.environ, **self.env})

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        return self.running().stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would; written down as a fault, since the recording ends without its last rows."""
        self.running().kill()
        self.net.note_fault("crash", self.name)

    def pause(self) -> None:
        self.running().signal(signal.SIGSTOP)
        self.net.note_fault("pause", self.name)

    def resume(self) -> None:
        self.running().signal(signal.SIGCONT)
        self.net.note_fault("resume", self.name)

    def restart(self) -> None:
        """Starts it again and waits until the network shows it (a mixnode with its new key)."""
        before = self._shown_key()
        self.start()
        if self.role == "directory":
            self.net.wait_until(self.net.directory_api.healthy, "the directory answers again")
        elif self.role == "client":
            self.net.wait_until(self._answers, f"{self.name} answers on port {self.port}", watch=[self.running()])
        else:

            def shown() -> bool:
                key = self._shown_key()
                return key is not None and (self.role == "provider" or key != before)

            self.net.wait_until(shown, f"the topology shows {self.name} again", watch=[self.running()])

    def _shown_key(self) -> str | None:
        try:
            topology = self.net.topology()
        except (OSError, ValueError):
            return None
        entries = topology.mixes if self.role == "mix" else topology.providers
        field = "host" if self.role == "mix" else "mixnetListener"
        return next((str(entry["pubKey"]) for entry in entries if entry[field] == self.address), None)

    def _answers(self) -> bool:
        if "tcpsocket" in self.argv:
            return self._answers_bytes()
        try:
            with WebSocket(self.port, timeout_s=5) as websocket:
                return bool(websocket.own_address())
        except (OSError, ValueError, WebSocketError):
            return False

    def _answers_bytes(self) -> bool:
        """The same through the TCP socket: 04 asks for the client's own address."""
        try:
            with socket.create_connection((HOST, self.port), timeout=5) as connection:
                connection.sendall(b"\x04")
                return len(connection.recv(64)) == 32
        except OSError:
            return False

    def connect(self) -> WebSocket:
        """A websocket to a client's own API."""
        if self.role != "client":
            raise RuntimeError(f"{self.name} is a {self.role}: only a client has a websocket")
        return WebSocket(self.port)


class Devnet:
    """A directory, mixnodes in three layers, one provider and any number of clients.

    `mixes`      a positive multiple of 3; the first third is layer 1, and so on
    `layout`     the ports; without it free ones, leased for as long as this network lives
    `folder`     for logs, the provider's store, the clients' keys; without it a temporary one that goes at `close`
    `record`     path of the recording, which must not exist; `folder`/run.sqlite without it
    `silent`     names of programs that are not to record ("client-1", "mix-0")
    `options`    more command-line words, by name or by role: {"client": ["--loop-rate", "20"]}
    `instead`    other programs for single nodes, by name: {"mix-1": [mutant, "run", "--break", "replay"]}; the
                 node's usual options follow
    `directory`  URL of a directory to use instead of starting one
    `bin`        folder with the programs
    """

    def __init__(
        self,
        mixes: int = 3,
        clients: int = 0,
        *,
        layout: Layout | None = None,
        folder: Path | None = None,
        record: Path | None = None,
        silent: Sequence[str] = (),
        options: Mapping[str, Sequence[str]] | None = None,
        instead: Mapping[str, Sequence[str]] | None = None,
        directory: str | None = None,
        bin: str | os.PathLike[str] | None = None,
    ) -> None:
        layouts.check_count(mixes)
        self._lease = None if layout else ports.Lease(3 + mixes + clients)
        self.layout = layout or layouts.listed(self._lease.ports if self._lease else (), mixes)
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="mixlab-devnet-"))
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.record = record or self.folder / "run.sqlite"
        self._silent, self._options, self._instead = frozenset(silent), dict(options or {}), dict(instead or {})
        self._bin = {name: str(programs.find(name, bin)) for name in programs.PROGRAMS}
        self.directory_url = directory or self.layout.directory_url
        self.directory_api = DirectoryApi(self.directory_url)
        self.directory = None if directory else self._make_directory()
        self.mixes = [self._make_mix(index) for index in range(mixes)]
        self.provider = self._make_provider()
        self.clients = [self._make_client(index, port) for index, port in enumerate(self.layout.clients)]
        self._writer: recording.Writer | None = None

    # What is started, in words. -----------------------------------------------------------------------------

    def _node(self, name: str, role: str, argv: Sequence[str], port: int, layer: int | None = None) -> Node:
        if name in self._instead:
            argv = [*self._instead[name], *argv[2:]]  # After the program and its subcommand.
        words = [*argv, *self._options.get(role, ()), *self._options.get(name, ())]
        if name not in self._silent:
            words += ["--record", str(self.record)]
        return Node(self, name, role, words, port, layer)

    def _make_directory(self) -> Node:
        argv = [self._bin["nym-directory"], "--host", HOST, "--port", str(self.layout.directory)]
        return self._node("directory", "directory", argv, self.layout.directory)

    def _make_mix(self, index: int) -> Node:
        port, layer = self.layout.mixes[index], self.layout.layer_of(index)
        argv = [self._bin["nym-mixnode"], "run", "--host", HOST, "--port", str(port), "--layer", str(layer)]
        return self._node(f"mix-{index}", "mix", [*argv, "--directory", self.directory_url], port, layer)

    def _make_provider(self) -> Node:
        mix, client = self.layout.provider_mix, self.layout.provider_client
        argv = [self._bin["nym-sfw-provider"], "run", "--mixHost", HOST, "--mixPort", str(mix)]
        argv += [
            "--clientHost",
            HOST,
            "--clientPort",
            str(client),
            "--storeDir",
            str(self.folder / "provider-0"),
        ]
        return self._node("provider-0", "provider", [*argv, "--directory", self.directory_url], mix, layouts.LAYERS + 1)

    def _make_client(self, index: int, port: int) -> Node:
        name = f"client-{index}"
        argv = [self._bin["nym-client"], "websocket", "--id", name, "--port", str(port)]
        node = self._node(name, "client", [*argv, "--directory", self.directory_url], port, 0)
        node.env["XDG_CONFIG_HOME"] = str(self.folder / name)
        return node

    def program(self, name: str) -> Path:
        """Where the program `name` is."""
        return Path(self._bin[name])

    def nodes(self) -> Iterator[Node]:
        """Every node, the directory first."""
        if self.directory:
            yield self.directory
        yield from self.mixes
        yield self.provider
        yield from self.clients

    # Life. --------------------------------------------------------------------------------------------------

    def start(self) -> Devnet:
        """Starts everything and returns when every node is seen to be up. On failure everything is stopped."""
        try:
            self._writer = recording.create(self.record, programs.schema_file())
            if self.directory:
                self.directory.start()
                self.wait_until(self.directory_api.healthy, f"the directory answers at {self.directory_url}")
            self._start_backwards()
            for client in self.clients:
                self.start_client(client)
            for client in self.clients:
                self.wait_until(client._answers, f"{client.name} answers on port {client.port}")
        except BaseException as error:
            if not isinstance(error, ChildDied):  # Which brings its own log.
                error.add_note(self.logs())
            self.close()
            raise
        return self

    def _start_backwards(self) -> None:
        """The provider, then layer 3, 2, 1, each when the directory shows the one behind it: so every node's first
        look at the topology already names its next hops, and the very first packet can travel."""
        stages = [
            [self.provider],
            *([mix for mix in self.mixes if mix.layer == n] for n in range(layouts.LAYERS, 0, -1)),
        ]
        for stage in stages:
            for node in stage:
                node.start()
            self.wait_ready(stage)

    def start_client(self, client: Node) -> None:
        """Makes the client's keys when it has none, and starts it."""
        if not (Path(client.env["XDG_CONFIG_HOME"]) / "nym/clients" / client.name / "private.pem").exists():
            argv = [self._bin["nym-client"], "init", "--id", client.name]
            init = Child(
                f"{client.name} init",
                argv,
                self.folder / "logs" / f"{client.name}.log",
                {**os.environ, **client.env},
            )
            if init.wait(READY_S) != 0:
                raise RuntimeError(init.obituary())
        client.start()

    def missing(self, nodes: Sequence[Node] | None = None) -> list[str]:
        """Names of mixnodes and providers (of `nodes`, else of all) that the topology does not show (yet)."""
        wanted = [*self.mixes, self.provider] if nodes is None else nodes
        try:
            topology = self.topology()
        except (OSError, ValueError):
            return [node.name for node in wanted]
        shown = {(str(mix["host"]), int(mix["layer"])) for mix in topology.mixes}
        shown |= {(str(provider["mixnetListener"]), layouts.LAYERS + 1) for provider in topology.providers}
        return [node.name for node in wanted if (node.address, node.layer) not in shown]

    def wait_ready(self, nodes: Sequence[Node] | None = None, within_s: float = READY_S) -> None:
        """Until the topology shows every mixnode in its layer, and the provider (or just `nodes`)."""
        try:
            self.wait_until(lambda: not self.missing(nodes), "the topology shows every node", within_s)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; missing: {', '.join(self.missing(nodes))}") from None

    def topology(self) -> Topology:
        return self.directory_api.topology()

    def wait_until(
        self,
        condition: Callable[[], Any],
        what: str,
        within_s: float = READY_S,
        watch: Sequence[Child] | None = None,
    ) -> None:
        """As process.wait_until; watches every node that runs now."""
        if watch is None:
            watch = [node.child for node in self.nodes() if node.child is not None and node.child.alive]
        wait_until(condition, what, within_s, watch)

    def note_fault(self, verb: str, target: str) -> None:
        """Writes into the recording that somebody harmed the network on purpose."""
        if self._writer:
            self._writer.fault(verb, target)

    def stop(self) -> dict[str, int]:
        """Stops what runs, clients first, so that packets on their way can arrive; exit statuses by name."""
        order = (self.clients, self.mixes, [self.provider], [self.directory] if self.directory else [])
        statuses: dict[str, int] = {}
        for group in order:
            children = [(node.name, node.child) for node in group if node.child is not None and node.child.alive]
            for _, child in children:
                child.signal(signal.SIGCONT)
                child.signal(signal.SIGTERM)
            for name, child in children:
                statuses[name] = child.wait(10)
        if self._writer:
            self._writer.finish()
            self._writer = None
        return statuses

    def close(self) -> None:
        """Stops everything and removes the temporary folder."""
        try:
            self.stop()
        finally:
            for node in self.nodes():
                if node.alive:
                    node.running().kill()
            if self._lease:
                self._lease.release()
            if self._temporary:
                shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def run(self) -> Run:
        """The recording, read-only; while the network runs it grows."""
        return Run(self.record)

    def logs(self) -> str:
        """The end of every program's log, for a failure report."""
        started = [node.child for node in self.nodes() if node.child is not None]
        return "\n".join(child.obituary() for child in started)

    def __enter__(self) -> Devnet:
        return self.start()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.close()
