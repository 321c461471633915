"""Limits on what comes from outside, held before anything costly is made of it.

Twenty characters can ask for a number of a billion digits, and some kilobytes for a structure that no stack holds.
Whatever reads outside JSON (`shared.outside`) or YAML (`shared.rulebook.text`) holds these limits first, and a refusal
names every place at once. All of them lie far above what a real file needs.
"""

from __future__ import annotations

MAX_CHARACTERS = 40
"""Of a number as it is written: a fraction `p/q` of two such numbers."""
MAX_DEPTH = 32
"""Of lists and objects within each other. The deepest contract, and the deepest rule, have fewer than ten."""
MAX_VALUES = 20_000
"""Of one document; each list, object and entry counts."""
MOST = 100
"""Problems that are named at once."""
