"""Environment of notifications."""

from shared.messaging.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service has, but more patience: a proposal is told when it rests, not whenever it changes."""

    burst_quiet: float = 5.0
    burst_limit: float = 60.0
