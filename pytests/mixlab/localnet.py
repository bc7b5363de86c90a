# SPDX-License-Identifier: Apache-2.0
"""The supervisor behind scripts/run_local_network.sh: a devnet that a person starts, looks at and ends.

It plans (ports, files), starts a Devnet, draws it, says what to type next, and stays up until a signal. What it
prints at the end comes from the recording (summary.py). The programs are children with a parent-death signal:
should this process be killed outright, they die with it.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import drawing, layout, ports, programs, summary
from .devnet import Devnet, Node
from .directory import BadUrl, DirectoryApi
from .layout import Layout, LayoutError
from .process import ChildDied
from .screen import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_EPILOG = """\
ports: directory 8080, mixnodes 9980 and up without 9997 and 9998, provider 9997 (for mixnodes) and 9998 (for
clients), --clients 9101 and up. With --port-base B: directory B, provider B+1 and B+2, mixnodes B+3 and up,
then clients. Layers are filled in order: with 6 mixnodes the first two are layer 1. To see the nodes report in,
add --follow directory.

Ctrl-C stops everything this command started and nothing else, and prints what the recording saw. A recording
links senders to receivers: it is for test networks. Exit status: 0 stopped by a signal, 1 the network could
not be started, 2 wrong arguments.
"""


class CannotStart(RuntimeError):
    """Why there will be no network, in words for the person at the terminal."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_local_network.sh",
        description="Builds and runs a mixnet on this machine: a directory, N mixnodes in three layers, a provider.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("mixnodes", metavar="N", nargs="?", type=int, default=3, help="mixnodes, a positive multiple of 3 (default 3)")
    add("--clients", metavar="K", type=int, default=0, help="start K clients, each with its own keys and port")
    add("--record", metavar="FILE", type=Path, help="recording, never overwritten (default results/devnet-DATE.sqlite)")
    add("--port-base", metavar="B", type=int, help="move everything to ports from B, so that two networks can run")
    add("--directory", metavar="URL", help="use the directory at URL and start none")
    add("--join", action="store_true", help="use a directory even when it already has nodes")
    add("--follow", metavar="NAME", help="show what a program writes: directory, mix-0, provider-0, client-0, or all")
    add("--no-build", action="store_true", help="install and build nothing")
    add("--only-check", action="store_true", help=argparse.SUPPRESS)
    return parser


# Planning. ----------------------------------------------------------------------------------------------------


def plan(arguments: argparse.Namespace) -> Layout:
    """Where everything is to listen. LayoutError when the arguments make no network."""
    if arguments.clients < 0:
        raise LayoutError(f"--clients cannot be negative: {arguments.clients}")
    if arguments.port_base is not None:
        return layout.block(arguments.port_base, arguments.mixnodes, arguments.clients)
    fixed = layout.classic(arguments.mixnodes)
    taken = set(fixed.all_ports())
    free = (p for p in range(layout.CLASSIC_FIRST_CLIENT, 65536) if p not in taken and ports.is_free(p))
    return layout.classic(arguments.mixnodes, [next(free) for _ in range(arguments.clients)])


def existing_directory(where: Layout, url: str | None, join: bool) -> str | None:
    """URL of the directory that answers already and may be used; None when we have to start our own."""
    if url is None and ports.is_free(where.directory):
        return None
    api = DirectoryApi(url or where.directory_url)
    what = f"the directory at {api.url}"
    if url is None:
        who = ports.holder(where.directory) or "another process"
        what = f"port {where.directory}, the directory's, is held by {who}"
    if not api.healthy():
        raise CannotStart(f"{what}, which does not answer as a directory" if url is None else f"{what} does not answer")
    topology = api.topology()
    if not topology.empty and not join:
        nodes = len(topology.mixes) + len(topology.providers) + len(topology.coconodes)
        raise CannotStart(
            f"the directory at {api.url} already has {nodes} node(s)"
            + ("" if url else f" ({what})")
            + ".\nStop that network first (an entry goes 10 s after its node's last report), use --port-base for a"
            "\nsecond network beside it, or --join to add this one to it."
        )
    return api.url


def check_ports(where: Layout, own_directory: bool) -> None:
    """CannotStart names every port that is held, and by whom."""
    names = {where.provider_mix: "the provider's for mixnodes", where.provider_client: "the provider's for clients"}
    names |= {port: f"mix-{index}'s" for index, port in enumerate(where.mixes)}
    names |= {port: f"client-{index}'s" for index, port in enumerate(where.clients)}
    if own_directory:
        names[where.directory] = "the directory's"
    held = [
        f"port {port}, {whose}, is held by {ports.holder(port) or 'a process that is not listening'}"
        for port, whose in sorted(names.items())
        if not ports.is_free(port)
    ]
    if held:
        raise CannotStart("\n".join(held) + "\nStop it, or move this network with --port-base.")


