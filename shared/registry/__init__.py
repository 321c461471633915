"""Administrative units as dated data: provinces, communes, their successions on 1 July 2025."""

from shared.registry.loading import RegistryError, load, registry
from shared.registry.names import same_name
from shared.registry.units import (
    REORGANISATION,
    Province,
    RegisterGap,
    Registry,
    Succession,
    Unit,
    Unknown,
)

__all__ = [
    "REORGANISATION",
    "Province",
    "RegisterGap",
    "Registry",
    "RegistryError",
    "Succession",
    "Unit",
    "Unknown",
    "load",
    "registry",
    "same_name",
]
