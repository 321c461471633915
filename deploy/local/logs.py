"""Reading the programs' logs while the supervisor rotates them."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import TextIO


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log; none when there is no log yet."""
    try:
        with _open(path) as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []


class Follower:
    """Reads what is added to a log from now on, also across a rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)
        self._file.seek(0, os.SEEK_END)
        self._unfinished = ""

    def new_lines(self) -> list[str]:
        """The lines that were completed since the last call."""
        text = self._unfinished + self._file.read()
        if self._was_rotated():
            # Nothing more is written to the old file once the new one exists.
            text += self._file.read()
            self._file.close()
            self._file = _open(self._path)
            text += self._file.read()
        *finished, self._unfinished = text.split("\n")
        return finished

    def close(self) -> None:
        """Stop reading."""
        self._file.close()

    def _was_rotated(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False  # between the two steps of a rotation


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")
