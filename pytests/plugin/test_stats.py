# SPDX-License-Identifier: Apache-2.0
"""Each test of a law accepts lawful samples and sees the errors that it says it would see."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from mixlab import stats
from mixlab.stats import Judged

N = 11_200  # 28 / 0.05^2
SEEDS = range(1, 6)


def waits(seed: int, n: int = N, mean: float = 1.0) -> list[float]:
    chance = random.Random(seed)
    return [chance.expovariate(1 / mean) for _ in range(n)]


def holds(judged: Judged) -> bool:
    return not stats.rejected([judged])


@pytest.mark.parametrize("seed", SEEDS)
def test_lawful_samples_pass(seed: int) -> None:
    a, b = waits(seed), waits(100 + seed)
    times = random.Random(seed)
    counts = [sum(times.random() < 0.05 for _ in range(400)) for _ in range(300)]  # binomial: a little narrower
    uneven = [math.floor(value * 1000) / 1000 for value in a]
    assert holds(stats.fits("exponential", a, stats.exponential(1)))
    assert holds(stats.fits("uniform", [times.uniform(2, 5) for _ in range(N)], stats.uniform(2, 5)))
    assert holds(stats.fits("erlang", [sum(waits(10 * i + seed, 3)) for i in range(N)], stats.erlang(3, 1)))
    assert holds(stats.same_law("two", a, b))
    assert holds(stats.same_law("two of unlike size", a, b[:2000]))
    assert holds(stats.unrelated("pairs", a, b))
    assert holds(stats.unrelated("pairs with ties", uneven, [round(value) for value in b]))
    assert holds(stats.dispersed("counts", counts))
    assert holds(stats.uncorrelated("gaps", a))


A, B = waits(1), waits(2)
UNIT = stats.exponential(1)
WRONG: dict[str, Callable[[], Judged]] = {
    "a mean 7 % off": lambda: stats.fits("x", [1.07 * a for a in A], UNIT),
    "a cut": lambda: stats.fits("x", [min(a, 3.0) for a in A], UNIT),
    "a coarse clock": lambda: stats.fits("x", [math.ceil(10 * a) / 10 for a in A], UNIT),
    "an even law of that mean": lambda: stats.fits("x", [2 * i / N for i in range(N)], UNIT),
    "two means 9 % apart": lambda: stats.same_law("x", A, [1.09 * b for b in B]),
    "a weak relation": lambda: stats.unrelated("x", A, [0.1 * a + b for a, b in zip(A, B, strict=True)]),
    "an even pace": lambda: stats.dispersed("x", [20] * 100 + [21] * 100),
    "a metronome": lambda: stats.uncorrelated("x", [1.0] * N),
    "bursts": lambda: stats.dispersed("x", [10, 30] * 100),
    "an echo": lambda: stats.uncorrelated("x", [a + 0.1 * b for a, b in zip(A[3:], A, strict=False)]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_samples_are_rejected(name: str) -> None:
    judged = WRONG[name]()
    assert not holds(judged), judged


@pytest.mark.parametrize("seed", SEEDS)
def test_the_smallest_error_is_told_rightly(seed: int) -> None:
    """Somewhat above what it says it sees, it sees; somewhat below, it may not."""
    error = stats.fits("x", waits(seed), stats.exponential(1)).error
    assert error == pytest.approx(0.05, rel=0.01)
    assert not holds(stats.fits("x", waits(seed, mean=1 + 1.4 * error), stats.exponential(1)))
    assert holds(stats.fits("x", waits(seed, mean=1 + 0.2 * error), stats.exponential(1)))


def test_p_values_are_those_of_the_tables() -> None:
    assert stats._gamma_above(10 / 2, 18.307 / 2) == pytest.approx(0.05, abs=1e-4)  # chi-square, 10 degrees
    assert stats._gamma_above(100 / 2, 149.449 / 2) == pytest.approx(0.001, abs=1e-5)
    assert stats._ks(1.3581 / 1000, 1e6) == pytest.approx(0.05, abs=1e-3)
    assert stats._ks(1.9495 / 1000, 1e6) == pytest.approx(0.001, abs=1e-5)
    assert stats.poisson_above(3, 1.0) == pytest.approx(0.0803, abs=1e-4)
    assert stats.poisson_above(0, 1.0) == 1


def test_ranks_of_equal_values_are_shared() -> None:
    assert stats._ranks([3, 1, 3, 2]) == [2.5, 0, 2.5, 1]


def test_many_checks_together_are_judged_by_their_number() -> None:
    def one(name: str, p: float) -> Judged:
        return Judged(name, 100, p, "", 0, "")

    lawful = [one(f"lawful {i}", 0.002 + i / 100) for i in range(10)]
    assert stats.rejected([one("alone", 0.0009)]) != []
    assert stats.rejected([*lawful, one("in company", 0.0009)]) == []
    wrong = [one("worst", 1e-9), one("second", 9e-5)]
    assert [judged.what for judged in stats.rejected([*lawful, *wrong])] == ["worst", "second"]


def test_too_few_values_are_no_pass() -> None:
    with pytest.raises(ValueError, match="too few"):
        stats.fits("x", [1.0] * 5, stats.exponential(1))
    with pytest.raises(ValueError, match="partners"):
        stats.unrelated("x", [1.0] * 9, [1.0] * 8)
    with pytest.raises(ValueError, match="equal"):
        stats.unrelated("x", [1.0] * 9, [1.0] * 9)
