"""Environment of notifications: what every service has."""

from shared.messaging.settings import ServiceSettings as Settings

__all__ = ["Settings"]
