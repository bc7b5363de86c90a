# SPDX-License-Identifier: Apache-2.0
"""S10: nothing vanishes. Every packet has one end, every drop a reason, and every node's books come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixlab import Run, Violated
from mixlab.lab import Lab
from networks import fault, network, saved, traffic


def run(lab: Lab, folder: Path, name: str, *parts: str, **more: object) -> Run:
    return lab.once(saved(folder, network(name, *parts, **more)), seed=3)  # type: ignore[arg-type]


def test_the_books_of_every_node_come_out_in_every_second(lab: Lab, tmp_path: Path) -> None:
    seen = run(lab, tmp_path, "books", traffic(3, ("6 s", "20 s")))
    seen.assert_conservation()
    assert seen.assert_accounts("1 s") > 7 * 20  # Seven nodes, some twenty seconds with packets.
    assert seen.assert_accounts("37 ms") > 1000
    assert seen.sql("select count(*) from packet where outcome = 'delivered'").scalar() > 500


@pytest.mark.parametrize(
    ("who", "when"),
    [
        ("mix[2]", "9.95 s"),
        ("mix@layer2", "9.95 s"),
        ("mix@layer2", "10 s"),
    ],
)
def test_what_a_crash_takes_along_has_a_reason(lab: Lab, tmp_path: Path, who: str, when: str) -> None:
    seen = run(lab, tmp_path, "books-crash", fault(when, "crash", who, "4 s"))
    seen.assert_conservation()
    drops = seen.drops()
    assert drops["node_crashed"] > 0  # held by it then
    assert drops["peer_unreachable"] > 0  # on their way to it
    assert drops["mac"] > 0  # made for the key it had before
    ends = dict(seen.sql("select outcome, count(*) from packet group by 1").rows())
    assert sum(ends.values()) == seen.sql("select count(*) from made").scalar()
    assert seen.sql("select count(*) from packet where outcome = 'dropped' and reason is null").scalar() == 0


@pytest.mark.parametrize("promise", ["silent_drop", "forgotten_row", "false_row"])
def test_a_mix_whose_books_are_wrong_is_caught(lab: Lab, tmp_path: Path, promise: str) -> None:
    seen = run(lab, tmp_path, promise, instead={"mix-2": ["mutant-mixnode", "run", "--break", promise]})
    with pytest.raises(Violated, match="conservation"):
        seen.assert_conservation()
    with pytest.raises(Violated, match="mix-2"):
        seen.assert_accounts("1 s")


def test_the_mutant_that_breaks_nothing_is_not_blamed(lab: Lab, tmp_path: Path) -> None:
    seen = run(lab, tmp_path, "none", instead={"mix-2": ["mutant-mixnode", "run", "--break", "none"]})
    seen.assert_conservation()
    seen.assert_accounts("1 s")
