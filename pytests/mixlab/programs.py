# SPDX-License-Identifier: Apache-2.0
"""Where the built programs and the source files of a checkout are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("nym-directory", "nym-mixnode", "nym-sfw-provider", "nym-client")
# Another build of the programs: MIXLAB_BIN=$PWD/build-asan/bin pytest pytests/devnet
BIN_VARIABLE = "MIXLAB_BIN"
_MARK = Path("src/record/schema.sql")


class ProgramMissing(RuntimeError):
    """A program or file was not found; the text says where we looked."""


def checkouts(start: Path | None = None) -> Iterator[Path]:
    """Checkouts of the project that we may mean: around `start`, the working directory, this very file."""
    for origin in (start, Path.cwd(), Path(__file__).resolve().parent):
        if origin is not None:
            yield from (folder for folder in (origin, *origin.parents) if (folder / "CMakePresets.json").exists())


def find(name: str, given: str | os.PathLike[str] | None = None, start: Path | None = None) -> Path:
    """The program `name`: `given` when that is set (a file, or a folder with the program), else in the folder that
    MIXLAB_BIN names when it has one, else on PATH, else in a checkout's build/bin."""
    instead = os.environ.get(BIN_VARIABLE)
    if given is None and instead and os.access(Path(instead) / name, os.X_OK):
        return (Path(instead) / name).resolve()
    if given is not None:
        path = Path(given)
        path = path if path.name == name else path / name
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise ProgramMissing(f"{path} is not there, or not a program; build with scripts/build.sh")
        return path.resolve()
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path).resolve()
    looked = []
    for checkout in checkouts(start):
        path = checkout / "build" / "bin" / name
        if os.access(path, os.X_OK):
            return path.resolve()
        looked.append(str(path))
    where = ", ".join(dict.fromkeys(looked)) or "no checkout around " + str(Path.cwd())
    raise ProgramMissing(f"{name} is not on PATH and not built ({where}); build with: cmake --build build")


def schema_file(start: Path | None = None) -> Path:
    """The tables that programs write, src/record/schema.sql of the checkout."""
    for checkout in checkouts(start):
        if (checkout / _MARK).exists():
            return checkout / _MARK
    raise ProgramMissing(f"{_MARK} not found around {start or Path.cwd()}")