def new_paths(checkout: Path, given: Path | None) -> tuple[Path, Path]:
    """(recording, folder for logs, keys and mailboxes), neither of which exists."""
    if given is not None:
        if given.exists():
            raise CannotStart(f"--record: {given} exists already; a recording is never overwritten")
        folder = given.with_name(given.name + ".files")
        folder.mkdir(parents=True, mode=0o700)
        return given, folder
    stem = checkout / "results" / time.strftime("devnet-%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        record = stem.with_name(f"{stem.name}{'' if number == 1 else f'-{number}'}.sqlite")
        folder = record.with_suffix(".files")
        if record.exists():
            continue
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        return record, folder
    raise CannotStart(f"no free name beside {stem}")


# Running. -----------------------------------------------------------------------------------------------------


class Signals:
    """Turns the three signals that end us into something a poll can wait on."""

    def __init__(self) -> None:
        self._read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in _SIGNALS:
            signal.signal(number, self._note)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self.received: signal.Signals | None = None

    def _note(self, number: int, _frame: object) -> None:
        first = self.received is None
        self.received = signal.Signals(number)
        if first and self.interrupting:
            raise KeyboardInterrupt
        self.interrupting = False

    interrupting = True  # While starting up: a signal breaks off whatever we wait for.

    def fileno(self) -> int:
        return self._read


class Follower:
    """Prints the new lines of the logs that the person wants to see."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = list(nodes)
        self._seen: dict[str, int] = {}

    @property
    def active(self) -> bool:
        return bool(self._nodes)

    def show_new(self) -> None:
        for node in self._nodes:
            if node.child is None:
                continue
            with node.child.log.open("rb") as log:
                log.seek(self._seen.get(node.name, 0))
                text = log.read()
            end = text.rfind(b"\n") + 1
            self._seen[node.name] = self._seen.get(node.name, 0) + end
            for line in text[:end].decode("utf-8", "replace").splitlines():
                say(f"{node.name:>10} | {line}")


def _stay(net: Devnet, signals: Signals, follower: Follower) -> None:
    """Until a signal. Says when a program ends on its own; the rest goes on."""
    living: dict[str, Node] = {node.name: node for node in net.nodes() if node.alive}
    status = summary.StatusLine(net.record) if sys.stdout.isatty() else None
    while signals.received is None:
        poller = select.poll()
        poller.register(signals, select.POLLIN)
        for node in living.values():
            poller.register(node.running().pidfd, select.POLLIN)
        poller.poll(500 if status or follower.active else None)
        follower.show_new()
        for node in [node for node in living.values() if not node.alive]:
            del living[node.name]
            if status:
                status.clear()
            say(f"\n{node.running().obituary()}\nThe others go on; Ctrl-C stops them.")
        if status:
            status.update()
    if status:
        status.clear()


def _announce(net: Devnet, took_ns: int, own_directory: bool) -> None:
    topology = net.topology()
    say(drawing.layers(topology))
    others = len(topology.mixes) - len(net.mixes)
    if others > 0:
        say(f"({others} of these mixnodes belong to another network that uses the same directory)")
    say(f"ready in {took_ns / 1e9:.2f} s")
    whose = "" if own_directory else " (it ran already, and will not be stopped)"
    say(f"directory  {net.directory_url}  (in a browser: the network, live){whose}")
    for client in net.clients:
        say(f"{client.name}   ws://localhost:{client.port}")
    say(f"recording  {_short(net.record)}  (links senders to receivers: for test networks)")
    say(f"logs       {_short(net.folder / 'logs')}")
    program = _short(net.program("nym-client"))
    say("\nA client of your own, in another terminal but from this folder (without --record it goes unrecorded):\n")
    say(f"  {program} init --id zorro")
    say(f"  {program} websocket --id zorro --directory {net.directory_url} --record {_short(net.record)}")
    say("\nCtrl-C stops the network.")


def _short(path: Path) -> str:
    """Relative to the working directory when it is below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _followed(net: Devnet, name: str | None) -> list[Node]:
    nodes = list(net.nodes())
    if name is None or name == "all":
        return nodes if name else []
    chosen = [node for node in nodes if node.name == name]
    if not chosen:
        raise LayoutError(f"--follow: no program is called {name!r} (there are {', '.join(n.name for n in nodes)})")
    return chosen


def _prepare(arguments: argparse.Namespace) -> Devnet:
    where = plan(arguments)
    directory = existing_directory(where, arguments.directory, arguments.join)
    check_ports(where, own_directory=directory is None)
    checkout = Path(os.environ.get("MIXLAB_CHECKOUT") or next(programs.checkouts()))
    built = Path(os.environ.get(programs.BIN_VARIABLE) or checkout / "build" / "bin")
    for name in programs.PROGRAMS:
        programs.find(name, built)
    record, folder = new_paths(checkout, arguments.record)
    return Devnet(
        arguments.mixnodes,
        layout=where,
        folder=folder,
        record=record,
        directory=directory,
        bin=built,
    )


def run(arguments: argparse.Namespace) -> int:
    signals = Signals()
    net = _prepare(arguments)
    follower = Follower(_followed(net, arguments.follow))
    started = time.monotonic_ns()
    try:
        net.start()
        took = time.monotonic_ns() - started
        signals.interrupting = False
        _announce(net, took, net.directory is not None)
        _stay(net, signals, follower)
    except KeyboardInterrupt:
        pass
    except ChildDied as error:
        raise CannotStart(str(error)) from None
    finally:
        signals.interrupting = False
        net.close()
    say(f"\nstopped ({signals.received.name if signals.received else 'end'}).")
    if net.record.exists():
        say(summary.text(net.run))
        say(f"recording: {_short(net.record)}")
    return 0


def main(words: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(words)
    try:
        plan(arguments)
        if arguments.directory is not None:
            DirectoryApi(arguments.directory)
        return 0 if arguments.only_check else run(arguments)
    except (LayoutError, BadUrl) as error:
        print(f"run_local_network.sh: {error}", file=sys.stderr)
        return 2
    except (CannotStart, programs.ProgramMissing, OSError) as error:
        print(f"run_local_network.sh: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
