"""What a text may hold that somebody outside wrote, and how any text is shown without doing anything. Pure.

The border (`shared.outside`, the YAML of rules) refuses by `stranger` and `is_visible`; whoever shows something makes
it `neutral`, since what is stored may be older than the border. Which characters have no place is Unicode's to say, by
the tables of this Python: controls (NUL, ESC, C1), formats (overrides and isolates of direction, zero width), lone
surrogates, private use, what is not assigned, separators of lines and paragraphs. Spaces of any width are spaces.
"""

from __future__ import annotations

import re
import unicodedata

EDGES = " \t\r\n"
"""Around a text these say nothing: contracts strip them."""
_LINES = frozenset("\t\r\n")
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Letters and signs with nothing to see: fillers of Hangul, the Braille cell without dots, the place of an object that
a text does not have, the note without a head."""
_SHOWS = frozenset("LNPS")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")


def stranger(text: str, *, lines: bool = False) -> str | None:
    """The first character that has no place in a text, or `None`. `lines`: it may have several lines."""
    if text.isprintable():
        return None
    return next((one for one in text.strip(EDGES) if not (_plain(one) or (lines and one in _LINES))), None)


def is_visible(text: str) -> bool:
    """Whether there is anything to see: a letter, a digit or a sign."""
    return any(unicodedata.category(one)[0] in _SHOWS and one not in _BLANK for one in text)


def code_point(one: str) -> str:
    """How Unicode writes a character: `U+001B`."""
    return f"U+{ord(one):04X}"


def _plain(one: str) -> bool:
    return one.isprintable() or unicodedata.category(one) == "Zs"


# ---------------------------------------------------------------------------------------------------- shown


def neutral(text: str, *, lines: bool = False) -> str:
    """The text as a terminal, a sheet or a message may show it: with a sign to see where a stranger stands.

    `lines`: ends of lines and tabs stay what they are.
    """
    if text.isprintable():
        return text
    if lines:
        return "\n".join("\t".join(neutral(part) for part in line.split("\t")) for line in text.split("\n"))
    return "".join(one if _plain(one) else _sign(one) for one in text)


def _sign(one: str) -> str:
    """Controls have pictures in Unicode; anything else is shown as what cannot be shown."""
    number = ord(one)
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else "\ufffd"


def neutral_json(text: str) -> str:
    """JSON with the same meaning, in which every stranger is escaped: JSON itself asks so of the lowest ones only."""
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(one: str) -> str:
    if _plain(one):
        return one
    pair = one.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[at : at + 2].hex()}" for at in range(0, len(pair), 2))


def neutral_cell(text: str) -> str:
    """The text as a cell of a table that a spreadsheet opens: one line, and nothing that is computed.

    What would be a formula gets an apostrophe before it, a negative number does not.
    """
    shown = neutral(text)
    return f"'{shown}" if shown.startswith(_FORMULA) and not _NUMBER.fullmatch(shown) else shown
