"""Environment of intake."""

from pathlib import Path

from shared.messaging.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service has, and by whom the directory of who may act begins."""

    first_operators: Path | None = None
    """A file that names the ministry's first operators, while fewer than two can act (`services.intake.opening`)."""
