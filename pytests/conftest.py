# SPDX-License-Identifier: Apache-2.0
"""What every folder of tests shares."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-all", action="store_true", help="also what needs a browser, gdb or many minutes")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "all: runs with --run-all only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--run-all"):
        for item in items:
            if item.get_closest_marker("all"):
                item.add_marker(pytest.mark.skip(reason="needs --run-all"))
