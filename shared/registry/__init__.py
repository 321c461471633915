"""Administrative units as dated data: provinces, districts, communes and their successions."""

from shared.registry.copies import CorrectionsDocument, corrected_register, corrections_of, with_correction
from shared.registry.loading import RegistryError, load, registry
from shared.registry.lookups import Registry, touched_units
from shared.registry.names import finder, folded, same_name
from shared.registry.units import (
    REORGANISATION,
    District,
    Province,
    RegisterGap,
    Succession,
    Unit,
    Unknown,
    unit_id_of,
)

__all__ = [
    "REORGANISATION",
    "CorrectionsDocument",
    "District",
    "Province",
    "RegisterGap",
    "Registry",
    "RegistryError",
    "Succession",
    "Unit",
    "Unknown",
    "corrected_register",
    "corrections_of",
    "finder",
    "folded",
    "load",
    "registry",
    "same_name",
    "touched_units",
    "unit_id_of",
    "with_correction",
]
