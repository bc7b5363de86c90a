# SPDX-License-Identifier: Apache-2.0
"""Writing to a terminal that may go away: a closed window or pipe must not stop whoever has nodes to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def write(text: str) -> None:
    """To standard output, at once. Once that fails, everything further goes nowhere."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until we end


def say(text: str = "") -> None:
    """A line."""
    write(text + "\n")
