"""Comparing names of units. Names are labels, never identity: the answer only decides about a warning."""

from __future__ import annotations

import re
import unicodedata

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""The five tone marks of Vietnamese: huyền, sắc, ngã, hỏi, nặng. Other marks (â, ơ, ă) make another letter."""
_SEPARATORS = re.compile(r"[\s'\u2018\u2019\u02bc`\u00b4-]+")


def same_name(a: str, b: str) -> bool:
    """Whether two spellings name the same unit.

    Tolerated: composed or decomposed Unicode, letter case, the place of the tone mark in its syllable (`Hoà`, `Hòa`),
    and apostrophes, hyphens or blanks (`M'Đrắk`, `M Đrắk`). A different tone or letter is a different name.
    """
    return comparable(a) == comparable(b)


def comparable(name: str) -> str:
    """What two spellings of the same name have in common; not to be shown."""
    syllables = _SEPARATORS.split(unicodedata.normalize("NFD", name.strip()).casefold())
    return "".join(_tone_last(syllable) for syllable in syllables)


def _tone_last(syllable: str) -> str:
    letters = "".join(char for char in syllable if char not in _TONES)
    return letters + "".join(char for char in syllable if char in _TONES)
