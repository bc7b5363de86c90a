# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from book import Book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "by-hand.sqlite")
