# SPDX-License-Identifier: Apache-2.0
"""Where everything of a devnet listens: pure arithmetic, nothing is bound here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HOST = "127.0.0.1"
LAYERS = 3

CLASSIC_DIRECTORY, CLASSIC_FIRST_MIX = 8080, 9980
CLASSIC_PROVIDER = (9997, 9998)
CLASSIC_FIRST_CLIENT = 9101  # 9001, a client's own default, stays free for the client a person starts.
HIGHEST_PORT = 65535


class LayoutError(ValueError):
    """The network asked for cannot be laid out; the text is for the person who asked."""


@dataclass(frozen=True)
class Layout:
    """Ports by role; the first third of `mixes` is layer 1, and so on."""

    directory: int
    mixes: tuple[int, ...]
    provider_mix: int
    provider_client: int
    clients: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_count(len(self.mixes))
        ports = self.all_ports()
        if len(set(ports)) != len(ports):
            raise LayoutError(f"one port is given to two programs: {sorted(ports)}")
        outside = [port for port in ports if not 1 <= port <= HIGHEST_PORT]
        if outside:
            raise LayoutError(f"port {outside[0]} does not exist (1 to {HIGHEST_PORT})")

    def all_ports(self) -> tuple[int, ...]:
        return (self.directory, *self.mixes, self.provider_mix, self.provider_client, *self.clients)

    @property
    def width(self) -> int:
        return len(self.mixes) // LAYERS

    def layer_of(self, index: int) -> int:
        """Layer of the mixnode with that index."""
        return index // self.width + 1

    @property
    def directory_url(self) -> str:
        return f"http://localhost:{self.directory}"


def check_count(mixes: int) -> None:
    if mixes < LAYERS or mixes % LAYERS:
        raise LayoutError(
            f"the number of mixnodes must be a positive multiple of {LAYERS} (one share for each layer), not {mixes}"
        )


def classic(mixes: int = LAYERS, client_ports: Iterable[int] = ()) -> Layout:
    """The ports every newcomer learns: directory 8080, mixnodes 9980.. without 9997 and 9998, the provider's."""
    check_count(mixes)
    ports: list[int] = []
    port = CLASSIC_FIRST_MIX
    while len(ports) < mixes:
        if port not in CLASSIC_PROVIDER:
            ports.append(port)
        port += 1
    return Layout(CLASSIC_DIRECTORY, tuple(ports), *CLASSIC_PROVIDER, tuple(client_ports))


def block(base: int, mixes: int = LAYERS, clients: int = 0) -> Layout:
    """One unbroken block from `base`: directory, the provider's two, mixnodes, clients."""
    return listed(range(base, base + 3 + mixes + clients), mixes)


def listed(ports: Iterable[int], mixes: int = LAYERS) -> Layout:
    """From a list of ports: directory, the provider's two, `mixes` mixnodes, the rest for clients."""
    directory, provider_mix, provider_client, *rest = ports
    return Layout(directory, tuple(rest[:mixes]), provider_mix, provider_client, tuple(rest[mixes:]))
