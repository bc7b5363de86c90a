# SPDX-License-Identifier: Apache-2.0
"""The README's example of a devnet is run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_example_with_real_processes_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "with Devnet(" in block]
    exec(compile(example, str(README), "exec"), {})
