"""What the contracts publish, written from the catalogue and the topic files: `make contracts`.

JSON Schemas, the AsyncAPI document, and the lists of `docs/contracts.md`, which is served as a page too. `release` also
makes the contracts of today those that later ones are compared with. The schema of a former type has no model any more:
it stays as it was written last.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shared.contracts.asyncapi import PARTIES, document, family_of_type
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.compatibility import Published, bare, breaks
from shared.contracts.former import FORMER
from shared.contracts.schemas import Schema, schema_of
from shared.contracts.topics import TopicFamily, families

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "shared" / "contracts" / "published"
SCHEMAS = FOLDER / "schemas"
PAGE = ROOT / "docs" / "contracts.md"
RELEASED = ROOT / "tests" / "contract" / "released.json"
BREAKS = 1
_BLOCK = re.compile(r"(<!-- (\w+): generated -->\n).*?(<!-- end -->)", re.DOTALL)
_STYLE = (
    "body{font:1rem/1.55 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "pre{background:#f4f4f4;padding:.8rem;overflow-x:auto}code{font-size:.92em}"
)


def schemas() -> dict[str, Schema]:
    """Of every type, in the order of their names: today's as their models are, former ones as they were left."""
    former = {each: json.loads((SCHEMAS / f"{each}.json").read_text(encoding="utf-8")) for each in FORMER}
    today = {
        name: schema_of(each.model, name=name, outside=each.family == "submissions") for name, each in CONTRACTS.items()
    }
    return dict(sorted({**former, **today}.items()))


def files() -> dict[Path, str]:
    """Everything that is written, by its place."""
    found = schemas()
    text = _BLOCK.sub(lambda block: f"{block[1]}{_LISTS[block[2]](found)}{block[3]}", PAGE.read_text(encoding="utf-8"))
    return {
        **{SCHEMAS / f"{name}.json": _json(schema) for name, schema in found.items()},
        FOLDER / "asyncapi.json": _json(document(found)),
        PAGE: text,
        FOLDER / "index.html": page_of(text),
    }


def published(found: dict[str, Schema]) -> dict[str, Published]:
    """What others know of each type, without words."""
    known = {}
    for name, schema in found.items():
        family = families()[family_of_type(name)]
        topic = {
            "name": family.name,
            "nature": family.nature,
            "partitions": family.partitions,
            "readers": family.consumers,
            "writers": family.producers,
        }
        known[name] = Published(topic, bare(schema), outside="portal" in family.producers)
    return known


def released() -> dict[str, Published]:
    """The contracts of the last release."""
    kept = json.loads(RELEASED.read_text(encoding="utf-8"))
    return {name: Published(one["topic"], one["schema"], one["outside"]) for name, one in kept.items()}


def release(known: dict[str, Published]) -> str:
    """The contracts of a release as they are kept: a line for each type."""
    lines = (
        f"{json.dumps(name)}: " + json.dumps({"outside": one.outside, "topic": one.topic, "schema": one.schema})
        for name, one in known.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def page_of(text: str) -> str:
    """The page of a text in Markdown, whose links lead to what is served beside it."""
    from markdown_it import MarkdownIt  # only who writes the page needs it

    body = MarkdownIt("commonmark").enable("table").render(re.sub(r"<!--.*?-->\n", "", text))
    for folder, served in (("shared/contracts/published", "contracts"), ("shared/contracts", "contracts")):
        body = body.replace(f'href="../{folder}/', f'href="/{served}/')
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Langhoc: contracts</title><style>{_STYLE}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


def main(asked: Sequence[str]) -> int:
    """Write everything; what breaks is said, and is for `tests/contract/test_compatibility.py` to refuse."""
    for place, text in files().items():
        place.write_text(text, encoding="utf-8")
    known = published(schemas())
    if asked == ["release"]:
        RELEASED.write_text(release(known), encoding="utf-8")
    found = breaks(released(), known)
    sys.stdout.writelines(f"breaks: {each}\n" for each in found)
    return BREAKS if found else 0


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _topics(_: dict[str, Schema]) -> str:
    rows = (
        f"| `{family.name}` | {_cell(family.description)} | {_cell(family.key)} | {family.partitions} | "
        f"{_kept(family)} | {', '.join(family.producers)} | {', '.join(family.consumers)} |"
        for family in families().values()
    )
    return _table("topic | what lies there | key | partitions | kept | writes | reads", rows)


def _parties(_: dict[str, Schema]) -> str:
    return _table("name | who", (f"| {name} | {text} |" for name, text in PARTIES.items()))


def _events(found: dict[str, Schema]) -> str:
    rows = (
        f"| `{name}`{' (former)' if name in FORMER else ''} | `{families()[family_of_type(name)].name}` | "
        f"[schema](../shared/contracts/published/schemas/{name}.json) | "
        f"[example](../shared/contracts/examples/{name}.json) |"
        for name in found
    )
    return _table("event | topic | its body | a whole event", rows)


_LISTS = {"parties": _parties, "topics": _topics, "events": _events}


def _table(heads: str, rows: Iterable[str]) -> str:
    return "\n".join([f"| {heads} |", "|" + "---|" * (heads.count("|") + 1), *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")


def _kept(family: TopicFamily) -> str:
    if family.compacted:
        return "of each key the newest"
    return "for ever" if family.retention_days is None else f"{family.retention_days} days"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
