"""What can go wrong with the local platform, in words for the person at the keyboard."""

from __future__ import annotations


class LocalPlatformError(Exception):
    """The local platform cannot do what was asked; the message says why and what to do."""


class MissingTool(LocalPlatformError):
    """A program that the local servers need is not on this machine."""

    def __init__(self, tool: str, *, reason_vi: str, reason_en: str, remedy: str) -> None:
        self.tool = tool
        self.remedy = remedy
        super().__init__(
            f"Thiếu {tool}: {reason_vi}\n"
            f"  Cách khắc phục: {remedy}\n"
            f"{tool} is missing: {reason_en}\n"
            f"  To mend it: {remedy}"
        )


class FetchFailed(LocalPlatformError):
    """A server could not be downloaded, or is not the one that the lock file names."""


class StartFailed(LocalPlatformError):
    """A program of the platform did not become ready."""

    def __init__(self, program: str, reason: str, log_tail: str) -> None:
        self.program = program
        self.log_tail = log_tail
        shown = f"\nLast lines of its log:\n{log_tail}" if log_tail else ""
        super().__init__(f"{program} did not start: {reason}.{shown}")


class NotRunning(LocalPlatformError):
    """The platform is not up."""

    def __init__(self) -> None:
        super().__init__("The platform is not up. Start it with: langhoc up")


class UnknownProgram(LocalPlatformError):
    """No program of the platform has this name."""

    def __init__(self, name: str, known: list[str]) -> None:
        self.name = name
        choice = f"Known: {', '.join(known)}." if known else "None has run here yet."
        super().__init__(f"There is no program named {name!r}. {choice}")
