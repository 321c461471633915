"""Old Vietnamese encodings: recognised by a whole column or file, never by a cell, and mended only where asked.

Bytes that are no Unicode are Windows-1258, TCVN3 or VNI. In an XLSX the letters of a TCVN3 or VNI font stand as if they
were West European ones (`B¸o c¸o` for `Báo cáo`).
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import viparse

from shared.contracts.base import to_nfc

SAMPLE_CHARACTERS = 20_000
"""Of a column or file that an encoding is recognised by."""
WINDOWS = "windows-1258"
_PIECE = 1 << 20
_VIETNAMESE = frozenset("àáâãèéêìíòóôõùúý")
"""Letters that Vietnamese shares with West European languages."""
_BOMS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def is_old(text: str) -> bool:
    """Whether a text may be of an old font: it has West European signs, and no letter that only Unicode has."""
    return not text.isascii() and all(ord(letter) < 0x100 or letter in "−∙" for letter in text)


def recognised(texts: Iterable[str]) -> str | None:
    """The old encoding (`tcvn3`, `vni`, …) that texts of one column are in; `None`: none, or too little to tell."""
    sample = "\n".join(text for text in texts if is_old(text))[:SAMPLE_CHARACTERS]
    return viparse.detect_text_encoding(sample) if _is_strange(sample) else None


def _is_strange(text: str) -> bool:
    """Whether a third of its signs are none that Unicode's Vietnamese uses: `Lê` and `Hà` alone prove nothing."""
    signs = [sign for sign in text if not sign.isascii()]
    return 3 * sum(sign.lower() not in _VIETNAMESE for sign in signs) > len(signs)


def mended(text: str, encoding: str) -> str:
    """A text of an old encoding in Unicode, NFC."""
    return viparse.fix(text, encoding=encoding) if is_old(text) else to_nfc(text)


@dataclass(frozen=True, slots=True)
class FileEncoding:
    """How the bytes of a text file are read."""

    codec: str
    """Python's name of the codec."""
    old: str | None = None
    """The old encoding that it is thought to be in; its text is then mended as a whole."""
    note: str | None = None
    """What was met and read exactly: a byte order mark, UTF-16."""


def encoding_of(path: Path) -> FileEncoding:
    """How a file is read. By its byte order mark; as UTF-8 where all of it is; else by what it looks like.

    Windows-1258 writes tones as letters of their own behind a vowel; of TCVN3 and VNI the words are looked at.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, codec in _BOMS.items():
        if start.startswith(mark):
            return FileEncoding(codec, note="UTF-8, BOM" if codec == "utf-8-sig" else "UTF-16")
    if _is_utf8(path):
        return FileEncoding("utf-8")
    with path.open("rb") as file:
        raw = file.read(SAMPLE_CHARACTERS)
    latin = raw.decode("latin-1")
    found = viparse.detect_text_encoding(latin)
    if found is None and _tones(raw):
        return FileEncoding("cp1258", WINDOWS)
    return FileEncoding("latin-1", found or "unknown")


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _tones(raw: bytes) -> bool:
    """Whether tones stand behind vowels, as only Windows-1258 writes them."""
    try:
        text = raw.decode("cp1258")
    except UnicodeDecodeError:
        return False
    behind = sum(1 for vowel, tone in pairwise(text) if unicodedata.combining(tone) and vowel.isalpha())
    return behind > 0 or any(letter in "ăđơưĂĐƠƯ" for letter in text)
