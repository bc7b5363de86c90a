# SPDX-License-Identifier: Apache-2.0
"""A topology as text: what a newcomer sees first."""

from __future__ import annotations

from .directory import Topology

_TALLEST = 12


def layers(topology: Topology) -> str:
    """Columns from left to right: clients, layer 1 to L, provider; a column shows at most 12 nodes.

    clients        layer 1           layer 2           layer 3          provider
              ->  127.0.0.1:9980 ->  127.0.0.1:9981 -> ...
    """
    columns = [["your", "clients"]]
    titles = ["layer 0"]
    for layer, mixes in topology.layers().items():
        columns.append([str(mix["host"]) for mix in mixes])
        titles.append(f"layer {layer}")
    columns.append([str(provider["mixnetListener"]) for provider in topology.providers])
    titles.append("provider")
    columns = [_cut(column) for column in columns]

    height = max(len(column) for column in columns)
    widths = [
        max(len(title), *(len(cell) for cell in column), 1) for title, column in zip(titles, columns, strict=True)
    ]
    padded = [_centred(column, height) for column in columns]
    lines = ["    ".join(title.center(width) for title, width in zip(titles, widths, strict=True))]
    for row in range(height):
        cells = [column[row].center(width) for column, width in zip(padded, widths, strict=True)]
        lines.append((" -> " if row == (height - 1) // 2 else "    ").join(cells))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cut(column: list[str]) -> list[str]:
    if len(column) <= _TALLEST:
        return column
    return [*column[: _TALLEST - 1], f"and {len(column) - _TALLEST + 1} more"]


def _centred(column: list[str], height: int) -> list[str]:
    above = (height - len(column)) // 2
    return [""] * above + column + [""] * (height - len(column) - above)
