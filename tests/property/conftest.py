"""Profiles for all properties: a slow machine is no fault of the property. `HYPOTHESIS_PROFILE=thorough` tries more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("langhoc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("langhoc"), max_examples=4_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "langhoc"))
