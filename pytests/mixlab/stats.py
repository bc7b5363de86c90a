# SPDX-License-Identifier: Apache-2.0
"""Tests of samples against laws, in the standard library: what the checks of delays and sending times rest on.

Each returns a `Judged`: the p-value of what was seen if the law holds, how many samples there were, and how small an
error they would show. One test proves nothing about a hundred: `rejected` corrects for their number (Holm). In the
lab a sample is a function of scenario and seed, so a test that passes once passes always.

Approximations are those of large samples: n of some hundreds or more. Nothing here draws or reads a clock.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

ALPHA = 1e-3
"""Of one check: how often a lawful sample is rejected."""
_D = math.sqrt(-math.log(ALPHA / 2) / 2)  # 1.95: the distance of Kolmogorov and Smirnov, times the root of n
_Z = 3.2905  # of the normal law, two-sided, at ALPHA


@dataclass(frozen=True)
class Judged:
    """One test of one sample."""

    what: str
    n: int
    p: float
    seen: str
    """The statistic in words."""
    error: float
    """The smallest error these n samples would show at ALPHA, in the unit that `of` names."""
    of: str

    def __str__(self) -> str:
        return f"{self.what}: n = {self.n}, {self.seen}, p = {self.p:.2g}; would see {self.of} of {self.error:.3g}"


def rejected(judged: Iterable[Judged], alpha: float = ALPHA) -> list[Judged]:
    """Those that fail when all are judged together, by Holm's rule, the worst first."""
    worst_first = sorted(judged, key=lambda one: one.p)
    out = []
    for position, one in enumerate(worst_first):
        if one.p > alpha / (len(worst_first) - position):
            break
        out.append(one)
    return out


# Laws. --------------------------------------------------------------------------------------------------------


def exponential(mean: float) -> Callable[[float], float]:
    """The distribution function of Exp(1 / mean)."""
    return lambda x: -math.expm1(-x / mean) if x > 0 else 0.0


def uniform(least: float, most: float) -> Callable[[float], float]:
    return lambda x: min(1.0, max(0.0, (x - least) / (most - least)))


def erlang(steps: int, mean: float) -> Callable[[float], float]:
    """Of the sum of `steps` independent waits of Exp(1 / mean): the time through so many mixes."""
    return lambda x: 1 - _gamma_above(steps, x / mean) if x > 0 else 0.0


# Tests. -------------------------------------------------------------------------------------------------------


def fits(what: str, values: Sequence[float], law: Callable[[float], float]) -> Judged:
    """Kolmogorov-Smirnov: the sample comes from `law`. The error is that of an exponential law's mean."""
    n, worst = len(values), 0.0
    _need(what, n)
    for i, value in enumerate(sorted(values)):
        expected = law(value)
        worst = max(worst, expected - i / n, (i + 1) / n - expected)
    return Judged(what, n, _ks(worst, n), f"D = {worst:.4f}", _mean_error(n), "a mean off by a share")


def same_law(what: str, a: Sequence[float], b: Sequence[float]) -> Judged:
    """Kolmogorov-Smirnov with two samples: both come from one law, whichever that is."""
    _need(what, min(len(a), len(b)))
    first, second, i, j, worst = sorted(a), sorted(b), 0, 0, 0.0
    while i < len(first) and j < len(second):
        at = min(first[i], second[j])
        while i < len(first) and first[i] == at:
            i += 1
        while j < len(second) and second[j] == at:
            j += 1
        worst = max(worst, abs(i / len(first) - j / len(second)))
    n = len(a) * len(b) / (len(a) + len(b))
    return Judged(what, len(a) + len(b), _ks(worst, n), f"D = {worst:.4f}", _mean_error(n), "means apart by a share")


