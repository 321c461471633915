"""Comparing and searching names. Names are labels, never identity: they decide about a warning, or what is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""The five tone marks of Vietnamese: huyền, sắc, ngã, hỏi, nặng. Other marks (â, ơ, ă) make another letter."""
_STROKES = str.maketrans("đðɖ", "ddd")
"""Unicode takes no stroke off a letter; the other two look like đ and are typed for it."""
_NO_LETTERS = re.compile(r"[\W_]+")
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


def folded(name: str) -> str:
    """A name as it is searched: small letters without any mark, one blank between syllables (`Đắk Lắk`: `dak lak`)."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    return _NO_LETTERS.sub(" ", plain.translate(_STROKES)).strip()


def finder(asked: str) -> Callable[[str], bool]:
    """Tells of a `folded` name whether what is asked is a part of it, from the beginning of a syllable on.

    `ba dinh`, `BÀ ĐÌNH` and `badi` are parts of `phuong ba dinh`; `inh` is none, and without a letter nothing is.
    """
    letters = folded(asked).replace(" ", "")
    part = re.compile(r"\b" + " ?".join(letters))
    return lambda name: bool(letters) and part.search(name) is not None
