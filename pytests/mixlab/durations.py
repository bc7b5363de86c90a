# SPDX-License-Identifier: Apache-2.0
"""Durations as the scenario files spell them: a number, a space, a unit ("10 s", "2.5 ms"); held as integer ns.

Decimal arithmetic only: "0.1 s" is exactly 100,000,000 ns, and a duration finer than one nanosecond is refused
rather than rounded.
"""

from __future__ import annotations

import re
from fractions import Fraction

UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")

_EXPECTED = "a number and a unit out of " + ", ".join(UNITS_NS) + ', such as "10 s"'


def nanoseconds(value: str | int) -> int:
    """The duration in ns. A string needs its unit; an int is taken as ns. ValueError says what is wrong."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"a duration is {_EXPECTED}, not {value!r}")
    if isinstance(value, int):
        if value < 0:
            raise ValueError(f"a duration cannot be negative: {value}")
        return value
    match = _FORM.fullmatch(value)
    if match is None or match[2] not in UNITS_NS:
        raise ValueError(f"not a duration: {value!r} (expected {_EXPECTED})")
    exact = Fraction(match[1]) * UNITS_NS[match[2]]
    if exact.denominator != 1:
        raise ValueError(f"{value!r} is finer than one nanosecond")
    return exact.numerator


def text(ns: int) -> str:
    """For people: the largest unit that keeps the number readable, at most three decimals."""
    for unit in ("min", "s", "ms", "us"):
        if abs(ns) >= UNITS_NS[unit]:
            number = f"{ns / UNITS_NS[unit]:.3f}".rstrip("0").rstrip(".")
            return f"{number} {unit}"
    return f"{ns} ns"


def ratio(value: str | float | Fraction) -> Fraction:
    """A share between 0 and 1: "99/100", 0.99 or "0.99". Decimals are taken as written, not as binary floats."""
    try:
        share = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    except (ValueError, ZeroDivisionError, TypeError):
        raise ValueError(f'not a ratio: {value!r} (expected "99/100" or 0.99)') from None
    if not 0 <= share <= 1:
        raise ValueError(f"a ratio lies between 0 and 1: {value!r}")
    return share
