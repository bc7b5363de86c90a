# SPDX-License-Identifier: Apache-2.0
"""What the tests of the mixnet's promises share: scenarios from parts, and how much each check would see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mixlab.stats import Judged

_judged_key = pytest.StashKey[dict[str, list[Judged]]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[Callable[[list[Judged]], None]]:
    """Takes what a test judged: n and the smallest error it would see are shown at the end."""
    said = request.config.stash.setdefault(_judged_key, {})

    def take(judged: list[Judged]) -> None:
        said.setdefault(request.node.name, []).extend(judged)

    yield take


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    said = config.stash.get(_judged_key, {})
    if said:
        terminalreporter.section("how much the statistical checks would see")
    for test, judged in said.items():
        terminalreporter.write_line(f"{test}:")
        for one in judged:
            terminalreporter.write_line(f"  {one}")
