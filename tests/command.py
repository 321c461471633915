"""The `langhoc` command as people and programs use it: a process of its own, on a platform of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Langhoc = Callable[..., str]


@contextmanager
def langhoc_on(state: Path) -> Iterator[Langhoc]:
    """Runs the command on the platform of this folder, which is down at the end, whatever happened."""

    def run(*arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**os.environ, "LANGHOC_STATE": str(state), "COLUMNS": "160"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return (done.stderr or done.stdout) if fails else done.stdout

    try:
        yield run
    finally:
        run("down")
    assert processes_of(state) == []


def processes_of(state: Path) -> list[str]:
    """Command lines of processes that have to do with this platform."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(state).encode() in line:
                found.append(line.split(b"\0", 1)[0].decode())
    return found