def unrelated(what: str, a: Sequence[float], b: Sequence[float]) -> Judged:
    """Spearman: pairs of a and b have no rank correlation."""
    n = len(a)
    _need(what, n)
    if len(b) != n:
        raise ValueError(f"{what}: {n} values and {len(b)} partners")
    first, second = _ranks(a), _ranks(b)
    middle = (n - 1) / 2
    spread = math.sqrt(sum((x - middle) ** 2 for x in first) * sum((y - middle) ** 2 for y in second))
    if spread == 0:
        raise ValueError(f"{what}: all values are equal")
    rho = sum((x - middle) * (y - middle) for x, y in zip(first, second, strict=True)) / spread
    z = abs(rho) * math.sqrt(n - 1)
    return Judged(what, n, math.erfc(z / math.sqrt(2)), f"rho = {rho:.4f}", _Z / math.sqrt(n - 1), "a correlation")


def dispersed(what: str, counts: Sequence[int]) -> Judged:
    """Counts in equal windows vary as those of a Poisson process do: variance over mean is 1."""
    k = len(counts)
    _need(what, k)
    mean = sum(counts) / k
    index = sum((count - mean) ** 2 for count in counts) / (k - 1) / mean
    above = _gamma_above((k - 1) / 2, index * (k - 1) / 2)
    p = 2 * min(above, 1 - above)
    return Judged(what, k, p, f"variance/mean = {index:.3f}", _Z * math.sqrt(2 / (k - 1)), "a variance off by a share")


def uncorrelated(what: str, values: Sequence[float], lags: int = 20) -> Judged:
    """Ljung-Box: no value tells anything about the next `lags`."""
    n = len(values)
    _need(what, n)
    mean = sum(values) / n
    centred = [value - mean for value in values]
    power = sum(value * value for value in centred)
    error = math.sqrt(_quantile_above(lags / 2) * 2 / n)
    if power == 0:
        return Judged(what, n, 0.0, "all values are equal", error, "a correlation at one lag")
    q = 0.0
    for lag in range(1, lags + 1):
        r = sum(x * y for x, y in zip(centred, centred[lag:], strict=False)) / power
        q += r * r / (n - lag)
    q *= n * (n + 2)
    p = _gamma_above(lags / 2, q / 2)
    return Judged(what, n, p, f"Q = {q:.1f}", error, "a correlation at one lag")


def poisson_above(count: int, mean: float) -> float:
    """The chance of `count` events or more where `mean` are expected."""
    return 1.0 if count <= 0 else 1 - _gamma_above(count, mean)


# Numbers. -----------------------------------------------------------------------------------------------------


def _need(what: str, n: int) -> None:
    if n < 8:
        raise ValueError(f"{what}: {n} values are too few to judge")


def _mean_error(n: float) -> float:
    """An exponential law whose mean is off by a share e lies e / 2.718 away at most."""
    return _D * math.e / math.sqrt(n)


def _ks(distance: float, n: float) -> float:
    x = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    if x < 0.2:
        return 1.0
    total, sign = 0.0, 2
    for k in range(1, 101):
        total += sign * math.exp(-2 * (k * x) ** 2)
        sign = -sign
    return min(1.0, max(0.0, total))


def _ranks(values: Sequence[float]) -> list[float]:
    """From 0; equal values share the mean of their ranks."""
    ordered = sorted(values)
    ends = [-value for value in reversed(ordered)]
    n = len(ordered)
    return [(bisect_left(ordered, value) + n - bisect_left(ends, -value) - 1) / 2 for value in values]


def _gamma_above(a: float, x: float) -> float:
    """The regularised upper incomplete gamma function: chi-square's tail is _gamma_above(k / 2, x / 2)."""
    if x <= 0:
        return 1.0
    scale: float = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:  # the series of the lower one
        term = total = 1 / a
        step = a
        while abs(term) > abs(total) * 1e-15:
            step += 1
            term *= x / step
            total += term
        return max(0.0, 1 - total * scale)
    tiny, b = 1e-300, x + 1 - a  # Lentz's continued fraction
    c, d = 1 / tiny, 1 / b
    result, i = d, 0
    while True:
        i += 1
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        result *= d * c
        if abs(d * c - 1) < 1e-15 or i > 10_000:
            return min(1.0, scale * result)


def _quantile_above(a: float) -> float:
    """Where _gamma_above(a, x) is ALPHA."""
    low, high = 0.0, 10 * a + 100
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _gamma_above(a, middle) > ALPHA else (low, middle)
    return low
