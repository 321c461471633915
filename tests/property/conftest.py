"""One profile for all properties: a slow machine is no fault of the property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("langhoc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("langhoc")
