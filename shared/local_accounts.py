"""Accounts of a platform on one machine, which issues its tokens itself: for development, demonstration and tests."""

from __future__ import annotations

import re

ISSUER = "langhoc-local"
AUDIENCE = "langhoc"
SUBJECT = re.compile(r"[a-z][a-z0-9._-]{0,63}")
"""One spelling for one person: no case, no accents, nothing invisible, nothing that only looks alike."""
MOST_HOURS = 12
"""For which a token is valid at most; the checks of the services hold to it as the issuer does."""
