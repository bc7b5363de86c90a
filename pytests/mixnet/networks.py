# SPDX-License-Identifier: Apache-2.0
"""Scenarios of the tests of promises, put together from parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

BASE = """# {name}
[scenario]
name = "{name}"
duration = "{duration}"

[mixnet]
width = {width}
clients = {clients}
loop_rate = "{loop_rate} / s"
send_rate = "{send_rate} / s"
{instead}
[link.default]
latency = "20 ms"

[record]
payload = "{payload}"
"""


def network(
    name: str,
    *parts: str,
    duration: str = "25 s",
    width: int = 2,
    clients: int = 2,
    loop_rate: int = 5,
    send_rate: int = 10,
    payload: str = "digest",
    instead: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The text of a scenario; `instead` as in [mixnet], `parts` are tables to add."""
    table = ", ".join(f"{place} = {list(words)}" for place, words in (instead or {}).items())
    head = BASE.format(
        name=name, duration=duration, width=width, clients=clients, loop_rate=loop_rate, send_rate=send_rate,
        payload=payload, instead=f"instead = {{ {table} }}\n" if table else "",
    )  # fmt: skip
    return "\n".join((head, *parts))


def traffic(rate: int, window: tuple[str, str], size: int = 200, source: int = 0, target: int = 1) -> str:
    """Messages at even gaps."""
    return (
        f'[[traffic]]\nfrom = "client[{source}]"\nto = "client[{target}]"\nprocess = "constant"\n'
        f'rate = "{rate} / s"\nsize = {size}\nwindow = ["{window[0]}", "{window[1]}"]\n'
    )


def fault(time: str, verb: str, on: str, lasts: str | None = None) -> str:
    return f'[[at]]\nt = "{time}"\ndo = "{verb}"\non = "{on}"\n' + (f'for = "{lasts}"\n' if lasts else "")


def program(host: str, name: str, command: Sequence[str], **more: str) -> str:
    lines = [f'{key} = "{value}"' for key, value in more.items()]
    return "\n".join(["[[program]]", f'host = "{host}"', f'name = "{name}"', f"command = {list(command)}", *lines, ""])


def saved(folder: Path, text: str) -> Path:
    path = folder / f"{text.splitlines()[0][2:]}.toml"
    path.write_text(text, encoding="utf-8")
    return path


# A hundred packets a second until each class has 11,000 in each layer: enough to see a mean that is 5 % off. The user
# writes as fast as the client sends for the first half, and then nothing, so that half of the stream is real.
BUSY_RATES = (34, 66)
BUSY = network(
    "busy",
    traffic(68, ("5 s", "170 s")),
    fault("4 s", "crash", "client[1]"),  # It registered; what is sent to it fills its mailbox.
    duration="345 s",
    loop_rate=BUSY_RATES[0],
    send_rate=BUSY_RATES[1],
)
